//! Where commands that try things out do that: an interface, and addresses that nobody uses.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use netio_anycast_client::{Client, InterfaceId, InterfaceName, NetworkInterface, Selection, Transport};

use crate::failure::{Failure, FailureKind};
use crate::platform::Platform;

/// An interface, and what is on it.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// As people know it.
    pub(super) name: String,
    pub(super) interface: InterfaceId,
    /// The addresses that it had when it was chosen.
    taken: BTreeSet<IpAddr>,
}

impl Place {
    /// The interface that was named, or one of the system's that the driver sees: the loopback interface before others, since
    /// nothing leaves the system there, and one that is up before one that is down.
    pub(super) fn choose<T: Transport>(
        platform: &dyn Platform,
        client: &Client<T>,
        named: Option<&InterfaceName>,
    ) -> Result<Self, Failure> {
        if let Some(name) = named {
            let interface = name.resolve(platform.interfaces())?;
            return Self::at(client, interface, name.to_string())
                .map_err(|error| Failure { what: format!("cannot use interface {name}"), ..error.into() });
        }
        let mut interfaces = platform.interfaces().all()?;
        interfaces.sort_by_key(|interface| (!interface.is_loopback(), !interface.is_up));
        let place = |NetworkInterface { luid, alias, .. }| Self::at(client, InterfaceId::Luid(luid), alias).ok();
        interfaces.into_iter().find_map(place).ok_or_else(|| {
            Failure::new(
                FailureKind::NotFound,
                "cannot choose an interface",
                "the driver sees none of the system's interfaces",
                "Name one with --interface",
            )
        })
    }

    fn at<T: Transport>(
        client: &Client<T>,
        interface: InterfaceId,
        name: String,
    ) -> Result<Self, netio_anycast_client::Error> {
        let table = client.table(Selection { family: None, interface: Some(interface) })?;
        Ok(Self { name, interface, taken: table.entries.into_iter().map(|entry| entry.address).collect() })
    }

    /// So many IPv4 addresses of those that the interface did not have, from these networks of 256 on.
    pub(super) fn ipv4(&self, networks: &[[u8; 3]]) -> impl Iterator<Item = IpAddr> {
        let hosts = networks.iter().flat_map(|&[a, b, c]| (1..=254).map(move |d| Ipv4Addr::new(a, b, c, d)));
        hosts.map(IpAddr::V4).filter(|address| !self.taken.contains(address))
    }

    /// IPv6 addresses of those that the interface did not have, from this one on.
    pub(super) fn ipv6(&self, first: Ipv6Addr) -> impl Iterator<Item = IpAddr> {
        let hosts = (first.to_bits()..).map(Ipv6Addr::from_bits);
        hosts.map(IpAddr::V6).filter(|address| !self.taken.contains(address))
    }
}
