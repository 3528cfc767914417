//! NetIO's anycast services, called at PASSIVE_LEVEL only.

use core::ptr::{NonNull, from_mut, from_ref, null_mut};

use netio_anycast_engine::Netio;
use netio_anycast_protocol::address::{AddressFamily, Luid};
use netio_anycast_protocol::row::Row;
use netio_anycast_protocol::status::NtStatus;
use wdk_sys::ntddk::KeGetCurrentIrql;
use wdk_sys::{NTSTATUS, PASSIVE_LEVEL};

use crate::bindings::{
    ConvertInterfaceIndexToLuid, ConvertInterfaceLuidToIndex, CreateAnycastIpAddressEntry, DeleteAnycastIpAddressEntry,
    FreeMibTable, GetAnycastIpAddressEntry, GetAnycastIpAddressTable, MIB_ANYCASTIPADDRESS_TABLE, NET_LUID,
};

/// NetIO itself, through Netio.lib.
pub(crate) struct KernelNetio;

/// Calls NetIO if the IRQL allows it, and otherwise refuses with STATUS_INVALID_DEVICE_STATE.
///
/// The documentation allows "< DISPATCH_LEVEL", the SDK header annotates `_IRQL_requires_max_(PASSIVE_LEVEL)`: this is the
/// stricter of the two.
fn at_passive_level(call: impl FnOnce() -> NTSTATUS) -> NtStatus {
    // SAFETY: KeGetCurrentIrql may be called at any IRQL and changes nothing.
    let irql = unsafe { KeGetCurrentIrql() };
    if u32::from(irql) == PASSIVE_LEVEL { NtStatus(call()) } else { NtStatus::INVALID_DEVICE_STATE }
}

/// Only STATUS_SUCCESS is success.
fn only_success(status: NtStatus) -> Result<(), NtStatus> {
    if status == NtStatus::SUCCESS { Ok(()) } else { Err(status) }
}

impl Netio for KernelNetio {
    type Table = MibTable;

    fn create(&self, row: &Row) -> NtStatus {
        at_passive_level(|| {
            // SAFETY: PASSIVE_LEVEL; the row lives through the call and has the layout of MIB_ANYCASTIPADDRESS_ROW (asserted
            // in layout.rs).
            unsafe { CreateAnycastIpAddressEntry(from_ref(row).cast()) }
        })
    }

    fn delete(&self, row: &Row) -> NtStatus {
        at_passive_level(|| {
            // SAFETY: as in `create`.
            unsafe { DeleteAnycastIpAddressEntry(from_ref(row).cast()) }
        })
    }

    fn get(&self, row: &mut Row) -> NtStatus {
        at_passive_level(|| {
            // SAFETY: as in `create`; NetIO fills the row in, and any bytes make a valid `Row`.
            unsafe { GetAnycastIpAddressEntry(from_mut(row).cast()) }
        })
    }

    fn table(&self, family: AddressFamily) -> Result<MibTable, NtStatus> {
        let mut table: *mut MIB_ANYCASTIPADDRESS_TABLE = null_mut();
        only_success(at_passive_level(|| {
            // SAFETY: PASSIVE_LEVEL; `table` lives through the call.
            unsafe { GetAnycastIpAddressTable(family.0, &raw mut table) }
        }))?;
        // What is in `table` after a failure is undocumented, so it is looked at after success only.
        NonNull::new(table).map(|table| MibTable { table }).ok_or(NtStatus::UNSUCCESSFUL)
    }

    fn luid_from_index(&self, index: u32) -> Result<Luid, NtStatus> {
        let mut luid = NET_LUID { Value: 0 };
        only_success(at_passive_level(|| {
            // SAFETY: PASSIVE_LEVEL; `luid` lives through the call.
            unsafe { ConvertInterfaceIndexToLuid(index, &raw mut luid) }
        }))?;
        // SAFETY: `Value` covers the whole union.
        Ok(Luid(unsafe { luid.Value }))
    }

    fn index_from_luid(&self, luid: Luid) -> Result<u32, NtStatus> {
        let luid = NET_LUID { Value: luid.0 };
        let mut index = 0;
        only_success(at_passive_level(|| {
            // SAFETY: PASSIVE_LEVEL; both live through the call.
            unsafe { ConvertInterfaceLuidToIndex(&raw const luid, &raw mut index) }
        }))?;
        Ok(index)
    }
}

/// A table that NetIO allocated and that it gets back when this is dropped.
pub(crate) struct MibTable {
    table: NonNull<MIB_ANYCASTIPADDRESS_TABLE>,
}

impl MibTable {
    /// Where the rows begin, and how many there are.
    fn rows(&self) -> (*mut Row, usize) {
        let table = self.table.as_ptr();
        // SAFETY: the table is NetIO's answer and lives until it is freed.
        let count = unsafe { (*table).NumEntries };
        // SAFETY: the address alone is taken, of a member of the live table.
        let first = unsafe { &raw mut (*table).Table };
        (first.cast(), count as usize)
    }
}

impl AsRef<[Row]> for MibTable {
    fn as_ref(&self) -> &[Row] {
        let (first, count) = self.rows();
        // SAFETY: NetIO put `count` rows there, `Row` has their layout and any bytes make a valid one; `self` is borrowed.
        unsafe { core::slice::from_raw_parts(first, count) }
    }
}

impl AsMut<[Row]> for MibTable {
    fn as_mut(&mut self) -> &mut [Row] {
        let (first, count) = self.rows();
        // SAFETY: as in `as_ref`; the table is the caller's until it is freed, and `self` is borrowed mutably.
        unsafe { core::slice::from_raw_parts_mut(first, count) }
    }
}

impl Drop for MibTable {
    fn drop(&mut self) {
        // SAFETY: GetAnycastIpAddressTable returned the table and it is freed once, here. A table is only made at
        // PASSIVE_LEVEL and does not outlive the request that made it.
        unsafe { FreeMibTable(self.table.as_ptr().cast()) };
    }
}
