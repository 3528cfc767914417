//! Writing what a request returns: every byte of it, and not one more.

use netio_anycast_protocol::row::Row;
use netio_anycast_protocol::status::NtStatus;
use netio_anycast_protocol::table::TableHeader;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unalign, transmute};

use crate::engine::Completion;
use crate::status_map::Mapped;

/// Ends a request with `value` as its whole output.
///
/// # Errors
/// [`NtStatus::BUFFER_TOO_SMALL`] if it does not fit, which the decoder has excluded.
#[inline]
pub(crate) fn value<T: IntoBytes + Immutable>(output: &mut [u8], value: &T) -> Result<Completion, Mapped> {
    match value.write_to_prefix(output) {
        Ok(()) => Ok(Completion { status: NtStatus::SUCCESS, information: size_of::<T>() }),
        Err(_) => Err(Mapped::refused(NtStatus::BUFFER_TOO_SMALL)),
    }
}

/// Ends a request with `value` as its whole output, which may be changed until the request is completed.
///
/// # Errors
/// As for [`value`].
#[inline]
pub(crate) fn place<'a, T>(output: &'a mut [u8], value: &T) -> Result<(Completion, &'a mut Unalign<T>), Mapped>
where
    T: FromBytes + IntoBytes + Immutable + KnownLayout + Copy,
{
    match Unalign::<T>::mut_from_prefix(output) {
        Ok((place, _)) => {
            place.set(*value);
            Ok((Completion { status: NtStatus::SUCCESS, information: size_of::<T>() }, place))
        }
        Err(_) => Err(Mapped::refused(NtStatus::BUFFER_TOO_SMALL)),
    }
}

/// Ends a request with a header and as many of `rows` as fit behind it, with the warning
/// [`NtStatus::BUFFER_OVERFLOW`] if they are not all.
///
/// # Errors
/// [`NtStatus::BUFFER_TOO_SMALL`] if not even the header fits, which the decoder has excluded.
pub(crate) fn table(output: &mut [u8], rows: impl Iterator<Item = Row>, generation: u64) -> Result<Completion, Mapped> {
    let Some((header, space)) = output.split_first_chunk_mut() else {
        return Err(Mapped::refused(NtStatus::BUFFER_TOO_SMALL));
    };
    let (slots, _too_short_for_a_row) = space.as_chunks_mut();
    let mut slots = slots.iter_mut();
    let mut count = 0_u32;
    let mut total = 0_u32;
    for row in rows {
        total = total.saturating_add(1);
        if let Some(slot) = slots.next() {
            *slot = row_bytes(row);
            count = count.saturating_add(1);
        }
    }
    *header = header_bytes(TableHeader { count, total, generation });
    let status = if count < total { NtStatus::BUFFER_OVERFLOW } else { NtStatus::SUCCESS };
    Ok(Completion { status, information: table_length(count) })
}

const fn row_bytes(row: Row) -> [u8; size_of::<Row>()] {
    transmute!(row)
}

const fn header_bytes(header: TableHeader) -> [u8; size_of::<TableHeader>()] {
    transmute!(header)
}

/// The length of a header and `count` rows.
const fn table_length(count: u32) -> usize {
    (count as usize).saturating_mul(size_of::<Row>()).saturating_add(size_of::<TableHeader>())
}
