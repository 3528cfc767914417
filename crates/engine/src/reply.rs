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
    let mut table = Table::begin(output)?;
    rows.for_each(|row| table.push(&row));
    Ok(table.end(generation))
}

/// A table that is being written: a header, and the rows that fit behind it.
pub(crate) struct Table<'a> {
    header: &'a mut [u8; size_of::<TableHeader>()],
    space: &'a mut [u8],
    written: usize,
    count: u32,
    total: u32,
}

impl<'a> Table<'a> {
    /// A table without rows.
    ///
    /// # Errors
    /// As for [`table`].
    pub(crate) fn begin(output: &'a mut [u8]) -> Result<Self, Mapped> {
        let Some((header, space)) = output.split_first_chunk_mut() else {
            return Err(Mapped::refused(NtStatus::BUFFER_TOO_SMALL));
        };
        Ok(Self { header, space, written: 0, count: 0, total: 0 })
    }

    /// Whether there is room for a row of this type.
    pub(crate) fn has_room<T>(&self) -> bool {
        self.space.len().saturating_sub(self.written) >= size_of::<T>()
    }

    /// Writes a row if it fits, and counts it in any case.
    pub(crate) fn push<T: IntoBytes + Immutable>(&mut self, row: &T) {
        let place = self.space.get_mut(self.written..).unwrap_or_default();
        if row.write_to_prefix(place).is_ok() {
            self.written = self.written.saturating_add(size_of::<T>());
            self.count = self.count.saturating_add(1);
        }
        self.skip();
    }

    /// Counts a row that does not fit.
    pub(crate) const fn skip(&mut self) {
        self.total = self.total.saturating_add(1);
    }

    /// Writes the header.
    pub(crate) fn end(self, generation: Generation) -> Completion {
        let Self { header, written, count, total, .. } = self;
        *header = transmute!(TableHeader { count, total, generation: generation.0 });
        let status = if count < total { NtStatus::BUFFER_OVERFLOW } else { NtStatus::SUCCESS };
        Completion { status, information: written.saturating_add(size_of::<TableHeader>()) }
    }
}
