//! Ctrl+C.

use std::sync::mpsc::Sender;

use crate::event::Event;
use crate::failure::{Failure, FailureKind};

/// Has Ctrl+C, and what else asks a program of the console to end, told instead of ending this program.
///
/// # Errors
/// The system does not let that be.
pub fn tell(events: Sender<Event>) -> Result<(), Failure> {
    // Nobody listens any more if this program is ending already.
    let tell = move || drop(events.send(Event::Interrupted));
    ctrlc::set_handler(tell).map_err(|error| refused(&error.to_string()))
}

/// The system does not let that be, for this reason.
#[must_use]
pub fn refused(reason: &str) -> Failure {
    let why = format!("the system does not let this program handle Ctrl+C: {reason}");
    Failure::new(FailureKind::Other, "cannot go on until Ctrl+C", why, "Report it as a bug")
}
