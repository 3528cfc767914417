//! NetIO's anycast services, called at PASSIVE_LEVEL only.

use core::marker::PhantomData;
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

/// Proof that the IRQL was PASSIVE_LEVEL when it was asked for. It stays in its thread, and nothing that has one raises the IRQL.
///
/// The documentation allows "< DISPATCH_LEVEL", the SDK header annotates `_IRQL_requires_max_(PASSIVE_LEVEL)`: this is the
/// stricter of the two.
#[derive(Clone, Copy)]
pub(crate) struct PassiveLevel {
    _of_this_thread: PhantomData<*const ()>,
}

impl PassiveLevel {
    /// Asks for the IRQL.
    pub(crate) fn now() -> Option<Self> {
        // SAFETY: KeGetCurrentIrql may be called at any IRQL and changes nothing.
        let irql = unsafe { KeGetCurrentIrql() };
        (u32::from(irql) == PASSIVE_LEVEL).then_some(Self { _of_this_thread: PhantomData })
    }
}

/// Only STATUS_SUCCESS is success.
fn only_success(status: NTSTATUS) -> Result<(), NtStatus> {
    match NtStatus(status) {
        NtStatus::SUCCESS => Ok(()),
        failure => Err(failure),
    }
}

impl Netio for KernelNetio {
    type PassiveLevel = PassiveLevel;
    type Table = MibTable;

    fn create(&self, _level: PassiveLevel, row: &Row) -> NtStatus {
        // SAFETY: PASSIVE_LEVEL, as `_level` proves; the row lives through the call and has the layout of
        // MIB_ANYCASTIPADDRESS_ROW (asserted in layout.rs).
        NtStatus(unsafe { CreateAnycastIpAddressEntry(from_ref(row).cast()) })
    }

    fn delete(&self, _level: PassiveLevel, row: &Row) -> NtStatus {
        // SAFETY: as in `create`.
        NtStatus(unsafe { DeleteAnycastIpAddressEntry(from_ref(row).cast()) })
    }

    fn get(&self, _level: PassiveLevel, row: &mut Row) -> NtStatus {
        // SAFETY: as in `create`; NetIO fills the row in, and any bytes make a valid `Row`.
        NtStatus(unsafe { GetAnycastIpAddressEntry(from_mut(row).cast()) })
    }

    fn table(&self, _level: PassiveLevel, family: AddressFamily) -> Result<MibTable, NtStatus> {
        let mut table: *mut MIB_ANYCASTIPADDRESS_TABLE = null_mut();
        // SAFETY: PASSIVE_LEVEL, as `_level` proves; `table` lives through the call.
        only_success(unsafe { GetAnycastIpAddressTable(family.0, &raw mut table) })?;
        // What is in `table` after a failure is undocumented, so it is looked at after success only.
        NonNull::new(table).map(|table| MibTable { table }).ok_or(NtStatus::UNSUCCESSFUL)
    }

    fn luid_from_index(&self, _level: PassiveLevel, index: u32) -> Result<Luid, NtStatus> {
        let mut luid = NET_LUID { Value: 0 };
        // SAFETY: PASSIVE_LEVEL, as `_level` proves; `luid` lives through the call.
        only_success(unsafe { ConvertInterfaceIndexToLuid(index, &raw mut luid) })?;
        // SAFETY: `Value` covers the whole union.
        Ok(Luid(unsafe { luid.Value }))
    }

    fn index_from_luid(&self, _level: PassiveLevel, luid: Luid) -> Result<u32, NtStatus> {
        let luid = NET_LUID { Value: luid.0 };
        let mut index = 0;
        // SAFETY: PASSIVE_LEVEL, as `_level` proves; both live through the call.
        only_success(unsafe { ConvertInterfaceLuidToIndex(&raw const luid, &raw mut index) })?;
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
