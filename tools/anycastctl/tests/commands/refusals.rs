//! A device that can't be opened, and drivers that are not to be trusted.

use insta::assert_snapshot;
use netio_anycast_client::protocol::operation::Operation;
use netio_anycast_client::protocol::status::NtStatus;
use netio_anycast_client::protocol::version::{Features, PROTOCOL_VERSION, Version};
use netio_anycast_client::{OsError, Returned, Transport};
use zerocopy::IntoBytes;

use crate::fake::Fake;
use crate::transcript;

/// Tells its version and answers everything else with what it was given.
pub(crate) struct Driver {
    version: Version,
    answer: Result<Vec<u8>, OsError>,
}

impl Driver {
    pub(crate) fn of_protocol(protocol: u32) -> Self {
        let version = Version {
            protocol,
            max_apply_items: 100,
            driver: [2, 1, 0, 7],
            features: (Features::ANYCAST | Features::BATCHES | Features::CHANGE_WAITS).bits(),
            max_leases_per_handle: 0,
            max_leases: 0,
            max_pending_waits: 64,
            reserved: 0,
        };
        Self { version, answer: Ok(Vec::new()) }
    }

    pub(crate) fn answering(answer: Result<Vec<u8>, OsError>) -> Self {
        Self { answer, ..Self::of_protocol(PROTOCOL_VERSION) }
    }
}

impl Transport for Driver {
    fn control(&self, control_code: u32, _input: &[u8], output: &mut [u8]) -> Result<Returned, OsError> {
        let reply = match Operation::from_control_code(control_code) {
            Some(Operation::QueryVersion) => self.version.as_bytes().to_vec(),
            _ => self.answer.clone()?,
        };
        output[..reply.len()].copy_from_slice(&reply);
        Ok(Returned { length: reply.len(), more: false })
    }
}

#[test]
fn a_driver_that_does_not_run() {
    let platform = Fake::without_driver(Driver::of_protocol(PROTOCOL_VERSION));
    assert_snapshot!(transcript(&platform, &["version", "list", "--json version"]));
}

#[test]
fn a_caller_who_is_no_administrator() {
    let mut platform = Fake::running(Driver::of_protocol(PROTOCOL_VERSION));
    platform.open_fails = Some(OsError::from_status(NtStatus::ACCESS_DENIED));
    assert_snapshot!(transcript(&platform, &["list", "--json list", "status"]));
}

#[test]
fn drivers_of_other_protocols() {
    for (name, protocol) in [("newer", PROTOCOL_VERSION + 1), ("older", PROTOCOL_VERSION - 1)] {
        let platform = Fake::running(Driver::of_protocol(protocol));
        let command_lines = ["version", "list", "status", "--json version", "--json list", "--json status"];
        assert_snapshot!(format!("drivers_of_other_protocols_{name}"), transcript(&platform, &command_lines));
    }
}

#[test]
fn a_driver_with_features_and_limits() {
    let platform = Fake::running(Driver::of_protocol(PROTOCOL_VERSION));
    assert_snapshot!(transcript(&platform, &["version", "--json version"]));
}

#[test]
fn a_reply_that_makes_no_sense() {
    let platform = Fake::running(Driver::answering(Ok(vec![0; 20])));
    assert_snapshot!(transcript(
        &platform,
        &["list", "get 192.0.2.1 --interface 5", "add 192.0.2.1 --interface 5", "--json list"],
    ));
}

#[test]
fn every_status_that_has_a_name() {
    let mut text = String::new();
    for (status, _) in NtStatus::NAMED {
        if !matches!(*status, NtStatus::SUCCESS | NtStatus::PENDING | NtStatus::BUFFER_OVERFLOW) {
            let platform = Fake::running(Driver::answering(Err(OsError::from_status(*status))));
            text += &transcript(&platform, &["delete 192.0.2.1 --interface 5"]);
        }
    }
    assert_snapshot!(text);
}
