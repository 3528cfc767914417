//! `watch`.

use std::collections::BTreeMap;
use std::io;
use std::net::IpAddr;
use std::time::Duration;

use netio_anycast_client::protocol::address::Luid;
use netio_anycast_client::{Access, Client, Entry, Error, ErrorKind, Selection, Transport};

use crate::arguments::SelectionArguments;
use crate::commands::aliases::Aliases;
use crate::commands::events::Events;
use crate::commands::{answers, connect};
use crate::console::{Console, Stream};
use crate::event::Event;
use crate::failure::Failure;
use crate::platform::{Platform, ServiceState};
use crate::report::watch::WatchEvent;

/// How often is looked whether the driver is to stop, or is there again: neither comes by itself.
const LOOK: Duration = Duration::from_secs(1);

/// Why the watcher does not go on.
enum End {
    /// Ctrl+C, or nobody reads any more.
    Done,
    /// Something that does not pass.
    Failure(Failure),
}

impl From<io::Error> for End {
    fn from(_: io::Error) -> Self {
        Self::Done
    }
}

impl From<Error> for End {
    fn from(error: Error) -> Self {
        Self::Failure(error.into())
    }
}

/// Shows changes as they come, until Ctrl+C.
pub(super) fn watch(
    platform: &dyn Platform,
    arguments: &SelectionArguments,
    console: &mut Console<'_>,
) -> Result<(), Failure> {
    let selection = arguments.resolve(platform)?;
    let client = connect(platform, Access::Read)?;
    // An interface that does not exist is an error here; later it may go and come.
    let table = client.table(selection).map_err(|error| arguments.failure(error, "anycast addresses"))?;
    let mut watcher = Watcher { platform, console, selection, aliases: Aliases::of(platform), known: BTreeMap::new() };
    watcher.known = watcher.keyed(table.entries);
    let mut events = Events::of(platform);
    platform.on_interrupt(events.sender())?;
    match watcher.run(&mut events, client) {
        End::Done => Ok(()),
        End::Failure(failure) => Err(failure),
    }
}

struct Watcher<'a, 'c, 'w> {
    platform: &'a dyn Platform,
    console: &'c mut Console<'w>,
    selection: Selection,
    aliases: Aliases<'a>,
    known: BTreeMap<(Luid, IpAddr), Entry>,
}

impl<'a> Watcher<'a, '_, '_> {
    /// Watches as long as the driver runs, and again whenever it does.
    fn run(&mut self, events: &mut Events<'a>, mut client: Client<Box<dyn Transport + 'a>>) -> End {
        loop {
            let again = self.follow(events, &client).and_then(|()| {
                // The driver can't unload as long as anybody has its device open.
                drop(client);
                self.tell(Stream::Error, &WatchEvent::DriverGone)?;
                let client = self.reconnect(events)?;
                self.tell(Stream::Error, &WatchEvent::DriverBack)?;
                Ok(client)
            });
            client = match again {
                Ok(client) => client,
                Err(end) => return end,
            };
        }
    }

    /// Tells of changes until the driver stops.
    fn follow<T: Transport>(&mut self, events: &mut Events<'_>, client: &Client<T>) -> Result<(), End> {
        loop {
            let seen = match self.look(client) {
                Ok(Looked { generation, changes }) => {
                    changes.iter().try_for_each(|change| self.tell(Stream::Output, change))?;
                    generation
                }
                Err(error) => return gone(client, error),
            };
            loop {
                if self.is_to_stop() {
                    return Ok(());
                }
                match events.next(client, seen, Some(LOOK)) {
                    Some(Event::Interrupted) => return Err(End::Done),
                    Some(Event::Changed { result: Ok(_), .. }) => break,
                    Some(Event::Changed { result: Err(error), .. }) => return gone(client, error),
                    Some(Event::Ended(_) | Event::Checked(_)) | None => {}
                }
            }
        }
    }

    /// Waits until the driver runs.
    fn reconnect(&self, events: &mut Events<'_>) -> Result<Client<Box<dyn Transport + 'a>>, End> {
        loop {
            if events.pause(Some(LOOK)) == Some(Event::Interrupted) {
                return Err(End::Done);
            }
            match connect(self.platform, Access::Read) {
                Err(error) if error.kind() == ErrorKind::NoDriver => {}
                connected => return Ok(connected?),
            }
        }
    }

    /// Reads the table, and finds what is different from what was known.
    fn look<T: Transport>(&mut self, client: &Client<T>) -> Result<Looked, Error> {
        let (generation, now) = match client.table(self.selection) {
            Ok(table) => (table.generation, self.keyed(table.entries)),
            // The interface has gone, and its addresses with it.
            Err(error) if error.kind() == ErrorKind::NotFound => (client.statistics()?.generation, BTreeMap::new()),
            Err(error) => return Err(error),
        };
        let mut changes = Vec::new();
        for entry in self.known.iter().filter(|(key, _)| !now.contains_key(key)).map(|(_, entry)| *entry) {
            changes.push(WatchEvent::Removed(self.aliases.describe(entry)));
        }
        for entry in now.iter().filter(|(key, _)| !self.known.contains_key(key)).map(|(_, entry)| *entry) {
            changes.push(WatchEvent::Added(self.aliases.describe(entry)));
        }
        self.known = now;
        Ok(Looked { generation, changes })
    }

    /// By address and interface. The aliases are looked up now: an interface that has gone has none.
    fn keyed(&mut self, entries: Vec<Entry>) -> BTreeMap<(Luid, IpAddr), Entry> {
        for entry in &entries {
            self.aliases.describe(*entry);
        }
        entries.into_iter().map(|entry| ((entry.luid, entry.address), entry)).collect()
    }

    /// Whether the service does not run, or is to stop. Who may not ask can't know.
    fn is_to_stop(&self) -> bool {
        let service = self.platform.service().query();
        service.is_ok_and(|service| service.is_none_or(|service| service.state != ServiceState::Running))
    }

    fn tell(&mut self, stream: Stream, event: &WatchEvent) -> io::Result<()> {
        // Programs read everything in one place.
        let stream = if self.console.speaks_json() { Stream::Output } else { stream };
        self.console.event(stream, event)
    }
}

/// What a look at the table brought.
struct Looked {
    generation: u64,
    changes: Vec<WatchEvent>,
}

/// What is to be made of a failure: nothing if it is that the driver stops or has stopped.
fn gone<T: Transport>(client: &Client<T>, error: Error) -> Result<(), End> {
    if answers(client) { Err(error.into()) } else { Ok(()) }
}
