//! Replies with rows, of unknown length: read with a buffer that grows.

use alloc::vec::Vec;
use core::marker::PhantomData;
use core::ops::Deref;

use netio_anycast_protocol::operation::Operation;
use netio_anycast_protocol::status::NtStatus;
use netio_anycast_protocol::table::TableHeader;
use zerocopy::{FromBytes, FromZeros, Immutable, IntoBytes, KnownLayout};

use crate::error::Error;
use crate::transport::{Reply, Transport};

/// The rows that the first attempt has room for.
const FIRST_ROOM: usize = 64;
/// The attempts to make before the table is taken to grow without end.
const ATTEMPTS: u32 = 8;
/// More rows than this are not believed: two million (96 MiB of a table's) are more than any stack has.
const MOST_ROWS: usize = 1 << 21;

/// Rows as the driver returned them, sorted by LUID, family and address.
#[derive(Debug)]
pub struct Rows<R> {
    /// A header, and rows; as many bytes as [`check`] has found right.
    reply: Buffer,
    length: usize,
    of: PhantomData<R>,
}

impl<R> Rows<R> {
    /// The driver's generation before the rows were read: a wait for changes from there misses none.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.header().map_or(0, |header| header.generation)
    }

    fn header(&self) -> Option<&TableHeader> {
        let reply = self.reply.bytes().get(..self.length)?;
        Some(TableHeader::ref_from_prefix(reply).ok()?.0)
    }
}

impl<R: FromBytes + KnownLayout + Immutable> Deref for Rows<R> {
    type Target = [R];

    fn deref(&self) -> &[R] {
        let rows = self.reply.bytes().get(size_of::<TableHeader>()..self.length);
        rows.and_then(|rows| <[R]>::ref_from_bytes(rows).ok()).unwrap_or(&[])
    }
}

/// Memory for a request or a reply, aligned as every struct of the contract needs.
#[derive(Debug)]
pub(crate) struct Buffer {
    words: Vec<u64>,
}

impl Buffer {
    /// Zeroed memory of at least so many bytes.
    pub(crate) fn zeroed(length: usize) -> Result<Self, Error> {
        let words = u64::new_vec_zeroed(length.div_ceil(size_of::<u64>())).map_err(|_| Error::NO_MEMORY)?;
        Ok(Self { words })
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        self.words.as_bytes()
    }

    pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
        self.words.as_mut_bytes()
    }
}

/// Reads all rows, asking again with more room while they do not fit.
pub(crate) fn read<R: FromBytes + KnownLayout + Immutable>(
    transport: &impl Transport,
    operation: Operation,
    input: &[u8],
) -> Result<Rows<R>, Error> {
    let control_code = operation.definition().control_code();
    let mut room = FIRST_ROOM;
    for _ in 0..ATTEMPTS {
        let length = room.saturating_mul(size_of::<R>()).saturating_add(size_of::<TableHeader>());
        let mut buffer = Buffer::zeroed(length)?;
        let reply = transport.control(control_code, input, buffer.bytes_mut());
        match check(reply, buffer.bytes(), size_of::<R>())? {
            Extent::Whole => return Ok(Rows { reply: buffer, length: reply.length, of: PhantomData }),
            // A quarter more than there were, since some may be being added meanwhile.
            Extent::More(total) => room = total.saturating_add(total / 4).min(MOST_ROWS),
        }
    }
    Err(Error::GrowsTooFast)
}

/// How much of the rows a reply has.
enum Extent {
    /// All.
    Whole,
    /// There are so many in all.
    More(usize),
}

/// Holds a reply to the contract.
fn check(reply: Reply, buffer: &[u8], row: usize) -> Result<Extent, Error> {
    let more = match reply.status {
        NtStatus::SUCCESS => false,
        NtStatus::BUFFER_OVERFLOW => true,
        failure => return Err(Error::Status(failure)),
    };
    let written = buffer.get(..reply.length).ok_or(Error::Malformed)?;
    let (header, rows) = TableHeader::ref_from_prefix(written).map_err(|_| Error::Malformed)?;
    let (count, total) = (header.count as usize, header.total as usize);
    if count.checked_mul(row) != Some(rows.len()) || total > MOST_ROWS {
        return Err(Error::Malformed);
    }
    match (more, total > count) {
        (true, true) => Ok(Extent::More(total)),
        (false, false) if total == count => Ok(Extent::Whole),
        _ => Err(Error::Malformed),
    }
}
