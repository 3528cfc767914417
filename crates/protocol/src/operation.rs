//! The operation table: the only definition of what the driver can be asked.

use crate::apply::{ApplyItem, ApplyReply, ApplyRequest, ItemOutcome};
use crate::create::{CreateRequest, DeleteRequest};
use crate::lease::{LeaseFilter, LeaseRow};
use crate::row::Row;
use crate::statistics::Statistics;
use crate::table::{TableFilter, TableHeader};
use crate::version::{Features, Version};
use crate::wait::Generation;

/// The device type of the control codes, from the range that Microsoft leaves to others (0x8000 to 0xFFFF).
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/kernel/defining-i-o-control-codes>
pub const DEVICE_TYPE: u16 = 0x8ACA;
/// `METHOD_BUFFERED` of `winioctl.h`: the I/O manager copies input and output through one system buffer.
pub const METHOD_BUFFERED: u32 = 0;

/// What a caller may ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Operation {
    /// Versions, features and limits.
    QueryVersion,
    /// Adds an anycast address to an interface.
    Create,
    /// Removes an anycast address from an interface.
    Delete,
    /// Reads one anycast address of an interface.
    Get,
    /// Lists anycast addresses.
    GetTable,
    /// Creates and deletes many addresses in one request.
    Apply,
    /// Waits until the set of anycast addresses changes.
    WaitChange,
    /// Lists leases.
    ListLeases,
    /// Reads the driver's counters.
    QueryStatistics,
}

/// The access that a handle needs, in the control code's access bits. The I/O manager checks it against what the handle
/// was opened for before the driver sees the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Access {
    /// `FILE_READ_ACCESS`.
    Read = 1,
    /// `FILE_WRITE_ACCESS`.
    Write = 2,
}

/// The lengths, in bytes, that an operation's input or output may have: a fixed part, then whole rows of `row` bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Length {
    /// The fixed part. Zero if there is none.
    pub fixed: usize,
    /// The size of one of the rows that may follow it. Zero if none may.
    pub row: usize,
}

impl Length {
    const NONE: Self = Self { fixed: 0, row: 0 };

    const fn of<T>() -> Self {
        Self { fixed: size_of::<T>(), row: 0 }
    }

    const fn with_rows<T, R>() -> Self {
        Self { fixed: size_of::<T>(), row: size_of::<R>() }
    }

    /// Whether an input of `length` bytes is a fixed part and whole rows.
    #[must_use]
    #[inline]
    pub const fn accepts(self, length: usize) -> bool {
        match length.checked_sub(self.fixed) {
            Some(0) => true,
            Some(rest) => match rest.checked_rem(self.row) {
                Some(remainder) => remainder == 0,
                None => false,
            },
            None => false,
        }
    }
}

/// What the table says of one operation.
#[derive(Clone, Copy, Debug)]
pub struct Definition {
    /// Which operation.
    pub operation: Operation,
    /// Its name in documentation, logs and the C header.
    pub name: &'static str,
    /// The function number of its control code.
    pub function: u16,
    /// The access that the handle needs.
    pub access: Access,
    /// The lengths of input accepted.
    pub input: Length,
    /// The output: its fixed part must fit into the caller's buffer, rows travel as far as they fit.
    pub output: Length,
    /// The feature bit that a driver with this operation shows in [`Version::features`]; without it the operation is
    /// answered as an unknown control code is.
    pub feature: Features,
}

impl Definition {
    /// The control code, as the `CTL_CODE` macro composes it.
    #[must_use]
    pub const fn control_code(&self) -> u32 {
        control_code(self.access as u32, self.function)
    }
}

/// A control code of this device, as the `CTL_CODE` macro composes it.
pub(crate) const fn control_code(access: u32, function: u16) -> u32 {
    (DEVICE_TYPE as u32) << 16 | access << 14 | (function as u32) << 2 | METHOD_BUFFERED
}

