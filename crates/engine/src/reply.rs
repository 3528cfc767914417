//! Writing what a request returns: every byte of it, and not one more.

use netio_anycast_protocol::status::NtStatus;
use netio_anycast_protocol::table::TableHeader;
use netio_anycast_protocol::wait::Generation;
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
pub(crate) fn table<T: IntoBytes + Immutable>(
    output: &mut [u8],
    rows: impl Iterator<Item = T>,
    generation: Generation,
) -> Result<Completion, Mapped> {
    let Some((header, space)) = output.split_first_chunk_mut() else {
        return Err(Mapped::refused(NtStatus::BUFFER_TOO_SMALL));
    };
    let (mut written, mut count, mut total) = (0_usize, 0_u32, 0_u32);
    for row in rows {
        total = total.saturating_add(1);
        if row.write_to_prefix(space.get_mut(written..).unwrap_or_default()).is_ok() {
            written = written.saturating_add(size_of::<T>());
            count = count.saturating_add(1);
        }
    }
    Ok(end_table::<T>(header, count, total, generation))
}

/// Writes the header of a table whose first `count` rows are there, of `total`.
pub(crate) fn end_table<T>(
    header: &mut [u8; size_of::<TableHeader>()],
    count: u32,
    total: u32,
    generation: Generation,
) -> Completion {
    *header = transmute!(TableHeader { count, total, generation: generation.0 });
    let status = if count < total { NtStatus::BUFFER_OVERFLOW } else { NtStatus::SUCCESS };
    let rows = (count as usize).saturating_mul(size_of::<T>());
    Completion { status, information: rows.saturating_add(size_of::<TableHeader>()) }
}
