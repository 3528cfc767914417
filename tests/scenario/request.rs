//! The inputs of requests, as a scenario writes them.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

use netio_anycast_protocol::address::{AddressFamily, Luid};
use netio_anycast_protocol::create::{CreateRequest, DeleteRequest};
use netio_anycast_protocol::row::Row;
use netio_anycast_protocol::table::TableFilter;
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

impl Input {
    /// Its bytes.
    ///
    /// # Panics
    /// If it names an interface that the scenario does not have.
    #[must_use]
    pub fn bytes(&self, scenario: &Scenario) -> Vec<u8> {
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
        }
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
        }
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
