//! NetIO, over the model.

use netio_anycast_protocol::address::{AddressFamily, Luid};
use netio_anycast_protocol::row::Row;
use netio_anycast_protocol::status::NtStatus;
use zerocopy::IntoBytes as _;

use super::pool;
use crate::core::Core;
use crate::memory::Placement;
use crate::violation::Rule;
use crate::{driver_memory, processor};

/// What the conversions between LUID and index fail with: the only failure that they document.
const CONVERSION_FAILURE: NtStatus = NtStatus::INVALID_PARAMETER;
/// `NumEntries` and its padding, before the rows of `MIB_ANYCASTIPADDRESS_TABLE`.
const TABLE_HEADER: usize = 8;
/// Where a row's padding is, and the end of the row's address if it is IPv4.
const ROW_PADDING: std::ops::Range<usize> = 28..32;

/// Whether a driver's pointer can be a row. Null is answered as documented; a pointer that is not aligned is the driver's
/// mistake in any case.
fn admits(core: &Core, row: usize) -> bool {
    if row == 0 {
        core.report(Rule::RowInvalid, "the row is a null pointer");
    } else if !row.is_multiple_of(align_of::<Row>()) {
        core.report(Rule::RowInvalid, format!("the row at {row:#x} is not aligned to {}", align_of::<Row>()));
    }
    row != 0
}

/// The row that a driver calls with, unless the pointer can be none or the call is to fail.
///
/// # Safety
/// If it can be a row, it points to one.
unsafe fn row_of_call(core: &Core, row: usize) -> Result<Row, NtStatus> {
    if !admits(core, row) {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    if core.fault() {
        return Err(pool::NO_MEMORY);
    }
    // SAFETY: as the caller promises.
    Ok(unsafe { driver_memory::read(row) })
}

/// `CreateAnycastIpAddressEntry`.
///
/// # Safety
/// Only the driver may call it.
pub(super) unsafe extern "win64" fn create(row: usize) -> i32 {
    let core = processor::core();
    // SAFETY: as the driver vouches.
    match unsafe { row_of_call(&core, row) } {
        Ok(row) => core.netio().model.create(&row).0,
        Err(refusal) => refusal.0,
    }
}

/// `DeleteAnycastIpAddressEntry`.
///
/// # Safety
/// Only the driver may call it.
pub(super) unsafe extern "win64" fn delete(row: usize) -> i32 {
    let core = processor::core();
    // SAFETY: as the driver vouches.
    match unsafe { row_of_call(&core, row) } {
        Ok(row) => core.netio().model.delete(&row).0,
        Err(refusal) => refusal.0,
    }
}

/// `GetAnycastIpAddressEntry`.
///
/// # Safety
/// Only the driver may call it.
pub(super) unsafe extern "win64" fn get(address: usize) -> i32 {
    let core = processor::core();
    // SAFETY: as the driver vouches.
    let mut row = match unsafe { row_of_call(&core, address) } {
        Ok(row) => row,
        Err(refusal) => return refusal.0,
    };
    let status = core.netio().model.get(&mut row);
    if status == NtStatus::SUCCESS {
        let bytes = unwritten_as_poison(&core, &row);
        // SAFETY: as the driver vouches.
        unsafe { driver_memory::write_bytes(address, &bytes) };
    }
    status.0
}

/// `GetAnycastIpAddressTable`.
///
/// # Safety
/// Only the driver may call it.
pub(super) unsafe extern "win64" fn table(family: u16, table: usize) -> i32 {
    let core = processor::core();
    if table == 0 {
        return NtStatus::INVALID_PARAMETER.0;
    }
    if core.fault() {
        return pool::NO_MEMORY.0;
    }
    let rows = core.netio().model.table(AddressFamily(family));
    let rows = match rows {
        Ok(rows) => rows,
        Err(status) => return status.0,
    };
    let block = core.arena.allocate(TABLE_HEADER + rows.len() * size_of::<Row>(), Placement::AtEnd, 0);
    block.write(0, &u32::try_from(rows.len()).unwrap_or(u32::MAX));
    for (number, row) in rows.iter().enumerate() {
        block.write_bytes(TABLE_HEADER + number * size_of::<Row>(), &unwritten_as_poison(&core, row));
    }
    let address = block.address();
    let maker = core.maker();
    let mut netio = core.netio();
    netio.model.table_allocated(address);
    netio.tables.insert(address, (block, maker));
    drop(netio);
    // SAFETY: as the driver vouches.
    unsafe { driver_memory::write(table, address) };
    NtStatus::SUCCESS.0
}

/// A row as NetIO leaves it: nobody promises what is in the padding, and behind an IPv4 address in the union.
fn unwritten_as_poison(core: &Core, row: &Row) -> Vec<u8> {
    /// Family, port and address of `sockaddr_in`; its zeroed rest is not written by everybody.
    const IPV4: usize = 8;
    let mut bytes = row.as_bytes().to_vec();
    let poison = processor::request().map_or_else(|| core.poison(), |request| request.poison);
    let start = if row.address.family == AddressFamily::IPV4 { IPV4 } else { ROW_PADDING.start };
    for offset in start..ROW_PADDING.end {
        bytes[offset] = poison[offset % poison.len()];
    }
    bytes
}

/// `FreeMibTable`.
///
/// # Safety
/// Only the driver may call it.
pub(super) unsafe extern "win64" fn free_table(table: usize) {
    let core = processor::core();
    let mut netio = core.netio();
    let freed = netio.model.free_table(table);
    let block = netio.tables.remove(&table);
    drop(netio);
    drop(block);
    if let Err(misuse) = freed {
        core.report(Rule::TableInvalidFree, format!("{table:#x}: {misuse}"));
    }
}

/// `ConvertInterfaceIndexToLuid`.
///
/// # Safety
/// Only the driver may call it.
pub(super) unsafe extern "win64" fn luid_from_index(index: u32, luid: usize) -> i32 {
    let core = processor::core();
    let result = if core.fault() { Err(CONVERSION_FAILURE) } else { core.netio().model.luid_from_index(index) };
    // SAFETY: as the driver vouches.
    unsafe { driver_memory::write(luid, result.unwrap_or(Luid::UNSET).0) };
    result.err().unwrap_or(NtStatus::SUCCESS).0
}

/// `ConvertInterfaceLuidToIndex`.
///
/// # Safety
/// Only the driver may call it.
pub(super) unsafe extern "win64" fn index_from_luid(luid: usize, index: usize) -> i32 {
    let core = processor::core();
    // SAFETY: as the driver vouches.
    let luid = Luid(unsafe { driver_memory::read(luid) });
    let result = if core.fault() { Err(CONVERSION_FAILURE) } else { core.netio().model.index_from_luid(luid) };
    // SAFETY: as the driver vouches.
    unsafe { driver_memory::write(index, result.unwrap_or(0)) };
    result.err().unwrap_or(NtStatus::SUCCESS).0
}
