//! What is measured: operations, with so many addresses there before.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

use clap::ValueEnum;
use netio_anycast_protocol::address::Luid;
use netio_anycast_protocol::create::{CreateRequest, DeleteRequest};
use netio_anycast_protocol::operation::Operation;
use netio_anycast_protocol::row::Row;
use netio_anycast_protocol::table::{TableFilter, TableHeader};
use netio_model::{Families, Interface};
use zerocopy::IntoBytes as _;

/// The interface on which all addresses are.
pub(crate) const INTERFACE: Interface =
    Interface { luid: Luid::new(6, 12), index: 12, families: Families::all(), scope_id: 3 };

/// The operations that the pass-through driver has, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum OperationName {
    Create,
    Delete,
    Get,
    GetTable,
}

impl OperationName {
    pub(crate) const fn operation(self) -> Operation {
        match self {
            Self::Create => Operation::Create,
            Self::Delete => Operation::Delete,
            Self::Get => Operation::Get,
            Self::GetTable => Operation::GetTable,
        }
    }
}

/// One operation, with `present` addresses there before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Case {
    pub(crate) operation: OperationName,
    pub(crate) present: u32,
}

const fn case(operation: OperationName, present: u32) -> Case {
    Case { operation, present }
}

/// Everything that is measured.
pub(crate) const CASES: [Case; 10] = [
    case(OperationName::Create, 0),
    case(OperationName::Create, 100_000),
    case(OperationName::Delete, 0),
    case(OperationName::Delete, 100_000),
    case(OperationName::Get, 0),
    case(OperationName::Get, 100_000),
    case(OperationName::GetTable, 0),
    case(OperationName::GetTable, 10),
    case(OperationName::GetTable, 1_000),
    case(OperationName::GetTable, 10_000),
];

impl Case {
    /// How often the operation is run in one measurement.
    pub(crate) const fn rounds(self) -> u32 {
        match self.operation {
            OperationName::GetTable => 4,
            _ => 200,
        }
    }

    /// The addresses that are there before, and that no round touches.
    pub(crate) fn bystanders(self) -> impl Iterator<Item = Row> {
        (0..self.present).map(|number| row(0x1_0000_0000 + u128::from(number)))
    }

    /// The addresses of the rounds, each another.
    pub(crate) fn targets(self) -> Vec<Row> {
        (0..self.rounds()).map(|number| row(u128::from(number))).collect()
    }

    /// Whether the addresses of the rounds are there before.
    pub(crate) const fn targets_exist(self) -> bool {
        matches!(self.operation, OperationName::Delete | OperationName::Get)
    }

    /// The input of the round for `row`.
    pub(crate) fn input(self, row: Row) -> Vec<u8> {
        match self.operation {
            OperationName::Create => CreateRequest { row, lifetime: 0, flags: 0 }.as_bytes().to_vec(),
            OperationName::Delete => DeleteRequest { row, flags: 0, reserved: 0 }.as_bytes().to_vec(),
            OperationName::Get => row.as_bytes().to_vec(),
            OperationName::GetTable => TableFilter::ALL.as_bytes().to_vec(),
        }
    }

    /// The room for output: as much as there is output.
    pub(crate) const fn output_length(self) -> usize {
        match self.operation {
            OperationName::Create | OperationName::Get => size_of::<Row>(),
            OperationName::Delete => 0,
            OperationName::GetTable => size_of::<TableHeader>() + self.present as usize * size_of::<Row>(),
        }
    }
}

impl fmt::Display for Case {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} with {} addresses present", self.operation.operation().definition().name, self.present)
    }
}

fn row(number: u128) -> Row {
    const FIRST: u128 = 0x2001_0DB8 << 96 | 1;
    Row::on_luid(IpAddr::V6(Ipv6Addr::from_bits(FIRST + number)), INTERFACE.luid)
}
