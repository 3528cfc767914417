//! GET_TABLE: the anycast addresses that are there.

use netio_anycast_protocol::address::Luid;
use netio_anycast_protocol::row::Row;
use netio_anycast_protocol::status::NtStatus;
use netio_anycast_protocol::table::TableFilter;

use crate::engine::{Caller, Completion, Engine};
use crate::kernel::Kernel;
use crate::netio::Netio;
use crate::status_map::Mapped;
use crate::validate::{self, InterfaceName};
use crate::{reply, sort};

impl<N: Netio, K: Kernel> Engine<N, K> {
    /// Writes the addresses that `filter` lets through: sorted, as many as fit, with the number there are.
    // Apart from the operations on one row, which would have to save more registers.
    #[inline(never)]
    pub(crate) fn get_table(
        &self,
        caller: Caller<N>,
        filter: &TableFilter,
        output: &mut [u8],
    ) -> Result<Completion, Mapped> {
        let family = validate::table_family(filter.family).map_err(Mapped::refused)?;
        let interface = self.interface_filter(caller.level, filter)?;
        let look = self.begin_look();
        let mut table = match self.netio.table(caller.level, family) {
            Ok(table) => Some(table),
            // The documentation's way to say that there are no addresses; NetIO is also known to return an empty table.
            Err(NtStatus::NOT_FOUND) => None,
            Err(raw) => return Err(Mapped::from_netio(raw)),
        };
        let rows = table.as_mut().map(AsMut::as_mut).unwrap_or_default();
        let generation = self.end_look(look, family, rows);
        sort::sort_by(rows, Row::table_order);
        let listed = rows.iter().filter(|row| interface.is_none_or(|luid| row.luid == luid)).copied().map(clean);
        reply::table(output, listed, generation)
    }

    /// The one interface that is asked for, if it is one. An interface that does not exist is not found rather than empty, so
    /// that a wrong name is noticed.
    pub(crate) fn interface_filter(
        &self,
        level: N::PassiveLevel,
        filter: &TableFilter,
    ) -> Result<Option<Luid>, Mapped> {
        match InterfaceName::from_fields(filter.luid, filter.index) {
            None => Ok(None),
            Some(InterfaceName::Luid(luid)) => match self.netio.index_from_luid(level, luid) {
                Ok(_) => Ok(Some(luid)),
                Err(raw) => Err(Mapped::from_conversion(raw)),
            },
            Some(index) => self.luid(level, index).map(Some),
        }
    }
}

/// A row as it goes out: what NetIO filled in, without the bytes that it may have left unwritten.
fn clean(mut row: Row) -> Row {
    row.clear_unused();
    row
}
