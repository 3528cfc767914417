//! Network interfaces, as far as anycast addresses care.

use core::net::IpAddr;

use bitflags::bitflags;
use netio_anycast_protocol::address::{AddressFamily, Luid};
use thiserror::Error;

bitflags! {
    /// A set of address families: the stacks of the system, or those that are bound to an interface.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Families: u32 {
        /// IPv4.
        const IPV4 = 1 << 0;
        /// IPv6.
        const IPV6 = 1 << 1;
    }
}

impl Families {
    /// The family of an address.
    #[must_use]
    pub const fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(_) => Self::IPV4,
            IpAddr::V6(_) => Self::IPV6,
        }
    }

    /// The families that `family` names in a table request: one, or both for `AF_UNSPEC`; `None` for any other number.
    #[must_use]
    pub const fn from_address_family(family: AddressFamily) -> Option<Self> {
        match family {
            AddressFamily::UNSPECIFIED => Some(Self::all()),
            AddressFamily::IPV4 => Some(Self::IPV4),
            AddressFamily::IPV6 => Some(Self::IPV6),
            AddressFamily(_) => None,
        }
    }
}

/// A network interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interface {
    /// Its locally unique identifier: not zero, and of no other interface.
    pub luid: Luid,
    /// Its index: not zero, and of no other interface. May differ when the interface is added again.
    pub index: u32,
    /// The families that are bound to it.
    pub families: Families,
    /// The scope id of every address on it (`MIB_ANYCASTIPADDRESS_ROW.ScopeId`).
    pub scope_id: u32,
}

/// Why the interfaces can't be changed as asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TopologyError {
    /// LUID or index is zero, which means "not given".
    #[error("an interface needs a LUID and an index that are not zero")]
    Unset,
    /// Another interface has that LUID or that index.
    #[error("another interface has that LUID or that index")]
    InUse,
    /// No interface has that LUID.
    #[error("no interface has that LUID")]
    Unknown,
}
