//! IP socket addresses and network interface identifiers, as `netioapi.h` and `ws2ipdef.h` lay them out.

use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// An address family, `ADDRESS_FAMILY` of `ws2def.h`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(transparent)]
pub struct AddressFamily(pub u16);

impl AddressFamily {
    /// `AF_UNSPEC`: both families, where a filter is meant; never the family of an address.
    pub const UNSPECIFIED: Self = Self(0);
    /// `AF_INET`: IPv4.
    pub const IPV4: Self = Self(2);
    /// `AF_INET6`: IPv6. 23 on Windows, whatever it is elsewhere.
    pub const IPV6: Self = Self(23);
}

impl fmt::Debug for AddressFamily {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::UNSPECIFIED => formatter.write_str("AF_UNSPEC"),
            Self::IPV4 => formatter.write_str("AF_INET"),
            Self::IPV6 => formatter.write_str("AF_INET6"),
            Self(other) => write!(formatter, "AF_{other}"),
        }
    }
}

/// A locally unique identifier of a network interface, `NET_LUID` of `ifdef.h`.
///
/// It stays the same when an interface is disabled and enabled, which its index need not. Zero means "not given".
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, FromBytes, IntoBytes, KnownLayout, Immutable,
)]
#[repr(transparent)]
pub struct Luid(pub u64);

impl Luid {
    /// Not given.
    pub const UNSET: Self = Self(0);

    /// The LUID of the interface number `index` among those of the IANA interface type `interface_type`
    /// (`NET_LUID.Info`: 24 reserved bits, 24 bits of index, 16 bits of type).
    #[must_use]
    pub const fn new(interface_type: u16, index: u32) -> Self {
        Self((interface_type as u64) << 48 | (index as u64 & 0x00FF_FFFF) << 24)
    }

    /// Whether the caller named an interface with it.
    #[must_use]
    pub const fn is_set(self) -> bool {
        self.0 != 0
    }
}

impl fmt::Display for Luid {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:#018x}", self.0)
    }
}

/// An IPv4 or IPv6 socket address, `SOCKADDR_INET` of `ws2ipdef.h`: 28 bytes, aligned to 4.
///
/// The bytes after the family are `sin_port` and `sin_addr` for IPv4; `sin6_port`, `sin6_flowinfo`, `sin6_addr` and
/// `sin6_scope_id` for IPv6.
#[derive(Clone, Copy, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C, align(4))]
pub struct SocketAddress {
    /// `si_family`.
    pub family: AddressFamily,
    /// `sin_port` or `sin6_port`, in network byte order. Anycast entries have none; it is ignored.
    pub port: [u8; 2],
    /// What follows the port; its meaning is the family's.
    pub data: [u8; 24],
}

impl SocketAddress {
    /// The socket address of `address`, port and scope zero.
    #[must_use]
    pub const fn new(address: IpAddr) -> Self {
        let mut data = [0; 24];
        let family = match address {
            IpAddr::V4(address) => {
                let (field, _) = data.split_at_mut(4);
                field.copy_from_slice(&address.octets());
                AddressFamily::IPV4
            }
            IpAddr::V6(address) => {
                let (_, after_flow_information) = data.split_at_mut(4);
                let (field, _) = after_flow_information.split_at_mut(16);
                field.copy_from_slice(&address.octets());
                AddressFamily::IPV6
            }
        };
        Self { family, port: [0; 2], data }
    }

    /// The IP address, or `None` if the family is neither IPv4 nor IPv6.
    #[must_use]
    pub fn ip(&self) -> Option<IpAddr> {
        self.ipv6().map(IpAddr::V6).or_else(|| self.ipv4().map(IpAddr::V4))
    }

    /// The IPv4 address, or `None` if the family is another.
    #[must_use]
    #[inline]
    pub fn ipv4(&self) -> Option<Ipv4Addr> {
        let octets = self.data.first_chunk::<4>()?;
        (self.family == AddressFamily::IPV4).then(|| Ipv4Addr::from(*octets))
    }

    /// The IPv6 address, or `None` if the family is another.
    #[must_use]
    #[inline]
    pub fn ipv6(&self) -> Option<Ipv6Addr> {
        let (_, after_flow_information) = self.data.split_first_chunk::<4>()?;
        let octets = after_flow_information.first_chunk::<16>()?;
        (self.family == AddressFamily::IPV6).then(|| Ipv6Addr::from(*octets))
    }

    /// Zeroes everything but the family and the address.
    #[inline]
    pub fn clear_unused(&mut self) {
        self.port = [0; 2];
        match self.family {
            AddressFamily::IPV6 => {
                let [f0, f1, f2, f3, _address @ .., s0, s1, s2, s3] = &mut self.data;
                let (flow_information, scope_id) = ([f0, f1, f2, f3], [s0, s1, s2, s3]);
                flow_information.into_iter().chain(scope_id).for_each(|byte| *byte = 0);
            }
            AddressFamily::IPV4 => {
                let [_, _, _, _, rest @ ..] = &mut self.data;
                *rest = [0; 20];
            }
            _ => self.data = [0; 24],
        }
    }
}

impl fmt::Debug for SocketAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.ip() {
            Some(address) => fmt::Debug::fmt(&address, formatter),
            None => formatter.debug_tuple("SocketAddress").field(&self.family).finish(),
        }
    }
}
