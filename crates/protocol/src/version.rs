//! QUERY_VERSION: what the driver is and can do.

use bitflags::bitflags;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// The version of the contract that this crate describes. It moves only when the meaning of something that exists does,
/// which is never meant to happen: new things come as new codes and [`Features`].
pub const PROTOCOL_VERSION: u32 = 1;

bitflags! {
    /// What a driver offers beyond the bare contract.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Features: u64 {
        /// QUERY_VERSION, CREATE with lifetime `unowned`, DELETE, GET, GET_TABLE.
        const ANYCAST = 1 << 0;
        /// CREATE with lifetime `handle`, LIST_LEASES.
        const LEASES = 1 << 1;
        /// APPLY.
        const BATCHES = 1 << 2;
        /// WAIT_CHANGE.
        const CHANGE_WAITS = 1 << 3;
        /// QUERY_STATISTICS.
        const STATISTICS = 1 << 4;
    }
}

/// The output of QUERY_VERSION.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct Version {
    /// [`PROTOCOL_VERSION`] of the driver.
    pub protocol: u32,
    /// The most items that APPLY takes; zero without [`Features::BATCHES`].
    pub max_apply_items: u32,
    /// The driver's own version: major, minor, patch, build.
    pub driver: [u16; 4],
    /// [`Features`] as bits. Unknown ones are of a newer driver and to be ignored.
    pub features: u64,
    /// The most leases that one handle may hold; zero without [`Features::LEASES`].
    pub max_leases_per_handle: u32,
    /// The most leases in total; zero without [`Features::LEASES`].
    pub max_leases: u32,
    /// The most WAIT_CHANGE requests pending at once; zero without [`Features::CHANGE_WAITS`].
    pub max_pending_waits: u32,
    /// Zero.
    pub reserved: u32,
}

const _: () = assert!(size_of::<Version>() == 40 && align_of::<Version>() == 8);
