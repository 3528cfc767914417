//! The leases of `hold`.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

use netio_anycast_client::{
    Access, Client, Entry, Error, ErrorKind, InterfaceId, LeaseSelection, Selection, Sharing, Transport,
};

use crate::arguments::HoldArguments;
use crate::commands::aliases::Aliases;
use crate::commands::events::Events;
use crate::commands::{answers, connect};
use crate::event::Event;
use crate::failure::Failure;
use crate::platform::Platform;
use crate::report::hold::HoldEvent;

/// What holds the addresses: a handle to the driver, from the first lease until they are let go.
pub(super) struct Holder<'a> {
    platform: &'a dyn Platform,
    /// As it was named.
    name: String,
    /// By LUID as soon as that is known: the index may be another when it comes back.
    interface: InterfaceId,
    sharing: Sharing,
    addresses: Vec<Address>,
    client: Option<Client<Box<dyn Transport + 'a>>>,
    /// The driver's generation when the addresses were last looked at.
    generation: u64,
    /// The driver could not be asked: it is not asked again before some time has passed.
    must_pause: bool,
    /// The failure that was told last: it is not told each time that it comes again.
    told: Option<Error>,
}

struct Address {
    address: IpAddr,
    state: State,
}

/// What there is to an address.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// It is not held.
    Free,
    /// It is.
    Held,
    /// Somebody has ended the lease by force. It is not taken again: that somebody wants it to be gone.
    Ended,
}

impl<'a> Holder<'a> {
    pub(super) fn new(platform: &'a dyn Platform, arguments: &HoldArguments) -> Result<Self, Failure> {
        let mut addresses: Vec<Address> = Vec::new();
        for &address in &arguments.addresses {
            if addresses.iter().all(|other| other.address != address) {
                addresses.push(Address { address, state: State::Free });
            }
        }
        Ok(Self {
            platform,
            name: arguments.interface.to_string(),
            interface: arguments.interface.resolve(platform.interfaces())?,
            sharing: if arguments.shared { Sharing::Shared } else { Sharing::Exclusive },
            addresses,
            client: None,
            generation: 0,
            must_pause: false,
            told: None,
        })
    }

    pub(super) const fn interface(&self) -> InterfaceId {
        self.interface
    }

    /// Whether every address is held that can be.
    pub(super) fn holds_all(&self) -> bool {
        self.addresses.iter().all(|address| address.state != State::Free)
    }

    /// Whether every address was taken away for good.
    pub(super) fn has_lost_all(&self) -> bool {
        self.addresses.iter().all(|address| address.state == State::Ended)
    }

    /// The next event: among others, that the anycast addresses changed.
    pub(super) fn next_event(&mut self, events: &mut Events<'_>, timeout: Option<Duration>) -> Option<Event> {
        match &self.client {
            Some(client) if !self.must_pause => events.next(client, self.generation, timeout),
            Some(_) => {
                self.must_pause = false;
                events.pause(Some(super::RETRY))
            }
            None => events.pause(timeout),
        }
    }

    /// Takes every address, or fails and holds none.
    pub(super) fn take_all(&mut self) -> Result<Vec<HoldEvent>, Failure> {
        let taken = self.try_to_take();
        if let Some(failure) = taken.failure {
            self.release();
            return Err(self.named(failure));
        }
        Ok(self.taken(taken.entries))
    }

    /// Takes what is not held, as far as that succeeds.
    pub(super) fn take(&mut self) -> Vec<HoldEvent> {
        let Taken { entries, failure } = self.try_to_take();
        let mut events = self.taken(entries);
        if let Some(error) = failure.filter(|error| !self.is_expected(error)) {
            events.extend(self.tell_once(error));
        }
        events
    }

    /// Looks what has become of the addresses, and takes what is missing if that is wanted.
    pub(super) fn look_and_take(&mut self, is_wanted: bool) -> Vec<HoldEvent> {
        let mut events = match self.look() {
            Ok(events) => events,
            Err(error) => return self.cannot_see(error),
        };
        if is_wanted && !self.holds_all() {
            events.extend(self.take());
        }
        events
    }

    /// The driver does not tell how it is with the addresses. The leases are not to suffer from that, unless it has gone itself.
    pub(super) fn cannot_see(&mut self, error: Error) -> Vec<HoldEvent> {
        if !self.client.as_ref().is_some_and(answers) {
            self.client = None;
            let addresses = self.free(|_| true);
            return vec![HoldEvent::DriverGone { addresses, reason: error.into() }];
        }
        self.must_pause = true;
        self.tell_once(error)
    }

    fn tell_once(&mut self, error: Error) -> Vec<HoldEvent> {
        if self.told.as_ref() == Some(&error) {
            return Vec::new();
        }
        self.told = Some(error.clone());
        vec![HoldEvent::Failed(self.named(error))]
    }

