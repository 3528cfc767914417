//! QUERY_VERSION: what this driver is and can do.

use netio_anycast_protocol::version::{Features, PROTOCOL_VERSION, Version};

use crate::limits::Limits;

/// The output of QUERY_VERSION. The driver's own version is the workspace's.
pub(crate) const fn version(limits: &Limits) -> Version {
    Version {
        protocol: PROTOCOL_VERSION,
        max_apply_items: limits.max_apply_items,
        driver: [
            const { number(env!("CARGO_PKG_VERSION_MAJOR")) },
            const { number(env!("CARGO_PKG_VERSION_MINOR")) },
            const { number(env!("CARGO_PKG_VERSION_PATCH")) },
            0,
        ],
        features: Features::all().bits(),
        max_leases_per_handle: limits.max_leases_per_handle,
        max_leases: limits.max_leases,
        max_pending_waits: limits.max_pending_waits,
        reserved: 0,
    }
}

/// Evaluated by the compiler alone, which reports the panic as an error.
const fn number(text: &str) -> u16 {
    match u16::from_str_radix(text, 10) {
        Ok(number) => number,
        Err(_) => panic!("a part of the crate's version is not a 16-bit number"),
    }
}
