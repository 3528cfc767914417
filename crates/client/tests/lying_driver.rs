//! Replies that contradict the contract, and systems that fail: errors all of them, never a panic.

#[path = "support/lying.rs"]
mod lying;

use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};

use lying::{Driver, connect, table, version, write};
use netio_anycast_client::protocol::DEVICE_PATH;
use netio_anycast_client::protocol::address::{AddressFamily, Luid};
use netio_anycast_client::protocol::row::Row;
use netio_anycast_client::protocol::status::NtStatus;
use netio_anycast_client::protocol::version::{Features, PROTOCOL_VERSION, Version};
use netio_anycast_client::protocol::win32::Win32Error;
use netio_anycast_client::{Client, Error, ErrorKind, InterfaceId, OsError, Returned, Selection};
use zerocopy::IntoBytes;

fn address() -> IpAddr {
    "192.0.2.1".parse().expect("an address")
}

const INTERFACE: InterfaceId = InterfaceId::Luid(Luid(0x0006_0000_0500_0000));

fn row(address: &str, luid: u64) -> Row {
    Row::on_luid(address.parse().expect("an address"), Luid(luid))
}

#[track_caller]
fn assert_malformed(error: &Error, detail: &str) {
    assert_eq!(error.kind(), ErrorKind::Malformed, "{error}");
    assert!(error.why().contains(detail), "{error}");
    assert_eq!((error.status(), error.win32()), (None, None));
}

#[test]
fn another_protocol_is_refused_with_both_versions() {
    for (protocol, who) in [(PROTOCOL_VERSION + 1, "this program"), (0, "the driver")] {
        let driver = Driver { version: Version { protocol, ..version() }, answer: |_: &mut [u8]| unreachable!() };
        let error = Client::connect(driver).err().expect("another protocol");
        assert_eq!(error.kind(), ErrorKind::DriverMismatch);
        assert!(error.why().contains(&format!("version {protocol}")), "{error}");
        assert!(error.advice().starts_with(&format!("Install a version of {who}")), "{error}");
    }
}

#[test]
fn a_driver_without_counters_is_not_asked_for_them() {
    let version = Version { features: Features::ANYCAST.bits(), ..version() };
    let driver = Driver { version, answer: |_: &mut [u8]| panic!("it was asked") };
    let error = Client::connect(driver).expect("the version is right").statistics().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DriverMismatch);
}

#[test]
fn replies_of_another_length() {
    let reply = row("192.0.2.1", 0x0006_0000_0500_0000);
    let long = [reply.as_bytes(), &[0]].concat();
    for bytes in [&[], &reply.as_bytes()[..47], &long] {
        let client = connect(|output: &mut [u8]| Ok(write(output, bytes, false)));
        assert_malformed(&client.create(address(), INTERFACE).unwrap_err(), "should be 48");
        assert_malformed(&client.get(address(), INTERFACE).unwrap_err(), "should be 48");
        assert_malformed(&client.statistics().unwrap_err(), "should be 1472");
    }
    let client = connect(|output: &mut [u8]| Ok(write(output, &[0], false)));
    assert_malformed(&client.delete(address(), INTERFACE).unwrap_err(), "should be empty");
}

#[test]
fn more_of_what_has_no_rows() {
    let client = connect(|output: &mut [u8]| Ok(Returned { length: output.len(), more: true }));
    assert_malformed(&client.get(address(), INTERFACE).unwrap_err(), "more rows");
}

#[test]
fn replies_about_something_else() {
    let mut no_family = row("192.0.2.1", 0x0006_0000_0500_0000);
    no_family.address.family = AddressFamily(1);
    for (reply, detail) in [
        (no_family, "neither IPv4 nor IPv6"),
        (row("192.0.2.2", 0x0006_0000_0500_0000), "192.0.2.2"),
        (row("192.0.2.1", 7), "0x0000000000000007"),
    ] {
        let client = connect(|output: &mut [u8]| Ok(write(output, reply.as_bytes(), false)));
        assert_malformed(&client.create(address(), INTERFACE).unwrap_err(), detail);
        assert_malformed(&client.get(address(), INTERFACE).unwrap_err(), detail);
    }
}

