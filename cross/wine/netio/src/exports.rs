//! The functions of NetIO, as drivers call them. IRQL: PASSIVE_LEVEL.
//!
//! A null pointer is STATUS_INVALID_PARAMETER where the documentation says so. A row may be at any address: it is copied.

use core::ffi::c_void;
use core::ptr::null_mut;

use netio_anycast_protocol::address::{AddressFamily, Luid};
use netio_anycast_protocol::row::Row;
use netio_anycast_protocol::status::NtStatus;
use netio_model::Function;
use windows_sys::Wdk::Foundation::NonPagedPoolNx;
use windows_sys::Wdk::System::SystemServices::{ExAllocatePoolWithTag, ExFreePoolWithTag};
use wine_common::allocator;

use crate::{gate, with_model};

/// The rows of `MIB_ANYCASTIPADDRESS_TABLE` come after `NumEntries` and four bytes of padding.
const TABLE_HEADER_SIZE: usize = 8;
/// What is in a table's padding: not zero, so that a caller who returns it to others is found out.
const PADDING: u32 = 0xC5C5_C5C5;

/// CreateAnycastIpAddressEntry.
///
/// # Safety
/// `row` is null or points to a row.
#[unsafe(no_mangle)]
unsafe extern "system" fn CreateAnycastIpAddressEntry(row: *const Row) -> NtStatus {
    gate::pass(Function::Create);
    // SAFETY: as the caller promises.
    let row = unsafe { read(row) };
    row.map_or(NtStatus::INVALID_PARAMETER, |row| with_model(|model| model.create(&row)))
}

/// DeleteAnycastIpAddressEntry.
///
/// # Safety
/// `row` is null or points to a row.
#[unsafe(no_mangle)]
unsafe extern "system" fn DeleteAnycastIpAddressEntry(row: *const Row) -> NtStatus {
    gate::pass(Function::Delete);
    // SAFETY: as the caller promises.
    let row = unsafe { read(row) };
    row.map_or(NtStatus::INVALID_PARAMETER, |row| with_model(|model| model.delete(&row)))
}

/// GetAnycastIpAddressEntry.
///
/// # Safety
/// `row` is null or points to a row that may be written.
#[unsafe(no_mangle)]
unsafe extern "system" fn GetAnycastIpAddressEntry(row: *mut Row) -> NtStatus {
    gate::pass(Function::Get);
    // SAFETY: as the caller promises.
    let Some(mut found) = (unsafe { read(row) }) else {
        return NtStatus::INVALID_PARAMETER;
    };
    let status = with_model(|model| model.get(&mut found));
    if status == NtStatus::SUCCESS {
        // SAFETY: `row` is not null, and may be written, as the caller promises.
        unsafe { row.write_unaligned(found) };
    }
    status
}

/// GetAnycastIpAddressTable.
///
/// # Safety
/// `table` is null or points to a pointer that may be written.
#[unsafe(no_mangle)]
unsafe extern "system" fn GetAnycastIpAddressTable(family: AddressFamily, table: *mut *mut c_void) -> NtStatus {
    gate::pass(Function::Table);
    // SAFETY: as the caller promises.
    let Some(table) = (unsafe { table.as_mut() }) else {
        return NtStatus::INVALID_PARAMETER;
    };
    *table = null_mut();
    match with_model(|model| model.table(family)) {
        Ok(rows) => hand_out(&rows, table),
        Err(status) => status,
    }
}

/// Copies rows into memory of their own, to be freed with FreeMibTable.
fn hand_out(rows: &[Row], table: &mut *mut c_void) -> NtStatus {
    let Ok(count) = u32::try_from(rows.len()) else {
        return NtStatus::INSUFFICIENT_RESOURCES;
    };
    // The structure is declared with one row, whether or not there is one.
    let size = TABLE_HEADER_SIZE + size_of_val(rows).max(size_of::<Row>());
    // SAFETY: any size and tag are allowed.
    let memory = unsafe { ExAllocatePoolWithTag(NonPagedPoolNx, size, allocator::TAG) };
    if memory.is_null() {
        return NtStatus::INSUFFICIENT_RESOURCES;
    }
    // SAFETY: the memory has room for the header, and the pool aligns it to 16 bytes.
    unsafe { memory.cast::<[u32; 2]>().write([count, PADDING]) };
    // SAFETY: the memory is longer than the header.
    let first = unsafe { memory.byte_add(TABLE_HEADER_SIZE) };
    // SAFETY: the memory has room for all rows, is aligned to 8 bytes there, and is not where the rows are.
    unsafe { first.cast::<Row>().copy_from_nonoverlapping(rows.as_ptr(), rows.len()) };
    with_model(|model| model.table_allocated(memory.addr()));
    *table = memory;
    NtStatus::SUCCESS
}

/// FreeMibTable. What is not a table of this module stays as it is, and is counted.
///
/// # Safety
/// Nobody uses the table any more.
#[unsafe(no_mangle)]
unsafe extern "system" fn FreeMibTable(table: *mut c_void) {
    gate::pass(Function::FreeTable);
    if with_model(|model| model.free_table(table.addr())).is_ok() {
        // SAFETY: `hand_out` allocated it, and it was not freed since.
        unsafe { ExFreePoolWithTag(table, allocator::TAG) };
    }
}

/// ConvertInterfaceIndexToLuid.
///
/// # Safety
/// `luid` is null or points to a LUID that may be written.
#[unsafe(no_mangle)]
unsafe extern "system" fn ConvertInterfaceIndexToLuid(index: u32, luid: *mut Luid) -> NtStatus {
    gate::pass(Function::LuidFromIndex);
    // SAFETY: as the caller promises.
    let Some(luid) = (unsafe { luid.as_mut() }) else {
        return NtStatus::INVALID_PARAMETER;
    };
    put(luid, with_model(|model| model.luid_from_index(index)))
}

/// ConvertInterfaceLuidToIndex.
///
/// # Safety
/// `luid` is null or points to a LUID, `index` is null or points to an index that may be written.
#[unsafe(no_mangle)]
unsafe extern "system" fn ConvertInterfaceLuidToIndex(luid: *const Luid, index: *mut u32) -> NtStatus {
    gate::pass(Function::IndexFromLuid);
    // SAFETY: as the caller promises.
    let Some(index) = (unsafe { index.as_mut() }) else {
        return NtStatus::INVALID_PARAMETER;
    };
    // SAFETY: as the caller promises.
    let Some(luid) = (unsafe { luid.as_ref() }) else {
        return put(index, Err(NtStatus::INVALID_PARAMETER));
    };
    put(index, with_model(|model| model.index_from_luid(*luid)))
}

/// Gives the caller what was found, or zero with the reason why nothing was.
fn put<T: Default>(place: &mut T, found: Result<T, NtStatus>) -> NtStatus {
    match found {
        Ok(value) => {
            *place = value;
            NtStatus::SUCCESS
        }
        Err(status) => {
            *place = T::default();
            status
        }
    }
}

/// A copy of the caller's row, if there is one.
///
/// # Safety
/// `row` is null or points to a row.
unsafe fn read(row: *const Row) -> Option<Row> {
    if row.is_null() {
        return None;
    }
    // SAFETY: as the caller promises; the row may be anywhere.
    Some(unsafe { row.read_unaligned() })
}
