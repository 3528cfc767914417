//! A driver that says what it is told to say.

use netio_anycast_client::protocol::operation::Operation;
use netio_anycast_client::protocol::table::TableHeader;
use netio_anycast_client::protocol::version::{Features, PROTOCOL_VERSION, Version};
use netio_anycast_client::{Client, OsError, Returned, Transport};
use zerocopy::{Immutable, IntoBytes};

/// Answers QUERY_VERSION by the book and everything else with a closure.
pub(crate) struct Driver<F> {
    pub(crate) version: Version,
    pub(crate) answer: F,
}

impl<F> Transport for Driver<F>
where
    F: Fn(&mut [u8]) -> Result<Returned, OsError>,
{
    fn control(&self, control_code: u32, _input: &[u8], output: &mut [u8]) -> Result<Returned, OsError> {
        match Operation::from_control_code(control_code) {
            Some(Operation::QueryVersion) => Ok(write(output, self.version.as_bytes(), false)),
            _ => (self.answer)(output),
        }
    }
}

pub(crate) fn version() -> Version {
    Version {
        protocol: PROTOCOL_VERSION,
        max_apply_items: 100,
        driver: [0, 1, 0, 0],
        features: Features::all().bits(),
        max_leases_per_handle: 0,
        max_leases: 0,
        max_pending_waits: 0,
        reserved: 0,
    }
}

pub(crate) fn connect<F>(answer: F) -> Client<Driver<F>>
where
    F: Fn(&mut [u8]) -> Result<Returned, OsError>,
{
    Client::connect(Driver { version: version(), answer }).expect("the version is right")
}

/// Writes as much of `reply` as fits and claims to have written all of it.
pub(crate) fn write(output: &mut [u8], reply: &[u8], more: bool) -> Returned {
    let fitting = reply.len().min(output.len());
    output[..fitting].copy_from_slice(&reply[..fitting]);
    Returned { length: reply.len(), more }
}

/// A table with this header and these rows.
pub(crate) fn table<R: IntoBytes + Immutable>(count: u32, total: u32, rows: &[R]) -> Vec<u8> {
    let header = TableHeader { count, total, generation: 1 };
    [header.as_bytes(), rows.as_bytes()].concat()
}