    /// Lets go of everything, and returns what that was. The driver withdraws it as the handle is closed: exactly what the
    /// handle holds, whatever has become of it meanwhile.
    pub(super) fn release(&mut self) -> Vec<IpAddr> {
        self.client = None;
        self.told = None;
        self.free(|_| true)
    }

    /// Marks the held addresses that are chosen as free, and returns them.
    fn free(&mut self, is_chosen: impl Fn(&IpAddr) -> bool) -> Vec<IpAddr> {
        self.change(is_chosen, State::Free)
    }

    fn change(&mut self, is_chosen: impl Fn(&IpAddr) -> bool, state: State) -> Vec<IpAddr> {
        let held = self.addresses.iter_mut().filter(|address| address.state == State::Held);
        let chosen = held.filter(|address| is_chosen(&address.address));
        chosen
            .map(|address| {
                address.state = state;
                address.address
            })
            .collect()
    }

    /// Leases what is free. What fails does not keep the others from being tried.
    fn try_to_take(&mut self) -> Taken {
        let mut taken = Taken { entries: Vec::new(), failure: None };
        let client = match self.client.take().map_or_else(|| connect(self.platform, Access::ReadWrite), Ok) {
            Ok(client) => client,
            Err(error) => return Taken { failure: Some(error), ..taken },
        };
        for address in self.addresses.iter_mut().filter(|address| address.state == State::Free) {
            match client.lease(address.address, self.interface, self.sharing) {
                Ok(lease) => {
                    let entry = lease.until_the_client_goes();
                    address.state = State::Held;
                    taken.entries.push(entry);
                }
                Err(error) => taken.failure = taken.failure.or(Some(error)),
            }
        }
        if let Some(entry) = taken.entries.first() {
            self.interface = InterfaceId::Luid(entry.luid);
        }
        self.client = Some(client);
        taken
    }

    fn taken(&mut self, entries: Vec<Entry>) -> Vec<HoldEvent> {
        if entries.is_empty() {
            return Vec::new();
        }
        if self.holds_all() {
            self.told = None;
        }
        let mut aliases = Aliases::of(self.platform);
        let addresses = entries.into_iter().map(|entry| aliases.describe(entry)).collect();
        vec![HoldEvent::Held { addresses, sharing: self.sharing }]
    }

    /// Compares what is held with what is there.
    fn look(&mut self) -> Result<Vec<HoldEvent>, Error> {
        let Some(client) = &self.client else { return Ok(Vec::new()) };
        let selection = Selection { family: None, interface: Some(self.interface) };
        let (generation, missing) = match client.table(selection) {
            Ok(table) => {
                let there: BTreeSet<IpAddr> = table.entries.iter().map(|entry| entry.address).collect();
                let held = self.addresses.iter().filter(|address| address.state == State::Held);
                let held: BTreeSet<IpAddr> = held.map(|address| address.address).collect();
                (table.generation, &held - &there)
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {
                self.generation = client.statistics()?.generation;
                let addresses = self.free(|_| true);
                return Ok(told(addresses, |addresses| HoldEvent::InterfaceGone { addresses }));
            }
            Err(error) => return Err(error),
        };
        self.generation = generation;
        if missing.is_empty() {
            return Ok(Vec::new());
        }
        // An address that went with its interface, or past the driver, is still a lease; one that was deleted by force is none.
        let leases: BTreeSet<IpAddr> = match client.leases(LeaseSelection { table: selection, process_id: None }) {
            Ok(list) => list.leases.iter().map(|lease| lease.entry.address).collect(),
            Err(error) if error.kind() == ErrorKind::NotFound => missing.clone(),
            Err(error) => return Err(error),
        };
        let vanished = self.free(|address| missing.contains(address) && leases.contains(address));
        let ended = self.change(|address| missing.contains(address), State::Ended);
        let mut events = told(vanished, |addresses| HoldEvent::Vanished { addresses });
        events.extend(told(ended, |addresses| HoldEvent::Ended { addresses }));
        Ok(events)
    }

    /// Whether a failure is but what was told already: that the driver, or the interface, has gone.
    fn is_expected(&self, error: &Error) -> bool {
        match error.kind() {
            ErrorKind::NoDriver => true,
            ErrorKind::NotFound => matches!(self.interface, InterfaceId::Luid(_)),
            _ => false,
        }
    }

    /// The failure, with the interface as it was named on the command line.
    fn named(&self, error: Error) -> Failure {
        let failure = Failure::from(error);
        let named = format!("interface {}", self.name);
        Failure { what: failure.what.replace(&self.interface.to_string(), &named), ..failure }
    }
}

/// What trying to take the addresses brought.
struct Taken {
    entries: Vec<Entry>,
    /// The first of the failures.
    failure: Option<Error>,
}

/// The event that tells of addresses, if there are any.
fn told(addresses: Vec<IpAddr>, event: impl FnOnce(Vec<IpAddr>) -> HoldEvent) -> Vec<HoldEvent> {
    if addresses.is_empty() { Vec::new() } else { vec![event(addresses)] }
}
