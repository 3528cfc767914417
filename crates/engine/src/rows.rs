//! CREATE, DELETE and GET: one address on one interface.

use core::hint::cold_path;

use netio_anycast_protocol::address::Luid;
use netio_anycast_protocol::row::Row;
use netio_anycast_protocol::status::NtStatus;

use crate::engine::{Completion, Engine};
use crate::netio::Netio;
use crate::reply;
use crate::status_map::Mapped;
use crate::validate::{self, InterfaceName};

impl<N: Netio> Engine<N> {
    /// Creates an address; the output is the row as NetIO has it then.
    #[inline(always)]
    pub(crate) fn create(&self, mut row: Row, output: &mut [u8]) -> Result<Completion, Mapped> {
        let level = self.resolve(&mut row)?;
        succeeded(self.netio.create(level, &row))?;
        self.changed();
        self.describe(level, &mut row, output)
    }

    /// Deletes an address.
    #[inline(always)]
    pub(crate) fn delete(&self, mut row: Row) -> Result<Completion, Mapped> {
        let level = self.resolve(&mut row)?;
        succeeded(self.netio.delete(level, &row))?;
        self.changed();
        Ok(Completion::bare(NtStatus::SUCCESS))
    }

    /// Reads an address.
    #[inline(always)]
    pub(crate) fn get(&self, mut row: Row, output: &mut [u8]) -> Result<Completion, Mapped> {
        let level = self.resolve(&mut row)?;
        succeeded(self.netio.get(level, &mut row))?;
        row.clear_unused();
        reply::value(output, &row)
    }

    /// Makes of a caller's row the one that NetIO is called with: the address and the LUID, everything else zero.
    ///
    /// Returns the proof that NetIO may be called.
    #[inline(always)]
    fn resolve(&self, row: &mut Row) -> Result<N::PassiveLevel, Mapped> {
        validate::address(&row.address).map_err(Mapped::refused)?;
        row.clear_unused();
        let level = if row.luid.is_set() { self.passive_level()? } else { self.resolve_index(row)? };
        row.index = 0;
        row.scope_id = 0;
        Ok(level)
    }

    /// Puts the LUID into a row that names its interface by index alone.
    #[cold]
    fn resolve_index(&self, row: &mut Row) -> Result<N::PassiveLevel, Mapped> {
        validate::index(row.index).map_err(Mapped::refused)?;
        let level = self.passive_level()?;
        row.luid = self.luid_of(level, row.index)?;
        Ok(level)
    }

    /// The LUID of an interface.
    pub(crate) fn luid(&self, level: N::PassiveLevel, interface: InterfaceName) -> Result<Luid, Mapped> {
        match interface {
            InterfaceName::Luid(luid) => Ok(luid),
            InterfaceName::Index(index) => self.luid_of(level, index),
        }
    }

    /// The LUID of the interface with this index.
    fn luid_of(&self, level: N::PassiveLevel, index: u32) -> Result<Luid, Mapped> {
        match self.netio.luid_from_index(level, index) {
            // Handed on, it would mean "no interface given".
            Ok(Luid::UNSET) => Err(Mapped::refused(NtStatus::NOT_FOUND)),
            Ok(luid) => Ok(luid),
            Err(raw) => Err(Mapped::from_conversion(raw)),
        }
    }

    /// Writes a row that was just created, with the index and the scope that NetIO has for it. It may be gone again, and was
    /// created all the same: what can't be read is zero.
    #[inline(always)]
    fn describe(&self, level: N::PassiveLevel, row: &mut Row, output: &mut [u8]) -> Result<Completion, Mapped> {
        let (completion, reply) = reply::place(output, row)?;
        if self.netio.get(level, row) == NtStatus::SUCCESS {
            reply.update(|created| (created.index, created.scope_id) = (row.index, row.scope_id));
        } else {
            cold_path();
            reply.update(|created| created.index = self.netio.index_from_luid(level, created.luid).unwrap_or_default());
        }
        Ok(completion)
    }
}

/// Only STATUS_SUCCESS is success.
#[inline]
fn succeeded(raw: NtStatus) -> Result<(), Mapped> {
    match raw {
        NtStatus::SUCCESS => Ok(()),
        failure => {
            cold_path();
            Err(Mapped::from_netio(failure))
        }
    }
}
