//! GET_TABLE.

use netio_anycast_protocol::operation::Operation;
use netio_anycast_protocol::row::Row;
use zerocopy::IntoBytes;

use crate::attempt::Attempt;
use crate::entry::{Entry, Selection, Table};
use crate::error::Error;
use crate::rows::{self, Rows};
use crate::transport::Transport;

/// Reads the table.
pub(crate) fn read(transport: &impl Transport, selection: Selection) -> Result<Table, Error> {
    let attempt = Attempt::GetTable(selection);
    let filter = selection.on_the_wire().ok_or_else(|| Error::unset_interface(&attempt))?;
    let Rows { generation, rows } = rows::read::<Row>(transport, &attempt, Operation::GetTable, filter.as_bytes())?;
    let entries = entries(selection, &rows).map_err(|detail| Error::malformed(&attempt, &detail))?;
    Ok(Table { entries, generation })
}

/// The rows as entries, held to the contract; the error says how they break it.
pub(crate) fn entries(selection: Selection, rows: &[Row]) -> Result<Vec<Entry>, String> {
    let entries = rows
        .iter()
        .map(|row| Entry::from_row(row).ok_or("it has an address that is neither IPv4 nor IPv6"))
        .collect::<Result<Vec<_>, _>>()?;
    if !rows.is_sorted_by(|left, right| left.table_order(right).is_le()) {
        return Err("its rows are not sorted".to_owned());
    }
    match entries.iter().find(|entry| !selection.admits(entry)) {
        Some(stranger) => Err(format!("{} on interface {} was not asked for", stranger.address, stranger.luid)),
        None => Ok(entries),
    }
}
