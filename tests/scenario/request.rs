//! The inputs of requests, as a scenario writes them.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

use netio_anycast_protocol::address::{AddressFamily, Luid};
use netio_anycast_protocol::apply::{ApplyAction, ApplyItem, ApplyRequest};
use netio_anycast_protocol::create::{CreateRequest, DeleteRequest};
use netio_anycast_protocol::lease::LeaseFilter;
use netio_anycast_protocol::row::Row;
use netio_anycast_protocol::table::TableFilter;
use netio_anycast_protocol::wait::Generation;
use serde::Deserialize;
use zerocopy::IntoBytes as _;

use super::{FamilyName, Scenario};

/// An input.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Input {
    /// No bytes.
    #[default]
    None,
    /// So many bytes, all with this value.
    Bytes(usize, u8),
    /// What CREATE takes.
    Create(Change),
    /// What DELETE takes.
    Delete(Change),
    /// What GET takes.
    Row(Place),
    /// What GET_TABLE takes.
    Filter(Filter),
    /// What LIST_LEASES takes.
    Leases(Leases),
    /// What APPLY takes.
    Batch(Batch),
    /// What WAIT_CHANGE takes.
    Generation(u64),
    /// The same: the generation that the sender was told last.
    GenerationSeen,
}

/// What an input may depend on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sender {
    /// The process that sends it.
    pub(super) process_id: u32,
    /// The generation that it was told last.
    pub(super) generation: Generation,
}

/// An address on an interface.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Place {
    /// The address; none is 0.0.0.0 of a family that there is not.
    address: Option<IpAddr>,
    /// The interface whose LUID the row has.
    luid: Option<String>,
    /// The index that the row has.
    #[serde(default)]
    index: u32,
    /// The row's scope id, which is ignored.
    #[serde(default)]
    scope_id: u32,
}

/// An address on an interface, and how it is created or deleted.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Change {
    /// Which.
    row: Place,
    /// CREATE's lifetime; DELETE's reserved field.
    #[serde(default)]
    lifetime: u32,
    /// The flags.
    #[serde(default)]
    flags: u32,
}

/// The rows of a table.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Filter {
    #[serde(default)]
    family: FamilyName,
    #[serde(default)]
    reserved: u16,
    #[serde(default)]
    index: u32,
    luid: Option<String>,
}

/// Some leases.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Leases {
    #[serde(default)]
    family: FamilyName,
    luid: Option<String>,
    /// Those that the process which sends this has created, alone.
    #[serde(default)]
    own: bool,
    #[serde(default)]
    reserved: u32,
}

/// Creations and deletions.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Batch {
    #[serde(default)]
    flags: u32,
    /// What the count is too high by.
    #[serde(default)]
    miscounted: u32,
    items: Vec<Item>,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) enum Item {
    /// As CREATE.
    Create(Change),
    /// As DELETE.
    Delete(Change),
    /// An action that there is not.
    Unknown(Change),
}

impl Input {
    /// Its bytes.
    ///
    /// # Panics
    /// If it names an interface that the scenario does not have.
    pub(super) fn bytes(&self, scenario: &Scenario, sender: Sender) -> Vec<u8> {
        match self {
            Self::None => Vec::new(),
            Self::Bytes(length, value) => vec![*value; *length],
            Self::Create(Change { row, lifetime, flags }) => {
                CreateRequest { row: row.row(scenario), lifetime: *lifetime, flags: *flags }.as_bytes().to_vec()
            }
            Self::Delete(Change { row, lifetime, flags }) => {
                DeleteRequest { row: row.row(scenario), flags: *flags, reserved: *lifetime }.as_bytes().to_vec()
            }
            Self::Row(place) => place.row(scenario).as_bytes().to_vec(),
            Self::Filter(filter) => filter.filter(scenario).as_bytes().to_vec(),
            Self::Leases(Leases { family, luid: name, own, reserved }) => {
                let (family, luid) = (family.address_family(), luid(scenario, name.as_deref()));
                let table = TableFilter { family, luid, ..TableFilter::ALL };
                let process_id = if *own { sender.process_id } else { 0 };
                LeaseFilter { table, process_id, reserved: *reserved }.as_bytes().to_vec()
            }
            Self::Batch(Batch { flags, miscounted, items }) => {
                let count = u32::try_from(items.len()).unwrap_or(u32::MAX).wrapping_add(*miscounted);
                let items: Vec<ApplyItem> = items.iter().map(|item| item.item(scenario)).collect();
                [ApplyRequest { flags: *flags, count }.as_bytes(), items.as_bytes()].concat()
            }
            Self::Generation(generation) => Generation(*generation).as_bytes().to_vec(),
            Self::GenerationSeen => sender.generation.as_bytes().to_vec(),
        }
    }
}

