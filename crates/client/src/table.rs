//! GET_TABLE: a reply of unknown length, read with a buffer that grows.

use netio_anycast_protocol::operation::Operation;
use netio_anycast_protocol::row::Row;
use netio_anycast_protocol::table::TableHeader;
use zerocopy::{FromBytes, IntoBytes, transmute};

use crate::attempt::Attempt;
use crate::entry::{Entry, Selection, Table};
use crate::error::Error;
use crate::transport::{Returned, Transport};

/// The rows that the first attempt has room for.
const FIRST_ROOM: usize = 64;
/// The attempts to make before the table is taken to grow without end.
const ATTEMPTS: usize = 8;
/// More rows than this (192 MiB of them) are not believed.
const MOST_ROWS: usize = 1 << 22;

/// What one attempt brought.
enum Reply {
    Whole(Table),
    /// There are so many rows.
    More(usize),
}

/// Reads the table, asking again with more room while it does not fit.
pub(crate) fn read(transport: &impl Transport, selection: Selection) -> Result<Table, Error> {
    let attempt = Attempt::GetTable(selection);
    let filter = selection.on_the_wire().ok_or_else(|| Error::unset_interface(&attempt))?;
    let control_code = Operation::GetTable.definition().control_code();
    let mut buffer = Vec::new();
    let mut room = FIRST_ROOM;
    for _ in 0..ATTEMPTS {
        make_room(&attempt, &mut buffer, room)?;
        let returned = transport
            .control(control_code, filter.as_bytes(), &mut buffer)
            .map_err(|code| Error::refused(&attempt, code))?;
        match decode(selection, &buffer, returned).map_err(|detail| Error::malformed(&attempt, &detail))? {
            Reply::Whole(table) => return Ok(table),
            // A quarter more than there were, since addresses may be being added meanwhile.
            Reply::More(total) => room = total.saturating_add(total / 4).min(MOST_ROWS),
        }
    }
    Err(Error::grows_too_fast(&attempt, ATTEMPTS))
}

fn make_room(attempt: &Attempt, buffer: &mut Vec<u8>, rows: usize) -> Result<(), Error> {
    let length = size_of::<TableHeader>() + rows * size_of::<Row>();
    let additional = length.saturating_sub(buffer.len());
    buffer.try_reserve_exact(additional).map_err(|_| Error::no_memory(attempt))?;
    buffer.resize(length, 0);
    Ok(())
}

/// The reply, held to the contract; the error says how it breaks it.
fn decode(selection: Selection, buffer: &[u8], returned: Returned) -> Result<Reply, String> {
    let reply = buffer
        .get(..returned.length)
        .ok_or_else(|| format!("it is {} bytes long and the buffer has {}", returned.length, buffer.len()))?;
    let (header, rows) = TableHeader::read_from_prefix(reply)
        .map_err(|_| format!("it is {} bytes long, which is less than its header", reply.len()))?;
    let (rows, rest) = rows.as_chunks::<{ size_of::<Row>() }>();
    if !rest.is_empty() {
        return Err(format!("it is {} bytes long, which is no whole number of rows", reply.len()));
    }
    let (count, total) = (rows.len(), header.total as usize);
    if header.count as usize != count {
        return Err(format!("it counts {} rows and holds {count}", header.count));
    }
    if total > MOST_ROWS {
        return Err(format!("it says that there are {total} rows, more than can be"));
    }
    match (returned.more, total > count) {
        (true, true) => Ok(Reply::More(total)),
        (false, false) if total == count => entries(selection, rows, header.generation).map(Reply::Whole),
        _ => Err(format!("it holds {count} rows of {total}, which its status contradicts")),
    }
}

fn entries(selection: Selection, rows: &[[u8; size_of::<Row>()]], generation: u64) -> Result<Table, String> {
    let rows: Vec<Row> = rows.iter().map(|row| transmute!(*row)).collect();
    let entries = rows
        .iter()
        .map(|row| Entry::from_row(row).ok_or("it has an address that is neither IPv4 nor IPv6"))
        .collect::<Result<Vec<_>, _>>()?;
    if !rows.is_sorted_by(|left, right| left.table_order(right).is_le()) {
        return Err("its rows are not sorted".to_owned());
    }
    match entries.iter().find(|entry| !selection.admits(entry)) {
        Some(stranger) => Err(format!("{} on interface {} was not asked for", stranger.address, stranger.luid)),
        None => Ok(Table { entries, generation }),
    }
}
