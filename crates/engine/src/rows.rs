//! CREATE, DELETE and GET: one address on one interface.

use netio_anycast_protocol::address::{Luid, SocketAddress};
use netio_anycast_protocol::row::Row;
use netio_anycast_protocol::status::NtStatus;

use crate::engine::Engine;
use crate::netio::Netio;
use crate::status_map::Mapped;
use crate::validate::{self, InterfaceName};

impl<N: Netio> Engine<N> {
    /// Creates an address; the row as NetIO has it then.
    pub(crate) fn create(&self, row: &Row) -> Result<Row, Mapped> {
        let created = self.resolve(row)?;
        succeeded(self.netio.create(&created))?;
        self.changed();
        Ok(self.describe(created))
    }

    /// Deletes an address.
    pub(crate) fn delete(&self, row: &Row) -> Result<(), Mapped> {
        succeeded(self.netio.delete(&self.resolve(row)?))?;
        self.changed();
        Ok(())
    }

    /// Reads an address.
    pub(crate) fn get(&self, row: &Row) -> Result<Row, Mapped> {
        let mut found = self.resolve(row)?;
        succeeded(self.netio.get(&mut found))?;
        Ok(clean(&found))
    }

    /// The LUID of an interface.
    pub(crate) fn luid(&self, interface: InterfaceName) -> Result<Luid, Mapped> {
        let index = match interface {
            InterfaceName::Luid(luid) => return Ok(luid),
            InterfaceName::Index(index) => index,
        };
        match self.netio.luid_from_index(index) {
            // Handed on, it would mean "no interface given".
            Ok(Luid::UNSET) => Err(Mapped::refused(NtStatus::NOT_FOUND)),
            Ok(luid) => Ok(luid),
            Err(raw) => Err(Mapped::from_conversion(raw)),
        }
    }

    /// The row that NetIO is called with: the address and the LUID of `row`, everything else zero.
    fn resolve(&self, row: &Row) -> Result<Row, Mapped> {
        let (address, interface) = validate::row(row).map_err(Mapped::refused)?;
        Ok(Row::on_luid(address, self.luid(interface)?))
    }

    /// What NetIO says of a row that was just created. It may be gone again, and was created all the same: what can't be
    /// read is zero.
    fn describe(&self, created: Row) -> Row {
        let index = self.netio.index_from_luid(created.luid).unwrap_or_default();
        let mut found = created;
        let scope_id = match self.netio.get(&mut found) {
            NtStatus::SUCCESS => found.scope_id,
            _ => 0,
        };
        Row { index, scope_id, ..created }
    }
}

/// A row as it goes out: what NetIO filled in, without the bytes that it may have left unwritten (padding, and what follows
/// an IPv4 address in the union).
pub(crate) fn clean(row: &Row) -> Row {
    let address = match row.address.ip() {
        Some(address) => SocketAddress::new(address),
        None => SocketAddress { family: row.address.family, port: [0; 2], data: [0; 24] },
    };
    Row { address, padding: [0; 4], luid: row.luid, index: row.index, scope_id: row.scope_id }
}

/// Only STATUS_SUCCESS is success.
fn succeeded(raw: NtStatus) -> Result<(), Mapped> {
    match raw {
        NtStatus::SUCCESS => Ok(()),
        failure => Err(Mapped::from_netio(failure)),
    }
}