impl Item {
    fn item(&self, scenario: &Scenario) -> ApplyItem {
        let (action, change) = match self {
            Self::Create(change) => (ApplyAction::Create as u32, change),
            Self::Delete(change) => (ApplyAction::Delete as u32, change),
            Self::Unknown(change) => (u32::MAX, change),
        };
        let Change { row, lifetime, flags } = change;
        ApplyItem { row: row.row(scenario), action, lifetime: *lifetime, flags: *flags, reserved: 0 }
    }
}

impl Place {
    fn row(&self, scenario: &Scenario) -> Row {
        let address = self.address.unwrap_or(Ipv4Addr::UNSPECIFIED.into());
        let mut row = Row::on_luid(address, luid(scenario, self.luid.as_deref()));
        if self.address.is_none() {
            row.address.family = AddressFamily(0xFFFF);
        }
        Row { index: self.index, scope_id: self.scope_id, ..row }
    }
}

impl Filter {
    fn filter(&self, scenario: &Scenario) -> TableFilter {
        TableFilter {
            family: self.family.address_family(),
            reserved: self.reserved,
            index: self.index,
            luid: luid(scenario, self.luid.as_deref()),
        }
    }
}

fn luid(scenario: &Scenario, name: Option<&str>) -> Luid {
    name.map_or(Luid::UNSET, |name| scenario.interface(name).luid)
}

/// The input as a transcript shows it: what differs from zero.
impl fmt::Display for Input {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => formatter.write_str("no input"),
            Self::Bytes(length, value) => write!(formatter, "{length} bytes of {value:#04x}"),
            Self::Create(Change { row, lifetime, flags }) => {
                write!(formatter, "{row}")?;
                not_zero(formatter, "lifetime", *lifetime)?;
                not_zero(formatter, "flags", *flags)
            }
            Self::Delete(Change { row, lifetime, flags }) => {
                write!(formatter, "{row}")?;
                not_zero(formatter, "reserved", *lifetime)?;
                not_zero(formatter, "flags", *flags)
            }
            Self::Row(place) => write!(formatter, "{place}"),
            Self::Filter(Filter { family, reserved, index, luid }) => {
                write!(formatter, "family {family:?}")?;
                given(formatter, "luid", luid.as_deref())?;
                not_zero(formatter, "index", *index)?;
                not_zero(formatter, "reserved", (*reserved).into())
            }
            Self::Leases(Leases { family, luid, own, reserved }) => {
                write!(formatter, "family {family:?}")?;
                given(formatter, "luid", luid.as_deref())?;
                formatter.write_str(if *own { " of its own" } else { "" })?;
                not_zero(formatter, "reserved", *reserved)
            }
            Self::Batch(Batch { flags, miscounted, items }) => {
                write!(formatter, "{} items", items.len())?;
                not_zero(formatter, "flags", *flags)?;
                not_zero(formatter, "miscounted by", *miscounted)?;
                items.iter().try_for_each(|item| write!(formatter, "; {item}"))
            }
            Self::Generation(generation) => write!(formatter, "generation {generation}"),
            Self::GenerationSeen => formatter.write_str("the generation seen"),
        }
    }
}

impl fmt::Display for Item {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (action, Change { row, lifetime, flags }) = match self {
            Self::Create(change) => ("create", change),
            Self::Delete(change) => ("delete", change),
            Self::Unknown(change) => ("do something unknown with", change),
        };
        write!(formatter, "{action} {row}")?;
        not_zero(formatter, "lifetime", *lifetime)?;
        not_zero(formatter, "flags", *flags)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.address {
            Some(address) => write!(formatter, "{address}")?,
            None => formatter.write_str("an address of no family")?,
        }
        given(formatter, "luid", self.luid.as_deref())?;
        not_zero(formatter, "index", self.index)?;
        not_zero(formatter, "scope", self.scope_id)
    }
}

fn given(formatter: &mut fmt::Formatter<'_>, name: &str, value: Option<&str>) -> fmt::Result {
    value.map_or(Ok(()), |value| write!(formatter, " {name} {value}"))
}

fn not_zero(formatter: &mut fmt::Formatter<'_>, name: &str, value: u32) -> fmt::Result {
    if value == 0 { Ok(()) } else { write!(formatter, " {name} {value:#x}") }
}
