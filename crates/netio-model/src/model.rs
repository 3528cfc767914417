//! The model itself.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use netio_anycast_protocol::address::{Luid, SocketAddress};
use netio_anycast_protocol::row::Row;
use netio_anycast_protocol::status::NtStatus;

use crate::fault::{Fault, Faults};
use crate::function::Function;
use crate::interface::{Families, Interface, TopologyError};
use crate::settings::Settings;
use crate::tables::Tables;

mod services;

/// NetIO with its interfaces and anycast addresses.
///
/// It is plain data: a host that serves several threads puts it behind a lock of its own.
#[derive(Clone, Debug, Default)]
pub struct Model {
    settings: Settings,
    interfaces: BTreeMap<Luid, Interface>,
    luids: BTreeMap<u32, Luid>,
    entries: BTreeSet<(Luid, IpAddr)>,
    faults: Faults,
    calls: [u64; Function::ALL.len()],
    tables: Tables,
}

/// What a test arranges and reads.
impl Model {
    /// A system with both stacks and no interface.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Forgets everything but the tables that are still to be freed: their owners have them yet.
    pub fn reset(&mut self) {
        *self = Self { tables: self.tables.forget_misuse(), ..Self::default() };
    }

    /// How it behaves where the documentation leaves that open.
    #[must_use]
    pub const fn settings(&self) -> Settings {
        self.settings
    }

    /// Changes that. A stack that goes takes its addresses along.
    pub fn configure(&mut self, settings: Settings) {
        self.settings = settings;
        self.entries.retain(|(_, address)| settings.stacks.contains(Families::of(*address)));
    }

    /// Adds an interface.
    ///
    /// # Errors
    /// [`TopologyError::Unset`] and [`TopologyError::InUse`].
    pub fn add_interface(&mut self, interface: Interface) -> Result<(), TopologyError> {
        if !interface.luid.is_set() || interface.index == 0 {
            return Err(TopologyError::Unset);
        }
        if self.interfaces.contains_key(&interface.luid) || self.luids.contains_key(&interface.index) {
            return Err(TopologyError::InUse);
        }
        self.interfaces.insert(interface.luid, interface);
        self.luids.insert(interface.index, interface.luid);
        Ok(())
    }

    /// Removes an interface and the addresses on it. It may be added again, with another index.
    ///
    /// # Errors
    /// [`TopologyError::Unknown`].
    pub fn remove_interface(&mut self, luid: Luid) -> Result<(), TopologyError> {
        let interface = self.interfaces.remove(&luid).ok_or(TopologyError::Unknown)?;
        self.luids.remove(&interface.index);
        let addresses: Vec<_> = self.entries.range(every_address_on(luid)).copied().collect();
        for entry in addresses {
            self.entries.remove(&entry);
        }
        Ok(())
    }

    /// The interface with that LUID.
    #[must_use]
    pub fn interface(&self, luid: Luid) -> Option<&Interface> {
        self.interfaces.get(&luid)
    }

    /// The number of interfaces.
    #[must_use]
    pub fn interface_count(&self) -> usize {
        self.interfaces.len()
    }

    /// Plans a failure.
    pub fn plan(&mut self, fault: Fault) {
        self.faults.plan(fault);
    }

    /// Forgets the failures that are still to come.
    pub fn clear_faults(&mut self) {
        self.faults.clear();
    }

    /// The failures that are still to come.
    #[must_use]
    pub fn remaining_faults(&self) -> u64 {
        self.faults.remaining()
    }

    /// How often `function` was called, failures included.
    #[must_use]
    pub const fn calls(&self, function: Function) -> u64 {
        self.calls[function as usize]
    }

    /// The number of anycast addresses.
    #[must_use]
    pub fn entry_count(&self) -> usize {
        self.entries.len()
    }

    /// Every anycast address, by LUID, family and address.
    #[must_use]
    pub fn entries(&self) -> impl DoubleEndedIterator<Item = Row> {
        self.entries.iter().filter_map(|(luid, address)| Some(self.interfaces.get(luid)?.row(*address)))
    }

    /// Puts an address on an interface as somebody else would, without a call that is counted.
    ///
    /// # Errors
    /// As for [`create`](Self::create).
    pub fn insert(&mut self, row: &Row) -> Result<(), NtStatus> {
        let entry = self.entry(row)?;
        if self.entries.insert(entry) { Ok(()) } else { Err(self.settings.duplicate) }
    }

    /// Takes an address from an interface as somebody else would, without a call that is counted.
    ///
    /// # Errors
    /// As for [`delete`](Self::delete).
    pub fn remove(&mut self, row: &Row) -> Result<(), NtStatus> {
        let entry = self.entry(row)?;
        if self.entries.remove(&entry) { Ok(()) } else { Err(NtStatus::NOT_FOUND) }
    }

    /// The tables that were handed out.
    #[must_use]
    pub const fn tables(&self) -> &Tables {
        &self.tables
    }
}

impl Model {
    /// The LUID that a row names, whether or not there is such an interface. A LUID wins over an index.
    fn luid_of(&self, row: &Row) -> Option<Luid> {
        if row.luid.is_set() { Some(row.luid) } else { self.luids.get(&row.index).copied() }
    }

    /// The entry that a row names, with the row checked as the stack does: first what it says, then whether that exists.
    fn entry(&self, row: &Row) -> Result<(Luid, IpAddr), NtStatus> {
        let address = row.address.ip().filter(is_unicast).ok_or(NtStatus::INVALID_PARAMETER)?;
        if !row.luid.is_set() && row.index == 0 {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        let family = Families::of(address);
        if !self.settings.stacks.contains(family) {
            return Err(NtStatus::NOT_SUPPORTED);
        }
        let interface = self.luid_of(row).and_then(|luid| self.interfaces.get(&luid)).ok_or(NtStatus::NOT_FOUND)?;
        if !interface.families.contains(family) {
            return Err(NtStatus::NOT_FOUND);
        }
        Ok((interface.luid, address))
    }
}

impl Interface {
    /// The row of an address on this interface, as NetIO fills it in.
    fn row(&self, address: IpAddr) -> Row {
        let address = SocketAddress::new(address);
        Row { address, padding: [0; 4], luid: self.luid, index: self.index, scope_id: self.scope_id }
    }
}

/// Whether an address has the shape of a unicast one: neither unspecified nor multicast nor the limited broadcast.
fn is_unicast(address: &IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => !(address.is_unspecified() || address.is_multicast() || address.is_broadcast()),
        IpAddr::V6(address) => !(address.is_unspecified() || address.is_multicast()),
    }
}

/// The keys of every address on one interface: IPv4 comes before IPv6.
fn every_address_on(luid: Luid) -> core::ops::RangeInclusive<(Luid, IpAddr)> {
    let first = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
    let last = IpAddr::V6(Ipv6Addr::from_bits(u128::MAX));
    (luid, first)..=(luid, last)
}
