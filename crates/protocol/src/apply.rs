//! APPLY: many addresses created and deleted in one request.

use bitflags::bitflags;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::row::Row;
use crate::status::NtStatus;

/// The most items that one APPLY takes.
pub const MAX_APPLY_ITEMS: u32 = 65_536;

bitflags! {
    /// How a batch is applied.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct ApplyFlags: u32 {
        /// The first failure undoes, in reverse order, what was done. Without it every item is tried.
        const ATOMIC = 1 << 0;
    }
}

/// The fixed part of the input of APPLY; `count` [`ApplyItem`]s follow it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct ApplyRequest {
    /// [`ApplyFlags`].
    pub flags: u32,
    /// The items that follow: exactly those that the input length has room for.
    pub count: u32,
}

/// What an item of a batch does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum ApplyAction {
    /// As CREATE does.
    Create = 1,
    /// As DELETE does.
    Delete = 2,
}

/// One item of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct ApplyItem {
    /// The address and the interface.
    pub row: Row,
    /// An [`ApplyAction`].
    pub action: u32,
    /// A [`Lifetime`](crate::create::Lifetime) for a creation, zero for a deletion.
    pub lifetime: u32,
    /// [`CreateFlags`](crate::create::CreateFlags) or [`DeleteFlags`](crate::create::DeleteFlags).
    pub flags: u32,
    /// Zero.
    pub reserved: u32,
}

/// The fixed part of the output of APPLY; `count` [`ItemOutcome`]s follow it, in the order of the items.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct ApplyReply {
    /// The outcomes that follow: as many as there were items.
    pub count: u32,
    /// The items that are not [`ItemState::Applied`].
    pub not_applied: u32,
}

/// Which field of an item was at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Field {
    /// None: it was applied, or Netio refused it for a reason that is no field's.
    None = 0,
    /// The address family.
    Family = 1,
    /// The address.
    Address = 2,
    /// The interface: its LUID or its index.
    Interface = 3,
    /// The lifetime.
    Lifetime = 4,
    /// The flags, or something reserved.
    Flags = 5,
}

/// What became of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum ItemState {
    /// Done.
    Applied = 1,
    /// Refused.
    Failed = 2,
    /// An earlier item of an atomic batch failed first.
    NotAttempted = 3,
    /// Done, then undone since a later item of the atomic batch failed.
    RolledBack = 4,
    /// Done, and Netio refused to undo it.
    RollbackFailed = 5,
}

/// What became of one item, and why: 16 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C, align(8))]
pub struct ItemOutcome {
    /// What a single CREATE or DELETE would have ended with.
    pub status: NtStatus,
    /// What Netio itself said; zero if it was not asked.
    pub netio_status: NtStatus,
    /// `status` as Win32 has it.
    pub win32: u32,
    /// A [`Field`].
    pub field: u8,
    /// An [`ItemState`].
    pub state: u8,
    /// Zero.
    pub reserved: u16,
}

const _: () = {
    assert!(size_of::<ApplyRequest>() == 8);
    assert!(size_of::<ApplyItem>() == 64 && align_of::<ApplyItem>() == 8);
    assert!(size_of::<ApplyReply>() == 8);
    assert!(size_of::<ItemOutcome>() == 16);
};