#[test]
fn tables_that_contradict_themselves() {
    let one = [row("192.0.2.1", 1)];
    let unsorted = [row("192.0.2.2", 1), row("192.0.2.1", 1)];
    let mut no_family = one;
    no_family[0].address.family = AddressFamily(0);
    for (reply, more, detail) in [
        (vec![], false, "less than its header"),
        (table::<Row>(0, 0, &[])[..15].to_vec(), false, "less than its header"),
        (table(1, 1, &one)[..63].to_vec(), false, "no whole number of rows"),
        (table(2, 2, &one), false, "counts 2 rows and holds 1"),
        (table(0, 0, &one), false, "counts 0 rows and holds 1"),
        (table(1, 2, &one), false, "status contradicts"),
        (table(1, 0, &one), false, "status contradicts"),
        (table(1, 1, &one), true, "status contradicts"),
        (table(1, u32::MAX, &one), true, "more than can be"),
        (table(2, 2, &unsorted), false, "not sorted"),
        (table(1, 1, &no_family), false, "neither IPv4 nor IPv6"),
    ] {
        let client = connect(|output: &mut [u8]| Ok(write(output, &reply, more)));
        assert_malformed(&client.table(Selection::ALL).unwrap_err(), detail);
    }
    let client = connect(|output: &mut [u8]| Ok(Returned { length: output.len() + 1, more: false }));
    assert_malformed(&client.table(Selection::ALL).unwrap_err(), "the buffer has");
}

#[test]
fn a_table_with_what_was_not_asked_for() {
    let reply = table(1, 1, &[row("192.0.2.1", 1)]);
    let client = connect(|output: &mut [u8]| Ok(write(output, &reply, false)));
    let selection = Selection { family: None, interface: Some(INTERFACE) };
    assert_malformed(&client.table(selection).unwrap_err(), "was not asked for");
}

#[test]
fn a_table_that_grows_without_end() {
    let calls = AtomicUsize::new(0);
    let client = connect(|output: &mut [u8]| {
        calls.fetch_add(1, Ordering::Relaxed);
        let room = u32::try_from(output.len() / size_of::<Row>()).expect("a small table");
        Ok(write(output, &table::<Row>(0, room + 1, &[]), true))
    });
    let error = client.table(Selection::ALL).unwrap_err();
    assert_eq!((error.kind(), error.status()), (ErrorKind::Other, Some(NtStatus::BUFFER_OVERFLOW)), "{error}");
    assert_eq!(calls.into_inner(), 8);
}

#[test]
fn every_named_status_is_kept_with_its_kind() {
    for (status, name) in NtStatus::NAMED {
        if matches!(*status, NtStatus::SUCCESS | NtStatus::PENDING | NtStatus::BUFFER_OVERFLOW) {
            continue;
        }
        let client = connect(|_: &mut [u8]| Err(OsError::from_status(*status)));
        let error = client.get(address(), INTERFACE).unwrap_err();
        assert_eq!(error.status(), Some(*status));
        assert_eq!(error.kind(), ErrorKind::of(*status));
        assert!(error.to_string().contains(name), "{error}");
    }
}

#[test]
fn a_device_that_is_not_there_is_no_driver() {
    let code = OsError { status: NtStatus::OBJECT_NAME_NOT_FOUND, win32: Win32Error::FILE_NOT_FOUND };
    assert_eq!(Error::opening(DEVICE_PATH, code).kind(), ErrorKind::NoDriver);
    let code = OsError::from_status(NtStatus::ACCESS_DENIED);
    assert_eq!(Error::opening(DEVICE_PATH, code).kind(), ErrorKind::AccessDenied);
}

#[test]
fn an_alias_of_no_interface_is_not_found() {
    let error = Error::resolving_alias("Ethernet 7", Win32Error::INVALID_PARAMETER);
    assert_eq!((error.kind(), error.status()), (ErrorKind::NotFound, None));
    assert!(error.to_string().contains("\"Ethernet 7\""), "{error}");
}
