//! The partner of `wine/drivers/partner`, a driver that lets requests pend and keeps a journal of what it was sent: what it is asked,
//! and what its journal tells (`partner.h`).

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// The name of its service, and of its device.
pub const SERVICE: &str = "kernel_partner";

/// METHOD_BUFFERED and FILE_ANY_ACCESS.
const fn code(function: u32) -> u32 {
    0x8ACD << 16 | function << 2
}

/// Pends until it is cancelled, its handle is cleaned up, or [`COMPLETE_PENDED`] comes.
pub const PEND: u32 = code(0x902);
/// Completes all that pends with success.
pub const COMPLETE_PENDED: u32 = code(0x903);
/// Output: as many [`Entry`]s as there are.
pub const READ_JOURNAL: u32 = code(0x904);
/// Forgets the journal.
pub const CLEAR_JOURNAL: u32 = code(0x905);
/// Makes two events. Completes what pends when one of them is set, from a thread of its own, and then sets the other.
pub const COMPLETE_LATE: u32 = code(0x907);

/// The most entries of the journal.
pub const JOURNAL_LENGTH: usize = 1024;

/// `struct journal_entry`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Entry {
    /// The address of the file object.
    pub file: u64,
    /// An IRP_MJ_ code, or what the partner notes besides.
    pub event: u32,
    /// Who asked, KernelMode or UserMode; or the status of what was completed.
    pub detail: u32,
}

/// IRP_MJ_CREATE.
pub const CREATE: u32 = 0x00;
/// IRP_MJ_CLOSE.
pub const CLOSE: u32 = 0x02;
/// IRP_MJ_CLEANUP.
pub const CLEANUP: u32 = 0x12;
/// A request begins to pend.
pub const PENDED: u32 = 0x100;
/// One is cancelled.
pub const CANCELLED: u32 = 0x101;
/// One is completed otherwise.
pub const COMPLETED: u32 = 0x102;

/// Reads what [`READ_JOURNAL`] returns.
#[must_use]
pub fn entries(output: &[u8]) -> Vec<Entry> {
    output.chunks_exact(size_of::<Entry>()).filter_map(|entry| Entry::read_from_bytes(entry).ok()).collect()
}
