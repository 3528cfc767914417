//! A request as it comes off the wire: checked once against the operation table, then owned.

use core::hint::cold_path;

use zerocopy::FromBytes;

use crate::apply::{ApplyFlags, ApplyItem, ApplyReply, ApplyRequest, ItemOutcome};
use crate::create::{CreateFlags, CreateRequest, DeleteFlags, DeleteRequest, Lifetime};
use crate::lease::LeaseFilter;
use crate::operation::Operation;
use crate::row::Row;
use crate::status::NtStatus;
use crate::table::TableFilter;
use crate::wait::Generation;

/// A well-formed request. It owns what it holds, since input and output share one buffer; the items of a batch alone are still
/// in the buffer, and have to be copied before anything is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    /// QUERY_VERSION.
    QueryVersion,
    /// CREATE.
    Create {
        /// The address and the interface.
        row: Row,
        /// How long it stays.
        lifetime: Lifetime,
        /// How it is created.
        flags: CreateFlags,
    },
    /// DELETE.
    Delete {
        /// The address and the interface.
        row: Row,
        /// How it is deleted.
        flags: DeleteFlags,
    },
    /// GET.
    Get {
        /// The address and the interface.
        row: Row,
    },
    /// GET_TABLE.
    GetTable {
        /// Which rows.
        filter: TableFilter,
    },
    /// APPLY.
    Apply {
        /// How.
        flags: ApplyFlags,
        /// How many items [`items`] gives.
        count: u32,
    },
    /// WAIT_CHANGE.
    WaitChange {
        /// What the caller has seen.
        seen: Generation,
    },
    /// LIST_LEASES.
    ListLeases {
        /// Which leases.
        filter: LeaseFilter,
    },
    /// QUERY_STATISTICS.
    QueryStatistics,
}

impl Request {
    /// Reads the request of `operation` from the whole of `input`, and checks that the fixed part of the output fits into
    /// `output_length` bytes.
    ///
    /// # Errors
    /// In this order, and nothing has happened then:
    /// - [`NtStatus::INFO_LENGTH_MISMATCH`]: `input` is not exactly as long as the operation's input;
    /// - [`NtStatus::BUFFER_TOO_SMALL`]: the fixed part of the output does not fit, or not every outcome of a batch;
    /// - [`NtStatus::INVALID_PARAMETER`]: something reserved is not zero, a flag or lifetime is unknown, or a count is wrong.
    #[inline(always)]
    pub fn decode(operation: Operation, input: &[u8], output_length: usize) -> Result<Self, NtStatus> {
        let definition = operation.definition();
        if !definition.input.accepts(input.len()) {
            cold_path();
            return Err(NtStatus::INFO_LENGTH_MISMATCH);
        }
        if output_length < definition.output.fixed {
            cold_path();
            return Err(NtStatus::BUFFER_TOO_SMALL);
        }
        match operation {
            Operation::QueryVersion => Ok(Self::QueryVersion),
            Operation::Create => Self::create(read(input)?),
            Operation::Delete => Self::delete(read(input)?),
            Operation::Get => Ok(Self::Get { row: read(input)? }),
            Operation::GetTable => Self::get_table(read(input)?),
            Operation::Apply => Self::apply(input, output_length),
            Operation::WaitChange => Ok(Self::WaitChange { seen: read(input)? }),
            Operation::ListLeases => Self::list_leases(read(input)?),
            Operation::QueryStatistics => Ok(Self::QueryStatistics),
        }
    }

    #[inline(always)]
    fn create(request: CreateRequest) -> Result<Self, NtStatus> {
        let lifetime = Lifetime::from_wire(request.lifetime).ok_or(NtStatus::INVALID_PARAMETER)?;
        let flags = CreateFlags::from_bits(request.flags).ok_or(NtStatus::INVALID_PARAMETER)?;
        match lifetime {
            Lifetime::Unowned if flags.contains(CreateFlags::SHARED) => Err(NtStatus::INVALID_PARAMETER),
            Lifetime::Unowned | Lifetime::Handle => Ok(Self::Create { row: request.row, lifetime, flags }),
        }
    }

    #[inline(always)]
    fn delete(request: DeleteRequest) -> Result<Self, NtStatus> {
        if request.reserved != 0 {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        let flags = DeleteFlags::from_bits(request.flags).ok_or(NtStatus::INVALID_PARAMETER)?;
        Ok(Self::Delete { row: request.row, flags })
    }

    fn get_table(filter: TableFilter) -> Result<Self, NtStatus> {
        if filter.reserved != 0 {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        Ok(Self::GetTable { filter })
    }

    /// The outcomes have to fit before anything is done: a batch whose end nobody hears of would be half done.
    fn apply(input: &[u8], output_length: usize) -> Result<Self, NtStatus> {
        let (request, _) = ApplyRequest::read_from_prefix(input).map_err(|_| NtStatus::INFO_LENGTH_MISMATCH)?;
        let flags = ApplyFlags::from_bits(request.flags).ok_or(NtStatus::INVALID_PARAMETER)?;
        let count = request.count as usize;
        if items(input).len() != count {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        let outcomes = count.checked_mul(size_of::<ItemOutcome>()).ok_or(NtStatus::BUFFER_TOO_SMALL)?;
        let room = output_length.saturating_sub(size_of::<ApplyReply>());
        if room < outcomes {
            return Err(NtStatus::BUFFER_TOO_SMALL);
        }
        Ok(Self::Apply { flags, count: request.count })
    }

    fn list_leases(filter: LeaseFilter) -> Result<Self, NtStatus> {
        if filter.table.reserved != 0 || filter.reserved != 0 {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        Ok(Self::ListLeases { filter })
    }
}

/// The items of a batch in the input of APPLY, in their order, each as its bytes.
#[must_use]
pub fn items(input: &[u8]) -> &[[u8; size_of::<ApplyItem>()]] {
    let (items, _) = input.get(size_of::<ApplyRequest>()..).unwrap_or_default().as_chunks();
    items
}

/// The struct that fills `input`.
#[inline(always)]
fn read<T: FromBytes>(input: &[u8]) -> Result<T, NtStatus> {
    // The length was checked against the table, which takes it from `T`; should the two ever differ, this says so.
    T::read_from_bytes(input).map_err(|_| NtStatus::INFO_LENGTH_MISMATCH)
}
