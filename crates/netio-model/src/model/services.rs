//! The functions of NetIO that the driver calls. Every status is what the function itself returns.

use alloc::vec::Vec;

use netio_anycast_protocol::address::{AddressFamily, Luid};
use netio_anycast_protocol::row::Row;
use netio_anycast_protocol::status::NtStatus;

use super::Model;
use crate::function::Function;
use crate::interface::Families;
use crate::tables::TableMisuse;

impl Model {
    /// `CreateAnycastIpAddressEntry`.
    pub fn create(&mut self, row: &Row) -> NtStatus {
        status(self.enter_for(Function::Create, row).and_then(|()| self.insert(row)))
    }

    /// `DeleteAnycastIpAddressEntry`.
    pub fn delete(&mut self, row: &Row) -> NtStatus {
        status(self.enter_for(Function::Delete, row).and_then(|()| self.remove(row)))
    }

    /// `GetAnycastIpAddressEntry`. On success `row` is filled in, on failure it stays as it was.
    pub fn get(&mut self, row: &mut Row) -> NtStatus {
        status(self.enter_for(Function::Get, row).and_then(|()| {
            let (luid, address) = self.entry(row)?;
            let interface = self.interfaces.get(&luid).ok_or(NtStatus::NOT_FOUND)?;
            if !self.entries.contains(&(luid, address)) {
                return Err(NtStatus::NOT_FOUND);
            }
            *row = with_unwritten_bytes(interface.row(address));
            Ok(())
        }))
    }

    /// `GetAnycastIpAddressTable`. The host puts the rows into memory that it allocates, and enters that memory with
    /// [`table_allocated`](Self::table_allocated).
    ///
    /// # Errors
    /// Whatever the function returns other than [`NtStatus::SUCCESS`].
    pub fn table(&mut self, family: AddressFamily) -> Result<Vec<Row>, NtStatus> {
        match self.enter(Function::Table, None) {
            Ok(()) => {}
            Err(NtStatus::SUCCESS) => return Ok(Vec::new()),
            Err(status) => return Err(status),
        }
        let families = Families::from_address_family(family).ok_or(NtStatus::INVALID_PARAMETER)?;
        if !self.settings.stacks.intersects(families) {
            return Err(NtStatus::NOT_SUPPORTED);
        }
        let wanted = |row: &Row| row.address.ip().is_some_and(|address| families.contains(Families::of(address)));
        // Backwards, which is the order of neither the driver nor a caller who sorts.
        let rows: Vec<_> = self.entries().rev().filter(wanted).map(with_unwritten_bytes).collect();
        if rows.is_empty() && self.settings.empty_table != NtStatus::SUCCESS {
            return Err(self.settings.empty_table);
        }
        Ok(rows)
    }

    /// A table was allocated at `address`, to be handed to the caller.
    pub fn table_allocated(&mut self, address: usize) {
        self.tables.allocated(address);
    }

    /// `FreeMibTable`. The host releases the memory only if this succeeds.
    ///
    /// # Errors
    /// There is no table at `address`; the misuse is counted.
    pub fn free_table(&mut self, address: usize) -> Result<(), TableMisuse> {
        self.count(Function::FreeTable);
        self.tables.freed(address)
    }

    /// `ConvertInterfaceIndexToLuid`.
    ///
    /// # Errors
    /// Whatever the function returns other than [`NtStatus::SUCCESS`]; the caller's LUID is set to zero then, as documented.
    pub fn luid_from_index(&mut self, index: u32) -> Result<Luid, NtStatus> {
        let luid = self.luids.get(&index).copied();
        match self.enter(Function::LuidFromIndex, luid) {
            Ok(()) => luid.ok_or(self.settings.unknown_interface_conversion),
            Err(NtStatus::SUCCESS) => Ok(Luid::UNSET),
            Err(status) => Err(status),
        }
    }

    /// `ConvertInterfaceLuidToIndex`.
    ///
    /// # Errors
    /// Whatever the function returns other than [`NtStatus::SUCCESS`]; the caller's index is set to zero then, as documented.
    pub fn index_from_luid(&mut self, luid: Luid) -> Result<u32, NtStatus> {
        let index = self.interfaces.get(&luid).map(|interface| interface.index);
        match self.enter(Function::IndexFromLuid, Some(luid)) {
            Ok(()) => index.ok_or(self.settings.unknown_interface_conversion),
            Err(NtStatus::SUCCESS) => Ok(0),
            Err(status) => Err(status),
        }
    }
}

impl Model {
    const fn count(&mut self, function: Function) {
        self.calls[function as usize] += 1;
    }

    /// Counts a call and lets the fault strike that is planned for it.
    fn enter(&mut self, function: Function, luid: Option<Luid>) -> Result<(), NtStatus> {
        self.count(function);
        self.faults.strike(function, luid).map_or(Ok(()), Err)
    }

    fn enter_for(&mut self, function: Function, row: &Row) -> Result<(), NtStatus> {
        let luid = self.luid_of(row);
        self.enter(function, luid)
    }
}

/// The row with something in the bytes that NetIO need not write: the padding, and what follows an IPv4 address. A caller who
/// passes them on gives away what was in the kernel's memory; with zeros nobody would notice.
fn with_unwritten_bytes(mut row: Row) -> Row {
    const UNWRITTEN: u8 = 0xC5;
    const IPV4_ADDRESS_LENGTH: usize = 4;
    row.padding.fill(UNWRITTEN);
    if row.address.family == AddressFamily::IPV4
        && let Some(rest) = row.address.data.get_mut(IPV4_ADDRESS_LENGTH..)
    {
        rest.fill(UNWRITTEN);
    }
    row
}

fn status(result: Result<(), NtStatus>) -> NtStatus {
    result.err().unwrap_or(NtStatus::SUCCESS)
}
