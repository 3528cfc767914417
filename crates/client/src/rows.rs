//! Replies with rows, of unknown length: read with a buffer that grows.

use netio_anycast_protocol::operation::Operation;
use netio_anycast_protocol::table::TableHeader;
use zerocopy::FromBytes;

use crate::attempt::Attempt;
use crate::error::Error;
use crate::transport::{Returned, Transport};

/// The rows that the first attempt has room for.
const FIRST_ROOM: usize = 64;
/// The attempts to make before the table is taken to grow without end.
const ATTEMPTS: usize = 8;
/// More rows than this (192 MiB of a table's) are not believed.
const MOST_ROWS: usize = 1 << 22;

/// The whole of a table.
pub(crate) struct Rows<R> {
    pub(crate) generation: u64,
    pub(crate) rows: Vec<R>,
}

/// What one attempt brought.
enum Reply<R> {
    Whole(Rows<R>),
    /// There are so many rows.
    More(usize),
}

/// Reads all rows, asking again with more room while they do not fit.
pub(crate) fn read<R: FromBytes>(
    transport: &impl Transport,
    attempt: &Attempt,
    operation: Operation,
    input: &[u8],
) -> Result<Rows<R>, Error> {
    let control_code = operation.definition().control_code();
    let mut buffer = Vec::new();
    let mut room = FIRST_ROOM;
    for _ in 0..ATTEMPTS {
        make_room(attempt, &mut buffer, size_of::<TableHeader>() + room * size_of::<R>())?;
        let returned =
            transport.control(control_code, input, &mut buffer).map_err(|code| Error::refused(attempt, code))?;
        match decode(&buffer, returned).map_err(|detail| Error::malformed(attempt, &detail))? {
            Reply::Whole(rows) => return Ok(rows),
            // A quarter more than there were, since some may be being added meanwhile.
            Reply::More(total) => room = total.saturating_add(total / 4).min(MOST_ROWS),
        }
    }
    Err(Error::grows_too_fast(attempt, ATTEMPTS))
}

/// Makes the buffer at least so long.
pub(crate) fn make_room(attempt: &Attempt, buffer: &mut Vec<u8>, length: usize) -> Result<(), Error> {
    let additional = length.saturating_sub(buffer.len());
    buffer.try_reserve_exact(additional).map_err(|_| Error::no_memory(attempt))?;
    buffer.resize(length, 0);
    Ok(())
}

/// The reply, held to the contract; the error says how it breaks it.
fn decode<R: FromBytes>(buffer: &[u8], returned: Returned) -> Result<Reply<R>, String> {
    let reply = buffer
        .get(..returned.length)
        .ok_or_else(|| format!("it is {} bytes long and the buffer has {}", returned.length, buffer.len()))?;
    let (header, rows) = TableHeader::read_from_prefix(reply)
        .map_err(|_| format!("it is {} bytes long, which is less than its header", reply.len()))?;
    let rows = rows.chunks_exact(size_of::<R>());
    if !rows.remainder().is_empty() {
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
        (false, false) if total == count => {
            let rows = rows.map(R::read_from_bytes).collect::<Result<_, _>>();
            let rows = rows.map_err(|_| "its rows have another length".to_owned())?;
            Ok(Reply::Whole(Rows { generation: header.generation, rows }))
        }
        _ => Err(format!("it holds {count} rows of {total}, which its status contradicts")),
    }
}
