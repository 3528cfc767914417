//! CREATE and DELETE: one address put on an interface or taken from it.

use bitflags::bitflags;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::row::Row;

/// How long an address stays once it was created.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Lifetime {
    /// Until somebody deletes it or the interface or the system goes: Netio's own behaviour.
    Unowned = 0,
    /// A lease: until the handle that created it is cleaned up.
    Handle = 1,
}

impl Lifetime {
    /// The lifetime with this number on the wire.
    #[must_use]
    pub const fn from_wire(number: u32) -> Option<Self> {
        match number {
            0 => Some(Self::Unowned),
            1 => Some(Self::Handle),
            _ => None,
        }
    }
}

bitflags! {
    /// How an address is created.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct CreateFlags: u32 {
        /// With [`Lifetime::Handle`] only: an address that is leased as shared already gains a holder instead of failing.
        const SHARED = 1 << 0;
    }
}

bitflags! {
    /// How an address is deleted.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct DeleteFlags: u32 {
        /// Delete the address even though others hold a lease on it.
        const FORCE = 1 << 0;
    }
}

/// The input of CREATE. The output is the [`Row`] as resolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct CreateRequest {
    /// The address and the interface.
    pub row: Row,
    /// A [`Lifetime`].
    pub lifetime: u32,
    /// [`CreateFlags`].
    pub flags: u32,
}

/// The input of DELETE.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct DeleteRequest {
    /// The address and the interface.
    pub row: Row,
    /// [`DeleteFlags`].
    pub flags: u32,
    /// Zero.
    pub reserved: u32,
}

const _: () = {
    assert!(size_of::<CreateRequest>() == 56 && align_of::<CreateRequest>() == 8);
    assert!(size_of::<DeleteRequest>() == 56 && align_of::<DeleteRequest>() == 8);
};
