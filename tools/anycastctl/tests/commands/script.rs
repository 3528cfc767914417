//! What happens while a command goes on.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::{self, Write};
use std::rc::Rc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use anycastctl::event::Event;

use crate::fake::Fake;

type Action = Box<dyn FnOnce(&Fake)>;

/// One thing that happens while a command waits.
pub(crate) struct Step {
    /// In words, for the transcript.
    title: &'static str,
    /// What is done first.
    first: Option<Action>,
    what: What,
}

enum What {
    /// The command hears of it.
    Event(Event),
    /// The driver will tell.
    Change(Action),
    /// Nobody tells, and as much time passes as the command waits for.
    Time(Action),
}

impl Step {
    /// The command hears of something.
    pub(crate) fn event(title: &'static str, event: Event) -> Self {
        Self { title, first: None, what: What::Event(event) }
    }

    /// Something changes of which the driver tells.
    pub(crate) fn change(title: &'static str, change: impl FnOnce(&Fake) + 'static) -> Self {
        Self { title, first: None, what: What::Change(Box::new(change)) }
    }

    /// Something happens of which nobody tells, and time passes.
    pub(crate) fn time(title: &'static str, action: impl FnOnce(&Fake) + 'static) -> Self {
        Self { title, first: None, what: What::Time(Box::new(action)) }
    }

    /// The same, with something that is done before it.
    pub(crate) fn after(self, first: impl FnOnce(&Fake) + 'static) -> Self {
        Self { first: Some(Box::new(first)), ..self }
    }
}

/// What happens, in order. After the last step somebody presses Ctrl+C.
#[derive(Default)]
pub(crate) struct Script(RefCell<VecDeque<Step>>);

impl Script {
    pub(crate) fn extend(&self, steps: impl IntoIterator<Item = Step>) {
        self.0.borrow_mut().extend(steps);
    }

    /// The next event: one that came by itself, or what the next step brings.
    pub(crate) fn next(&self, fake: &Fake, events: &Receiver<Event>, timeout: Option<Duration>) -> Option<Event> {
        if let Ok(event) = events.try_recv() {
            return Some(event);
        }
        let step = self.0.borrow_mut().pop_front();
        let Some(Step { title, first, what }) = step else {
            fake.screen.say("Ctrl+C");
            return Some(Event::Interrupted);
        };
        if let Some(first) = first {
            first(fake);
        }
        fake.screen.say(title);
        match what {
            What::Event(event) => Some(event),
            What::Change(change) => {
                change(fake);
                match events.recv_timeout(FOREVER) {
                    Ok(event) => Some(event),
                    Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                        panic!("nobody tells of: {title}")
                    }
                }
            }
            What::Time(action) => {
                assert!(timeout.is_some(), "the command waits without end: {title}");
                action(fake);
                None
            }
        }
    }
}

/// Longer than anything takes that happens at all.
const FOREVER: Duration = Duration::from_mins(1);

/// What a person sees, both streams in the order in which they were written to.
#[derive(Clone, Default)]
pub(crate) struct Screen(Rc<RefCell<Vec<u8>>>);

impl Screen {
    /// Everything so far; the screen is empty then.
    pub(crate) fn take(&self) -> String {
        String::from_utf8(self.0.take()).expect("it writes UTF-8")
    }

    pub(crate) fn say(&self, title: &str) {
        self.0.borrow_mut().extend_from_slice(format!("  ({title})\n").as_bytes());
    }
}

impl Write for Screen {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().write(text)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
