//! What the driver refuses before NetIO is asked.
//!
//! There is no public list of the addresses that NetIO refuses. The driver refuses those that are not unicast by
//! definition and leaves the rest (loopback, link-local, 240/4, IPv4-mapped) to the stack, which owns the decision.
//!
//! Source: <https://learn.microsoft.com/windows-hardware/drivers/network/createanycastipaddressentry>

use core::hint::cold_path;

use netio_anycast_protocol::address::{AddressFamily, Luid, SocketAddress};
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

/// Refuses an address that is not unicast. Port, flow information and scope, which the interface determines, are ignored.
///
/// # Errors
/// [`NtStatus::INVALID_PARAMETER`]: the address can't be unicast.
#[inline]
pub(crate) fn address(address: &SocketAddress) -> Result<(), NtStatus> {
    if can_be_unicast(address) {
        return Ok(());
    }
    cold_path();
    Err(NtStatus::INVALID_PARAMETER)
}

/// Refuses the index that names no interface.
///
/// # Errors
/// [`NtStatus::INVALID_PARAMETER`]: no interface is named.
pub(crate) const fn index(index: u32) -> Result<(), NtStatus> {
    if index == 0 { Err(NtStatus::INVALID_PARAMETER) } else { Ok(()) }
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

#[inline]
fn can_be_unicast(address: &SocketAddress) -> bool {
    if let Some(address) = address.ipv6() {
        !(address.is_unspecified() || address.is_multicast())
    } else if let Some(address) = address.ipv4() {
        !(address.is_unspecified() || address.is_multicast() || address.is_broadcast())
    } else {
        false
    }
}
