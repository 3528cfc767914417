//! QUERY_VERSION: what this driver is and can do.

use netio_anycast_protocol::operation::Operation;
use netio_anycast_protocol::request::DECODED;
use netio_anycast_protocol::version::{PROTOCOL_VERSION, Version};

/// The output of QUERY_VERSION. The driver's own version is the workspace's.
pub(crate) const VERSION: Version = Version {
    protocol: PROTOCOL_VERSION,
    max_apply_items: 0,
    driver: [
        number(env!("CARGO_PKG_VERSION_MAJOR")),
        number(env!("CARGO_PKG_VERSION_MINOR")),
        number(env!("CARGO_PKG_VERSION_PATCH")),
        0,
    ],
    features: DECODED.bits(),
    max_leases_per_handle: 0,
    max_leases: 0,
    max_pending_waits: 0,
    reserved: 0,
};

/// Whether `operation` belongs to a feature that this driver has.
pub(crate) fn offers(operation: Operation) -> bool {
    DECODED.contains(operation.definition().feature)
}

/// Evaluated by the compiler alone, which reports the panic as an error.
const fn number(text: &str) -> u16 {
    match u16::from_str_radix(text, 10) {
        Ok(number) => number,
        Err(_) => panic!("a part of the crate's version is not a 16-bit number"),
    }
}
