//! What is measured: operations, with so many addresses there before.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

use clap::ValueEnum;
use netio_anycast_protocol::address::Luid;
use netio_anycast_protocol::apply::{ApplyAction, ApplyFlags, ApplyItem, ApplyReply, ApplyRequest, ItemOutcome};
use netio_anycast_protocol::create::{CreateRequest, DeleteRequest, Lifetime};
use netio_anycast_protocol::operation::Operation;
use netio_anycast_protocol::row::Row;
use netio_anycast_protocol::table::{TableFilter, TableHeader};
use netio_model::{Families, Interface};
use zerocopy::IntoBytes as _;

/// The interface on which all addresses are.
pub(crate) const INTERFACE: Interface =
    Interface { luid: Luid::new(6, 12), index: 12, families: Families::all(), scope_id: 3 };

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum OperationName {
    /// An unowned address.
    Create,
    Delete,
    Get,
    GetTable,
    /// CREATE with lifetime `handle`.
    Lease,
    /// DELETE of a lease.
    EndLease,
    /// APPLY of [`BATCH`] creations, atomic.
    Apply,
}

/// The items of a batch.
const BATCH: u32 = 1_000;

impl OperationName {
    pub(crate) const fn operation(self) -> Operation {
        match self {
            Self::Create | Self::Lease => Operation::Create,
            Self::Delete | Self::EndLease => Operation::Delete,
            Self::Get => Operation::Get,
            Self::GetTable => Operation::GetTable,
            Self::Apply => Operation::Apply,
        }
    }

    /// What a reader knows it by.
    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::Lease => "CREATE of a lease",
            Self::EndLease => "DELETE of a lease",
            Self::Apply => "APPLY, per item",
            plain => plain.operation().definition().name,
        }
    }

    /// Whether the drivers in C have it, too.
    pub(crate) const fn is_plain(self) -> bool {
        matches!(self, Self::Create | Self::Delete | Self::Get)
    }

    /// Whether what is there before are leases.
    pub(crate) const fn is_among_leases(self) -> bool {
        matches!(self, Self::Lease | Self::EndLease)
    }

    /// The operations that one request does.
    const fn in_one_request(self) -> u32 {
        if matches!(self, Self::Apply) { BATCH } else { 1 }
    }
}

/// One operation, with `present` addresses, or leases, there before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Case {
    pub(crate) operation: OperationName,
    pub(crate) present: u32,
}

const fn case(operation: OperationName, present: u32) -> Case {
    Case { operation, present }
}

/// Everything that is measured.
pub(crate) const CASES: [Case; 18] = [
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
    case(OperationName::Lease, 0),
    case(OperationName::Lease, 1_000),
    case(OperationName::Lease, 100_000),
    case(OperationName::EndLease, 0),
    case(OperationName::EndLease, 1_000),
    case(OperationName::EndLease, 100_000),
    case(OperationName::Apply, 0),
    case(OperationName::Apply, 100_000),
];

impl Case {
    /// How often a request is sent in one measurement.
    const fn rounds(self) -> u32 {
        match self.operation {
            OperationName::GetTable | OperationName::Apply => 4,
            _ => 200,
        }
    }

    /// How often the operation is done in one measurement.
    pub(crate) const fn operations(self) -> u32 {
        self.rounds() * self.operation.in_one_request()
    }

    /// The addresses that are there before, and that no round touches.
    pub(crate) fn bystanders(self) -> impl Iterator<Item = Row> {
        (0..self.present).map(|number| row(0x1_0000_0000 + u128::from(number)))
    }

    /// The addresses of each round, each another.
    pub(crate) fn targets(self) -> Vec<Vec<Row>> {
        let all: Vec<Row> = (0..self.operations()).map(|number| row(u128::from(number))).collect();
        all.chunks(self.operation.in_one_request() as usize).map(<[Row]>::to_vec).collect()
    }

    /// Whether the addresses of the rounds are there before.
    pub(crate) const fn targets_exist(self) -> bool {
        matches!(self.operation, OperationName::Delete | OperationName::EndLease | OperationName::Get)
    }

    /// The input of a round.
    pub(crate) fn input(self, targets: &[Row]) -> Vec<u8> {
        let create = |lifetime: Lifetime, row| CreateRequest { row, lifetime: lifetime as u32, flags: 0 };
        match (self.operation, targets) {
            (OperationName::Create, [row]) => create(Lifetime::Unowned, *row).as_bytes().to_vec(),
            (OperationName::Lease, [row]) => create(Lifetime::Handle, *row).as_bytes().to_vec(),
            (OperationName::Delete | OperationName::EndLease, [row]) => {
                DeleteRequest { row: *row, flags: 0, reserved: 0 }.as_bytes().to_vec()
            }
            (OperationName::Get, [row]) => row.as_bytes().to_vec(),
            (OperationName::GetTable, _) => TableFilter::ALL.as_bytes().to_vec(),
            _ => batch(targets, Lifetime::Unowned),
        }
    }

    /// The room for output: as much as there is output.
    pub(crate) const fn output_length(self) -> usize {
        match self.operation {
            OperationName::Create | OperationName::Lease | OperationName::Get => size_of::<Row>(),
            OperationName::Delete | OperationName::EndLease => 0,
            OperationName::Apply => outcomes_length(BATCH as usize),
            OperationName::GetTable => size_of::<TableHeader>() + self.present as usize * size_of::<Row>(),
        }
    }
}

impl fmt::Display for Case {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = if self.operation.is_among_leases() { "leases" } else { "addresses" };
        write!(formatter, "{} with {} {what} present", self.operation.title(), self.present)
    }
}

/// The input of an atomic APPLY that creates these addresses.
pub(crate) fn batch(rows: &[Row], lifetime: Lifetime) -> Vec<u8> {
    let count = u32::try_from(rows.len()).expect("a batch has few items");
    let mut input = ApplyRequest { flags: ApplyFlags::ATOMIC.bits(), count }.as_bytes().to_vec();
    for row in rows {
        let (action, lifetime) = (ApplyAction::Create as u32, lifetime as u32);
        input.extend(ApplyItem { row: *row, action, lifetime, flags: 0, reserved: 0 }.as_bytes());
    }
    input
}

/// The length of the output of an APPLY of so many items.
pub(crate) const fn outcomes_length(items: usize) -> usize {
    size_of::<ApplyReply>() + items * size_of::<ItemOutcome>()
}

fn row(number: u128) -> Row {
    const FIRST: u128 = 0x2001_0DB8 << 96 | 1;
    Row::on_luid(IpAddr::V6(Ipv6Addr::from_bits(FIRST + number)), INTERFACE.luid)
}
