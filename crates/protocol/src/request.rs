//! A request as it comes off the wire: checked once against the operation table, then owned.

use core::hint::cold_path;

use zerocopy::FromBytes;

use crate::create::{CreateFlags, CreateRequest, DeleteFlags, DeleteRequest, Lifetime};
use crate::operation::Operation;
use crate::row::Row;
use crate::status::NtStatus;
use crate::table::TableFilter;
use crate::version::Features;

/// A well-formed request. It owns what it holds, since input and output share one buffer.
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
    /// QUERY_STATISTICS.
    QueryStatistics,
}

/// The features of the contract whose requests [`Request::decode`] reads.
pub const DECODED: Features = Features::ANYCAST.union(Features::STATISTICS);

impl Request {
    /// Reads the request of `operation` from the whole of `input`, and checks that the fixed part of the output fits into
    /// `output_length` bytes.
    ///
    /// # Errors
    /// In this order, and nothing has happened then:
    /// - [`NtStatus::INVALID_DEVICE_REQUEST`]: the operation is of a feature that is not in [`DECODED`];
    /// - [`NtStatus::INFO_LENGTH_MISMATCH`]: `input` is not exactly as long as the operation's input;
    /// - [`NtStatus::BUFFER_TOO_SMALL`]: the fixed part of the output does not fit;
    /// - [`NtStatus::INVALID_PARAMETER`]: something reserved is not zero, or a flag or lifetime is unknown.
    #[inline(always)]
    pub fn decode(operation: Operation, input: &[u8], output_length: usize) -> Result<Self, NtStatus> {
        let definition = operation.definition();
        if !DECODED.contains(definition.feature) {
            return Err(NtStatus::INVALID_DEVICE_REQUEST);
        }
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
            Operation::QueryStatistics => Ok(Self::QueryStatistics),
            Operation::Apply | Operation::WaitChange | Operation::ListLeases => Err(NtStatus::INVALID_DEVICE_REQUEST),
        }
    }

    #[inline(always)]
    fn create(request: CreateRequest) -> Result<Self, NtStatus> {
        let lifetime = Lifetime::from_wire(request.lifetime).ok_or(NtStatus::INVALID_PARAMETER)?;
        let flags = CreateFlags::from_bits(request.flags).ok_or(NtStatus::INVALID_PARAMETER)?;
        let leases = DECODED.contains(Features::LEASES);
        match lifetime {
            Lifetime::Unowned if flags.contains(CreateFlags::SHARED) => Err(NtStatus::INVALID_PARAMETER),
            Lifetime::Handle if !leases => Err(NtStatus::INVALID_PARAMETER),
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
}

/// The struct that fills `input`.
#[inline(always)]
fn read<T: FromBytes>(input: &[u8]) -> Result<T, NtStatus> {
    // The length was checked against the table, which takes it from `T`; should the two ever differ, this says so.
    T::read_from_bytes(input).map_err(|_| NtStatus::INFO_LENGTH_MISMATCH)
}
