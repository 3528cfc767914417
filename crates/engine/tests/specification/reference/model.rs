//! What the driver's callers may rely on, in its plainest form.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use netio_anycast_protocol::address::{AddressFamily, Luid};
use netio_anycast_protocol::apply::ItemState;
use netio_anycast_protocol::row::Row;
use netio_anycast_protocol::status::NtStatus;

use super::step::{Item, Name};
use crate::system::{ETHERNET, ETHERNET_INDEX, SECOND, SECOND_INDEX, ip};

/// What somebody asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    Create,
    Lease,
    Share,
    Delete,
    Force,
}

/// One address on one interface.
type Entry = (Luid, IpAddr);

#[derive(Clone, Debug)]
struct Lease {
    shared: bool,
    /// Nobody, once NetIO has refused its withdrawal.
    holders: Vec<usize>,
}

/// How often each address was counted in when the driver last looked, and since by what it did itself.
type Seen = BTreeMap<Entry, i32>;

#[derive(Clone, Debug)]
pub(super) struct Reference {
    addresses: BTreeSet<Entry>,
    leases: BTreeMap<Entry, Lease>,
    /// The index of the second interface while it is there.
    second: Option<u32>,
    pub(super) generation: u64,
    /// IPv4 and IPv6.
    seen: [Option<Seen>; 2],
}

impl Reference {
    pub(super) fn new() -> Self {
        Self {
            addresses: BTreeSet::new(),
            leases: BTreeMap::new(),
            second: Some(SECOND_INDEX),
            generation: 0,
            seen: [None, None],
        }
    }

    /// The interface that is there.
    fn interface(&self, name: Name) -> Option<Luid> {
        let second = self.second;
        match name {
            Name::Luid(ETHERNET) | Name::Index(ETHERNET_INDEX) => Some(ETHERNET),
            Name::Luid(SECOND) if second.is_some() => Some(SECOND),
            Name::Index(index) if second == Some(index) => Some(SECOND),
            _ => None,
        }
    }