/// Every operation, in the order of its function number and of [`Operation`]'s variants.
pub const OPERATIONS: [Definition; 9] = [
    Definition {
        operation: Operation::QueryVersion,
        name: "QUERY_VERSION",
        function: 0x800,
        access: Access::Read,
        input: Length::NONE,
        output: Length::of::<Version>(),
        feature: Features::ANYCAST,
    },
    Definition {
        operation: Operation::Create,
        name: "CREATE",
        function: 0x801,
        access: Access::Write,
        input: Length::of::<CreateRequest>(),
        output: Length::of::<Row>(),
        feature: Features::ANYCAST,
    },
    Definition {
        operation: Operation::Delete,
        name: "DELETE",
        function: 0x802,
        access: Access::Write,
        input: Length::of::<DeleteRequest>(),
        output: Length::NONE,
        feature: Features::ANYCAST,
    },
    Definition {
        operation: Operation::Get,
        name: "GET",
        function: 0x803,
        access: Access::Read,
        input: Length::of::<Row>(),
        output: Length::of::<Row>(),
        feature: Features::ANYCAST,
    },
    Definition {
        operation: Operation::GetTable,
        name: "GET_TABLE",
        function: 0x804,
        access: Access::Read,
        input: Length::of::<TableFilter>(),
        output: Length::with_rows::<TableHeader, Row>(),
        feature: Features::ANYCAST,
    },
    Definition {
        operation: Operation::Apply,
        name: "APPLY",
        function: 0x805,
        access: Access::Write,
        input: Length::with_rows::<ApplyRequest, ApplyItem>(),
        output: Length::with_rows::<ApplyReply, ItemOutcome>(),
        feature: Features::BATCHES,
    },
    Definition {
        operation: Operation::WaitChange,
        name: "WAIT_CHANGE",
        function: 0x806,
        access: Access::Read,
        input: Length::of::<Generation>(),
        output: Length::of::<Generation>(),
        feature: Features::CHANGE_WAITS,
    },
    Definition {
        operation: Operation::ListLeases,
        name: "LIST_LEASES",
        function: 0x807,
        access: Access::Read,
        input: Length::of::<LeaseFilter>(),
        output: Length::with_rows::<TableHeader, LeaseRow>(),
        feature: Features::LEASES,
    },
    Definition {
        operation: Operation::QueryStatistics,
        name: "QUERY_STATISTICS",
        function: 0x808,
        access: Access::Read,
        input: Length::NONE,
        output: Length::of::<Statistics>(),
        feature: Features::STATISTICS,
    },
];

impl Operation {
    /// The operation with this control code, or `None`: a code with other method, access or device bits is another code.
    #[must_use]
    #[inline]
    pub const fn from_control_code(control_code: u32) -> Option<Self> {
        const fn code(operation: Operation) -> u32 {
            operation.definition().control_code()
        }
        const QUERY_VERSION: u32 = code(Operation::QueryVersion);
        const CREATE: u32 = code(Operation::Create);
        const DELETE: u32 = code(Operation::Delete);
        const GET: u32 = code(Operation::Get);
        const GET_TABLE: u32 = code(Operation::GetTable);
        const APPLY: u32 = code(Operation::Apply);
        const WAIT_CHANGE: u32 = code(Operation::WaitChange);
        const LIST_LEASES: u32 = code(Operation::ListLeases);
        const QUERY_STATISTICS: u32 = code(Operation::QueryStatistics);
        // Constants rather than a search of the table: the compiler makes a few comparisons of them.
        Some(match control_code {
            QUERY_VERSION => Self::QueryVersion,
            CREATE => Self::Create,
            DELETE => Self::Delete,
            GET => Self::Get,
            GET_TABLE => Self::GetTable,
            APPLY => Self::Apply,
            WAIT_CHANGE => Self::WaitChange,
            LIST_LEASES => Self::ListLeases,
            QUERY_STATISTICS => Self::QueryStatistics,
            _ => return None,
        })
    }

    /// What the table says of it.
    #[must_use]
    #[inline]
    pub const fn definition(self) -> &'static Definition {
        const TABLE: &[Definition; 9] = &OPERATIONS;
        // The table is in the order of the variants (asserted below), so the index is always in it.
        &TABLE[self as usize]
    }
}

const _: () = {
    let mut position = 0;
    while position < OPERATIONS.len() {
        assert!(OPERATIONS[position].operation as usize == position);
        assert!(OPERATIONS[position].function as usize == 0x800 + position);
        position += 1;
    }
};
