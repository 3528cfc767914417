//! What the client's operations take and return.

use std::fmt;
use std::net::IpAddr;

use netio_anycast_protocol::address::{AddressFamily, Luid};
use netio_anycast_protocol::row::Row;
use netio_anycast_protocol::table::TableFilter;

/// An interface as the driver understands it.
///
/// Prefer the LUID where both are known: it survives a disabled and enabled interface, the index need not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum InterfaceId {
    /// By index. The driver refuses zero.
    Index(u32),
    /// By LUID. The driver refuses zero.
    Luid(Luid),
}

impl fmt::Display for InterfaceId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Index(index) => write!(formatter, "interface {index}"),
            Self::Luid(luid) => write!(formatter, "interface {luid}"),
        }
    }
}

/// IPv4 or IPv6.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Family {
    /// IPv4.
    Ipv4,
    /// IPv6.
    Ipv6,
}

impl Family {
    /// The family of `address`.
    #[must_use]
    pub const fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(_) => Self::Ipv4,
            IpAddr::V6(_) => Self::Ipv6,
        }
    }

    const fn on_the_wire(self) -> AddressFamily {
        match self {
            Self::Ipv4 => AddressFamily::IPV4,
            Self::Ipv6 => AddressFamily::IPV6,
        }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Ipv4 => "IPv4",
            Self::Ipv6 => "IPv6",
        })
    }
}

/// One anycast address on one interface, as the driver resolved it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Entry {
    /// The address.
    pub address: IpAddr,
    /// The interface, for good.
    pub luid: Luid,
    /// The interface's index at the moment.
    pub index: u32,
    /// The scope of the address: zone in the low 28 bits, level in the high 4.
    pub scope_id: u32,
}

impl Entry {
    /// The row as an entry, or `None` if its address is neither IPv4 nor IPv6.
    pub(crate) fn from_row(row: &Row) -> Option<Self> {
        let address = row.address.ip()?;
        Some(Self { address, luid: row.luid, index: row.index, scope_id: row.scope_id })
    }

    /// Whether the entry can be on that interface. An index proves nothing: it may have changed since it was given.
    pub(crate) fn may_be_on(&self, interface: InterfaceId) -> bool {
        match interface {
            InterfaceId::Index(_) => true,
            InterfaceId::Luid(luid) => self.luid == luid,
        }
    }
}

/// Which entries a table holds. The default is all of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Selection {
    /// Of this family only.
    pub family: Option<Family>,
    /// On this interface only.
    pub interface: Option<InterfaceId>,
}

impl Selection {
    /// Every entry.
    pub const ALL: Self = Self { family: None, interface: None };

    /// The filter as the driver takes it, or `None` for an interface that is zero: the driver would list all of them.
    pub(crate) fn on_the_wire(self) -> Option<TableFilter> {
        let mut filter = TableFilter::ALL;
        filter.family = self.family.map_or(AddressFamily::UNSPECIFIED, Family::on_the_wire);
        match self.interface {
            Some(InterfaceId::Index(0) | InterfaceId::Luid(Luid::UNSET)) => return None,
            Some(InterfaceId::Index(index)) => filter.index = index,
            Some(InterfaceId::Luid(luid)) => filter.luid = luid,
            None => {}
        }
        Some(filter)
    }

    pub(crate) fn admits(self, entry: &Entry) -> bool {
        self.family.is_none_or(|family| family == Family::of(entry.address))
            && self.interface.is_none_or(|interface| entry.may_be_on(interface))
    }
}

/// The anycast addresses that there are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// Sorted by LUID, family and address.
    pub entries: Vec<Entry>,
    /// The driver's generation before the table was read: a wait for changes from it misses nothing.
    pub generation: u64,
}

/// The row that names `address` on `interface`.
pub(crate) const fn row(address: IpAddr, interface: InterfaceId) -> Row {
    match interface {
        InterfaceId::Index(index) => Row::on_index(address, index),
        InterfaceId::Luid(luid) => Row::on_luid(address, luid),
    }
}
