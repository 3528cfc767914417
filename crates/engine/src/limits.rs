//! How much of everything there may be.

use netio_anycast_protocol::apply::MAX_APPLY_ITEMS;

use crate::slab::MAX_RECORDS;

/// The limits that QUERY_VERSION tells. A driver reads them from its service's Parameters key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The most items that one APPLY takes.
    pub max_apply_items: u32,
    /// The most leases that one handle may hold.
    pub max_leases_per_handle: u32,
    /// The most leases in total. Each further holder of a shared lease counts as one more.
    pub max_leases: u32,
    /// The most WAIT_CHANGE requests pending at once.
    pub max_pending_waits: u32,
}

impl Limits {
    /// What a driver has that nobody configured.
    pub const DEFAULT: Self = Self {
        max_apply_items: MAX_APPLY_ITEMS,
        max_leases_per_handle: 131_072,
        max_leases: 262_144,
        max_pending_waits: 1024,
    };

    /// The same, no higher than the contract and the engine's tables allow.
    #[must_use]
    pub(crate) fn clamped(self) -> Self {
        Self {
            max_apply_items: self.max_apply_items.min(MAX_APPLY_ITEMS),
            max_leases_per_handle: self.max_leases_per_handle.min(MAX_RECORDS),
            max_leases: self.max_leases.min(MAX_RECORDS),
            max_pending_waits: self.max_pending_waits,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}
