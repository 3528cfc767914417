//! LIST_LEASES: the addresses that go when their holders do.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::row::Row;
use crate::table::TableFilter;

/// The input of LIST_LEASES: which leases.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct LeaseFilter {
    /// By family and interface, as GET_TABLE filters.
    pub table: TableFilter,
    /// The leases that this process holds, or zero for those of all.
    pub process_id: u32,
    /// Zero.
    pub reserved: u32,
}

/// One lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct LeaseRow {
    /// The address and the interface.
    pub row: Row,
    /// A [`Lifetime`](crate::create::Lifetime).
    pub lifetime: u32,
    /// The [`CreateFlags`](crate::create::CreateFlags) that it was created with.
    pub flags: u32,
    /// The handles that hold it.
    pub holders: u32,
    /// The process that opened the handle which created it.
    pub process_id: u32,
    /// How long ago it was created, in milliseconds.
    pub age: u64,
}

const _: () = {
    assert!(size_of::<LeaseFilter>() == 24 && align_of::<LeaseFilter>() == 8);
    assert!(size_of::<LeaseRow>() == 72 && align_of::<LeaseRow>() == 8);
};
