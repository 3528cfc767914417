//! The row that names one anycast address on one interface.

use core::cmp::Ordering;
use core::net::IpAddr;

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::address::{Luid, SocketAddress};

/// One anycast address on one interface: `MIB_ANYCASTIPADDRESS_ROW` of `netioapi.h`, byte for byte (48 bytes, aligned to 8).
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/network/mib-anycastipaddress-row>
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct Row {
    /// The unicast-shaped address that is to be anycast.
    pub address: SocketAddress,
    /// Ignored coming in (a C caller need not clear it), zero going out.
    pub padding: [u8; 4],
    /// The interface. When it is set, [`index`](Self::index) is ignored.
    pub luid: Luid,
    /// The interface by index, used when [`luid`](Self::luid) is not set. Zero means "not given".
    pub index: u32,
    /// The scope of the address, determined by the interface: ignored coming in, filled in going out.
    pub scope_id: u32,
}

impl Row {
    /// `address` on an interface that is named by its LUID.
    #[must_use]
    pub const fn on_luid(address: IpAddr, luid: Luid) -> Self {
        Self { address: SocketAddress::new(address), padding: [0; 4], luid, index: 0, scope_id: 0 }
    }

    /// `address` on an interface that is named by its index.
    #[must_use]
    pub const fn on_index(address: IpAddr, index: u32) -> Self {
        Self { address: SocketAddress::new(address), padding: [0; 4], luid: Luid::UNSET, index, scope_id: 0 }
    }

    /// Zeroes the bytes that mean nothing: the padding, and what [`SocketAddress::clear_unused`] does in the address.
    #[inline]
    pub fn clear_unused(&mut self) {
        self.address.clear_unused();
        self.padding = [0; 4];
    }

    /// The order in which tables are returned: by LUID, then family, then address.
    #[must_use]
    pub fn table_order(&self, other: &Self) -> Ordering {
        self.luid
            .cmp(&other.luid)
            .then_with(|| self.address.family.cmp(&other.address.family))
            .then_with(|| self.address.ip().cmp(&other.address.ip()))
    }
}

const _: () = {
    assert!(size_of::<SocketAddress>() == 28 && align_of::<SocketAddress>() == 4);
    assert!(size_of::<Row>() == 48 && align_of::<Row>() == 8);
    assert!(core::mem::offset_of!(Row, luid) == 32);
    assert!(core::mem::offset_of!(Row, index) == 40);
    assert!(core::mem::offset_of!(Row, scope_id) == 44);
};