    /// The entry that is meant: a LUID need not be that of an interface.
    fn entry(&self, address: IpAddr, name: Name) -> Result<Entry, NtStatus> {
        if address == ip("224.0.0.1") || address == ip("::") {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        match name {
            Name::Luid(luid) => Ok((luid, address)),
            Name::Index(_) => Ok((self.interface(name).ok_or(NtStatus::NOT_FOUND)?, address)),
        }
    }

    /// CREATE as NetIO has it.
    fn netio_create(&mut self, entry: Entry) -> Result<(), NtStatus> {
        self.interface(Name::Luid(entry.0)).ok_or(NtStatus::NOT_FOUND)?;
        if !self.addresses.insert(entry) {
            return Err(NtStatus::OBJECTID_EXISTS);
        }
        self.changed(entry, 1);
        Ok(())
    }

    /// DELETE as NetIO has it.
    fn netio_delete(&mut self, entry: Entry) -> Result<(), NtStatus> {
        if !self.addresses.remove(&entry) {
            return Err(NtStatus::NOT_FOUND);
        }
        self.changed(entry, -1);
        Ok(())
    }

    fn changed(&mut self, entry: Entry, by: i32) {
        self.generation += 1;
        if let Some(seen) = &mut self.seen[usize::from(entry.1.is_ipv6())] {
            *seen.entry(entry).or_default() += by;
        }
    }

    pub(super) fn change(
        &mut self,
        handle: usize,
        address: IpAddr,
        name: Name,
        change: Change,
    ) -> Result<(), NtStatus> {
        let entry = self.entry(address, name)?;
        match change {
            Change::Create | Change::Lease | Change::Share => self.create(handle, entry, change),
            Change::Delete | Change::Force => self.delete(handle, entry, change == Change::Force),
        }
    }

    fn create(&mut self, handle: usize, entry: Entry, change: Change) -> Result<(), NtStatus> {
        let exists = NtStatus::OBJECTID_EXISTS;
        let new = || Lease { shared: change == Change::Share, holders: vec![handle] };
        let held = self.leases.get(&entry).cloned();
        match held {
            None => {
                self.netio_create(entry)?;
                if change != Change::Create {
                    self.leases.insert(entry, new());
                }
            }
            Some(lease) if lease.holders.is_empty() => {
                self.netio_create(entry).or_else(|status| if status == exists { Ok(()) } else { Err(status) })?;
                self.leases.remove(&entry);
                if change != Change::Create {
                    self.leases.insert(entry, new());
                }
            }
            Some(_) if change == Change::Create => return Err(exists),
            Some(lease) if lease.holders.contains(&handle) => self.netio_create(entry)?,
            Some(lease) if lease.shared && change == Change::Share => {
                self.netio_create(entry).or_else(|status| if status == exists { Ok(()) } else { Err(status) })?;
                self.leases.get_mut(&entry).expect("it is there").holders.push(handle);
            }
            Some(_) => return Err(exists),
        }
        Ok(())
    }

    fn delete(&mut self, handle: usize, entry: Entry, force: bool) -> Result<(), NtStatus> {
        let Some(lease) = self.leases.get_mut(&entry) else { return self.netio_delete(entry) };
        let holds = lease.holders.contains(&handle);
        if holds && lease.holders.len() > 1 && !force {
            lease.holders.retain(|holder| *holder != handle);
            return Ok(());
        }
        if !(holds || force || lease.holders.is_empty()) {
            return Err(NtStatus::ACCESS_DENIED);
        }
        self.leases.remove(&entry);
        // Gone already is as good.
        let _ = self.netio_delete(entry);
        Ok(())
    }

    pub(super) fn apply(&mut self, handle: usize, atomic: bool, items: &[Item]) -> Vec<(ItemState, NtStatus)> {
        let possible: Vec<_> = items.iter().map(|item| self.entry(item.address, item.name)).collect();
        if atomic && possible.iter().any(Result::is_err) {
            let outcome = |entry: &Result<Entry, _>| match entry {
                Ok(_) => (ItemState::NotAttempted, NtStatus::SUCCESS),
                Err(status) => (ItemState::Failed, *status),
            };
            return possible.iter().map(outcome).collect();
        }
        let before = self.clone();
        let mut outcomes = Vec::new();
        for item in items {
            match self.change(handle, item.address, item.name, item.change) {
                Ok(()) => outcomes.push((ItemState::Applied, NtStatus::SUCCESS)),
                Err(status) if atomic => {
                    self.take_back(before);
                    for outcome in &mut outcomes {
                        outcome.0 = ItemState::RolledBack;
                    }
                    outcomes.push((ItemState::Failed, status));
                    outcomes.resize(items.len(), (ItemState::NotAttempted, NtStatus::SUCCESS));
                    break;
                }
                Err(status) => outcomes.push((ItemState::Failed, status)),
            }
        }
        outcomes
    }

    /// Everything is as it was, but for the generation, which moves with what is undone as it did with what was done.
    fn take_back(&mut self, before: Self) {
        let done = self.generation - before.generation;
        *self = Self { generation: self.generation + done, ..before };
    }

    pub(super) fn get(&self, address: IpAddr, name: Name) -> Result<Row, NtStatus> {
        let entry = self.entry(address, name)?;
        self.addresses.get(&entry).map(|entry| self.row(*entry)).ok_or(NtStatus::NOT_FOUND)
    }

    /// Lists, and notices what others have changed.
    pub(super) fn list(&mut self, family: AddressFamily, name: Option<Name>) -> Result<Vec<Row>, NtStatus> {
        let only = match name {
            Some(name) => Some(self.interface(name).ok_or(NtStatus::NOT_FOUND)?),
            None => None,
        };
        self.look(family);
        let wanted = |(luid, address): &Entry| only.is_none_or(|only| only == *luid) && is_of(family, *address);
        Ok(self.addresses.iter().copied().filter(wanted).map(|entry| self.row(entry)).collect())
    }

    fn look(&mut self, family: AddressFamily) {
        let mut changed = false;
        for (seen, one) in self.seen.iter_mut().zip([AddressFamily::IPV4, AddressFamily::IPV6]) {
            if family == AddressFamily::UNSPECIFIED || family == one {
                let now: Seen =
                    self.addresses.iter().filter(|entry| is_of(one, entry.1)).map(|entry| (*entry, 1)).collect();
                let then = seen.replace(now.clone()).map(|mut seen| {
                    seen.retain(|_, count| *count != 0);
                    seen
                });
                changed |= then.is_some_and(|then| then != now);
            }
        }
        self.generation += u64::from(changed);
    }

    pub(super) fn close(&mut self, handle: usize, refused: bool) {
        let held: Vec<_> =
            self.leases.iter().filter(|(_, lease)| lease.holders.contains(&handle)).map(|(entry, _)| *entry).collect();
        for entry in held {
            let lease = self.leases.get_mut(&entry).expect("listed");
            lease.holders.retain(|holder| *holder != handle);
            if lease.holders.is_empty() && !refused {
                self.leases.remove(&entry);
                let _ = self.netio_delete(entry);
            }
        }
    }

    /// NetIO takes what it has refused.
    pub(super) fn retry(&mut self) {
        let left: Vec<_> =
            self.leases.iter().filter(|(_, lease)| lease.holders.is_empty()).map(|(entry, _)| *entry).collect();
        for entry in left {
            self.leases.remove(&entry);
            let _ = self.netio_delete(entry);
        }
    }

    pub(super) fn remove_second(&mut self) -> bool {
        self.addresses.retain(|(luid, _)| *luid != SECOND);
        self.second.take().is_some()
    }

    pub(super) fn add_second(&mut self, index: u32) -> bool {
        let gone = self.second.is_none();
        self.second.get_or_insert(index);
        gone
    }

    pub(super) fn rows(&self) -> Vec<Row> {
        self.addresses.iter().map(|entry| self.row(*entry)).collect()
    }

    /// The leases as LIST_LEASES has them: row, holders, flags.
    pub(super) fn lease_rows(&self) -> Vec<(Row, u32, u32)> {
        let row = |entry: &Entry| {
            let there = self.addresses.contains(entry);
            if there { self.row(*entry) } else { Row::on_luid(entry.1, entry.0) }
        };
        let leases = self.leases.iter();
        leases.map(|(entry, lease)| (row(entry), holders(lease), u32::from(lease.shared))).collect()
    }

    fn row(&self, (luid, address): Entry) -> Row {
        let index = if luid == ETHERNET { ETHERNET_INDEX } else { self.second.expect("it has addresses") };
        Row { index, scope_id: index, ..Row::on_luid(address, luid) }
    }
}

fn holders(lease: &Lease) -> u32 {
    u32::try_from(lease.holders.len()).expect("few")
}

fn is_of(family: AddressFamily, address: IpAddr) -> bool {
    match family {
        AddressFamily::IPV4 => address.is_ipv4(),
        AddressFamily::IPV6 => address.is_ipv6(),
        _ => true,
    }
}
