//! The difference between the addresses that are wanted and those that there are.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::rc::Rc;

use netio_anycast_client::protocol::version::Features;
use netio_anycast_client::{
    self as client, Client, Entry, InterfaceId, Item, LeaseEntry, LeaseSelection, Selection, Transport,
};

use crate::failure::Failure;
use crate::platform::Platform;
use crate::report::change::{Action, Change, ChangeOutcome, Kept};
use crate::wanted::{Wanted, WantedAddress, WantedInterface};

/// What there is to do.
pub(super) struct Difference {
    /// The changes, interface by interface in the order of the file: what is added before what is removed.
    pub(super) changes: Vec<Change>,
    /// The addresses that are wanted and there.
    pub(super) unchanged: usize,
    /// The addresses that are not wanted and stay, since a program holds a lease on them.
    pub(super) kept: Vec<Kept>,
}

/// One interface of the file.
struct Interface {
    /// As the file names it.
    name: Rc<str>,
    id: InterfaceId,
    wanted: BTreeSet<IpAddr>,
    present: Vec<Entry>,
}

impl Difference {
    /// Compares. Only with `prune` is anything removed, and only from the interfaces that the file names.
    pub(super) fn between<T: Transport>(
        platform: &dyn Platform,
        client: &Client<T>,
        wanted: &Wanted,
        prune: bool,
    ) -> Result<Self, Failure> {
        let mut difference = Self { changes: Vec::new(), unchanged: 0, kept: Vec::new() };
        for interface in interfaces(platform, client, wanted)? {
            let present: BTreeSet<IpAddr> = interface.present.iter().map(|entry| entry.address).collect();
            difference.unchanged += interface.wanted.intersection(&present).count();
            let additions = interface.wanted.difference(&present);
            difference.changes.extend(additions.map(|address| interface.addition(*address)));
            if prune {
                difference.prune(platform, client, &interface)?;
            }
        }
        Ok(difference)
    }

    fn prune<T: Transport>(
        &mut self,
        platform: &dyn Platform,
        client: &Client<T>,
        interface: &Interface,
    ) -> Result<(), Failure> {
        let surplus = interface.present.iter().filter(|entry| !interface.wanted.contains(&entry.address));
        let mut surplus = surplus.peekable();
        let leases = if surplus.peek().is_some() { leases(client, interface)? } else { BTreeMap::new() };
        for entry in surplus {
            match leases.get(&entry.address) {
                Some(lease) => self.kept.push(interface.kept(platform, lease)),
                None => self.changes.push(interface.removal(entry)),
            }
        }
        Ok(())
    }
}

/// The interfaces of the file, each of them once, however often and by whatever names it is in there: what one mention wants
/// must not be pruned for another.
fn interfaces<T: Transport>(
    platform: &dyn Platform,
    client: &Client<T>,
    wanted: &Wanted,
) -> Result<Vec<Interface>, Failure> {
    let mut interfaces: Vec<Interface> = Vec::new();
    for WantedInterface { name, addresses } in &wanted.interface {
        let id = name.resolve(platform.interfaces())?;
        let addresses = addresses.iter().map(|WantedAddress(address)| *address);
        let table = client.table(Selection { family: None, interface: Some(id) }).map_err(|error| Failure {
            what: format!("cannot read the anycast addresses of interface {name}"),
            ..error.into()
        })?;
        // Where there are no addresses, nothing can be pruned either, and an addition that is there twice does no harm.
        let luid = |present: &[Entry]| present.first().map(|entry| entry.luid);
        let same = |other: &&mut Interface| {
            other.id == id || luid(&table.entries).is_some_and(|this| luid(&other.present) == Some(this))
        };
        match interfaces.iter_mut().find(same) {
            Some(interface) => interface.wanted.extend(addresses),
            None => interfaces.push(Interface {
                name: name.to_string().into(),
                id,
                wanted: addresses.collect(),
                present: table.entries,
            }),
        }
    }
    Ok(interfaces)
}

/// The leases on an interface, if the driver has leases.
fn leases<T: Transport>(client: &Client<T>, interface: &Interface) -> Result<BTreeMap<IpAddr, LeaseEntry>, Failure> {
    if !client.offers(Features::LEASES) {
        return Ok(BTreeMap::new());
    }
    let table = Selection { family: None, interface: Some(interface.id) };
    let list = client.leases(LeaseSelection { table, process_id: None })?;
    Ok(list.leases.into_iter().map(|lease| (lease.entry.address, lease)).collect())
}

impl Interface {
    fn addition(&self, address: IpAddr) -> Change {
        self.change(Action::Add, Item { address, interface: self.id, change: client::Change::Create })
    }

    fn removal(&self, entry: &Entry) -> Change {
        let change = client::Change::Delete { force: false };
        self.change(Action::Remove, Item { address: entry.address, interface: InterfaceId::Luid(entry.luid), change })
    }

    fn change(&self, action: Action, item: Item) -> Change {
        Change { action, item, interface: self.name.clone(), outcome: ChangeOutcome::Planned }
    }

    fn kept(&self, platform: &dyn Platform, lease: &LeaseEntry) -> Kept {
        let LeaseEntry { entry, process_id, .. } = *lease;
        let image = platform.process_image(process_id);
        Kept { address: entry.address, interface: self.name.clone(), process_id, image }
    }
}
