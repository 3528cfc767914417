//! A whole table of addresses in pool, for callers who take it with them.

use core::mem;

use netio_anycast_engine::Completion;
use netio_anycast_protocol::row::Row;
use netio_anycast_protocol::status::NtStatus;
use netio_anycast_protocol::table::TableHeader;
use zerocopy::{FromBytes as _, IntoBytes as _};

use crate::pool_block::PoolBlock;

/// The unit of the memory. The first of a copy has its count of units, the others have the table.
#[derive(
    Clone, Copy, Default, zerocopy::FromBytes, zerocopy::IntoBytes, zerocopy::Immutable, zerocopy::KnownLayout,
)]
#[repr(transparent)]
struct Unit([u64; 2]);

/// The rows that there is room for at first.
const FIRST_ROOM: usize = 64;
/// How often a table may turn out to have grown beyond the room that there is for it.
const TRIES: u32 = 8;

/// A copy of the table that `ask` writes as GET_TABLE does, with room for all of it. IRQL: PASSIVE_LEVEL.
///
/// # Errors
/// - [`NtStatus::INSUFFICIENT_RESOURCES`]: there is no memory, or the table grew faster than room could be made.
/// - What `ask` ends with otherwise.
pub(crate) fn make(ask: impl Fn(&mut [u8]) -> Completion) -> Result<*mut TableHeader, NtStatus> {
    let mut room = FIRST_ROOM;
    for _ in 0..TRIES {
        let units = length_of(room).div_ceil(size_of::<Unit>());
        let no_memory = NtStatus::INSUFFICIENT_RESOURCES;
        let mut block = PoolBlock::<Unit>::try_new(units.saturating_add(1)).ok_or(no_memory)?;
        let (count, table) = block.as_mut().split_first_mut().ok_or(no_memory)?;
        *count = Unit([units as u64, 0]);
        let bytes = table.as_mut_bytes();
        match ask(bytes).status {
            NtStatus::SUCCESS => return Ok(give_up(block)),
            NtStatus::BUFFER_OVERFLOW => {
                let (header, _) = TableHeader::read_from_prefix(bytes).map_err(|_| no_memory)?;
                let total = header.total as usize;
                room = total.saturating_add(total / 4);
            }
            failure => return Err(failure),
        }
    }
    Err(NtStatus::INSUFFICIENT_RESOURCES)
}

/// Frees what [`make`] has made. Does nothing for a null pointer. IRQL <= DISPATCH_LEVEL.
///
/// # Safety
/// `table` is null or came from [`make`], and is freed once.
pub(crate) unsafe fn free(table: *mut TableHeader) {
    if table.is_null() {
        return;
    }
    // SAFETY: as the caller promises, a unit with the count comes before the table.
    let first = unsafe { table.cast::<Unit>().sub(1) };
    // SAFETY: as above.
    let Unit([units, _]) = unsafe { first.read() };
    #[expect(clippy::cast_possible_truncation, reason = "it was a usize")]
    let units = units as usize;
    // SAFETY: it was given up by `give_up` with so many units and the one in front.
    drop(unsafe { PoolBlock::from_raw(first, units.saturating_add(1)) });
}

fn give_up(mut block: PoolBlock<Unit>) -> *mut TableHeader {
    let first = block.as_mut().as_mut_ptr();
    mem::forget(block);
    // SAFETY: the block has at least two units.
    unsafe { first.add(1) }.cast()
}

/// The length in bytes of a table with so many rows.
const fn length_of(rows: usize) -> usize {
    rows.saturating_mul(size_of::<Row>()).saturating_add(size_of::<TableHeader>())
}
