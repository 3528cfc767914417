//! What the driver refuses before NetIO is asked.
//!
//! There is no public list of the addresses that NetIO refuses. The driver refuses those that are not unicast by
//! definition and leaves the rest (loopback, link-local, 240/4, IPv4-mapped) to the stack, which owns the decision.
//!
//! Source: <https://learn.microsoft.com/windows-hardware/drivers/network/createanycastipaddressentry>

use core::net::IpAddr;

use netio_anycast_protocol::address::{AddressFamily, Luid};
use netio_anycast_protocol::row::Row;
use netio_anycast_protocol::status::NtStatus;

/// How a caller named an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum InterfaceName {
    /// By LUID, which wins over an index.
    Luid(Luid),
    /// By index alone.
    Index(u32),
}

impl InterfaceName {
    /// The name in these two fields, or `None` if both are unset.
    pub(crate) const fn from_fields(luid: Luid, index: u32) -> Option<Self> {
        match (luid, index) {
            (Luid::UNSET, 0) => None,
            (Luid::UNSET, index) => Some(Self::Index(index)),
            (luid, _) => Some(Self::Luid(luid)),
        }
    }
}

/// The address and the interface that `row` names. Everything else in it is ignored: padding, port, flow information and
/// scope, which the interface determines.
///
/// # Errors
/// [`NtStatus::INVALID_PARAMETER`]: the address can't be unicast, or no interface is named.
pub(crate) fn row(row: &Row) -> Result<(IpAddr, InterfaceName), NtStatus> {
    let address = row.address.ip().filter(can_be_unicast).ok_or(NtStatus::INVALID_PARAMETER)?;
    let interface = InterfaceName::from_fields(row.luid, row.index).ok_or(NtStatus::INVALID_PARAMETER)?;
    Ok((address, interface))
}

/// The family that a table is asked for.
///
/// # Errors
/// [`NtStatus::INVALID_PARAMETER`]: neither IPv4 nor IPv6 nor both.
pub(crate) const fn table_family(family: AddressFamily) -> Result<AddressFamily, NtStatus> {
    match family {
        AddressFamily::UNSPECIFIED | AddressFamily::IPV4 | AddressFamily::IPV6 => Ok(family),
        _ => Err(NtStatus::INVALID_PARAMETER),
    }
}

fn can_be_unicast(address: &IpAddr) -> bool {
    let limited_broadcast = matches!(address, IpAddr::V4(address) if address.is_broadcast());
    !(address.is_unspecified() || address.is_multicast() || limited_broadcast)
}
