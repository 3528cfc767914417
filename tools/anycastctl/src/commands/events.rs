//! Waiting for what happens next.

use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::Duration;

use netio_anycast_client::{Client, Transport};

use crate::event::Event;
use crate::platform::Platform;

/// What happens while a command goes on.
pub(super) struct Events<'a> {
    platform: &'a dyn Platform,
    sender: Sender<Event>,
    receiver: Receiver<Event>,
    waits: u64,
}

impl<'a> Events<'a> {
    pub(super) fn of(platform: &'a dyn Platform) -> Self {
        let (sender, receiver) = mpsc::channel();
        Self { platform, sender, receiver, waits: 0 }
    }

    /// Where others tell what happens.
    pub(super) fn sender(&self) -> Sender<Event> {
        self.sender.clone()
    }

    /// The next event; `None` if there is none for so long. That the driver's generation is another than the one given is an
    /// event too.
    pub(super) fn next<T: Transport>(
        &mut self,
        client: &Client<T>,
        seen: u64,
        timeout: Option<Duration>,
    ) -> Option<Event> {
        self.waits += 1;
        let wait = match client.begin_wait(seen) {
            Ok(wait) => wait,
            Err(error) => return Some(Event::Changed { wait: self.waits, result: Err(error) }),
        };
        thread::scope(|scope| {
            let (number, sender) = (self.waits, self.sender.clone());
            let wait = &wait;
            scope.spawn(move || sender.send(Event::Changed { wait: number, result: wait.wait() }));
            let event = self.receive(timeout);
            // If it has not ended, the thread now tells of a wait that is not the current one.
            wait.cancel();
            event
        })
    }

    /// The next event while there is no driver to wait for.
    pub(super) fn pause(&mut self, timeout: Option<Duration>) -> Option<Event> {
        self.waits += 1;
        self.receive(timeout)
    }

    /// The next event, but for those of earlier waits.
    fn receive(&self, timeout: Option<Duration>) -> Option<Event> {
        loop {
            match self.platform.next_event(&self.receiver, timeout) {
                Some(Event::Changed { wait, .. }) if wait != self.waits => {}
                event => return event,
            }
        }
    }
}
