//! GET_TABLE: the anycast addresses that are there.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::address::{AddressFamily, Luid};

/// The input of GET_TABLE: which rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct TableFilter {
    /// One family, or [`AddressFamily::UNSPECIFIED`] for both.
    pub family: AddressFamily,
    /// Zero.
    pub reserved: u16,
    /// With no LUID: one interface by index, or zero for all.
    pub index: u32,
    /// One interface by LUID, or [`Luid::UNSET`].
    pub luid: Luid,
}

impl TableFilter {
    /// Everything.
    pub const ALL: Self = Self { family: AddressFamily::UNSPECIFIED, reserved: 0, index: 0, luid: Luid::UNSET };
}

/// The fixed part of the output of GET_TABLE and LIST_LEASES; `count` rows follow it, sorted by LUID, family and address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct TableHeader {
    /// The rows that follow.
    pub count: u32,
    /// The rows that there are. More than `count`: the status is STATUS_BUFFER_OVERFLOW, call again with more room.
    pub total: u32,
    /// The driver's generation before the table was read: WAIT_CHANGE from it misses nothing.
    pub generation: u64,
}

const _: () = {
    assert!(size_of::<TableFilter>() == 16 && align_of::<TableFilter>() == 8);
    assert!(size_of::<TableHeader>() == 16 && align_of::<TableHeader>() == 8);
};
