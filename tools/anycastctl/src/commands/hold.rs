//! `hold`.

mod health;
mod holder;

use std::io;
use std::time::Duration;

use netio_anycast_client::{Access, ErrorKind, Selection};

use crate::arguments::HoldArguments;
use crate::commands::connect;
use crate::commands::events::Events;
use crate::commands::hold::health::{Health, Turn};
use crate::commands::hold::holder::Holder;
use crate::console::{Console, Stream};
use crate::event::{Event, HealthCheck};
use crate::exit_code::ExitCode;
use crate::failure::{Failure, FailureKind};
use crate::platform::Platform;
use crate::report::hold::HoldEvent;

/// How often is tried again to hold what should be held and is not: neither that an interface is there again nor that a driver
/// runs again comes by itself.
const RETRY: Duration = Duration::from_secs(1);

/// Holds addresses while a program runs, or until Ctrl+C, and as long as a health check passes. Returns the exit code.
///
/// The driver ties the addresses to this process's handle, so that they go however it ends.
pub(super) fn hold(
    platform: &dyn Platform,
    arguments: &HoldArguments,
    console: &mut Console<'_>,
) -> Result<i32, Failure> {
    let mut holder = Holder::new(platform, arguments)?;
    let mut events = Events::of(platform);
    platform.on_interrupt(events.sender())?;
    let mut session = Session { console, has_program: !arguments.command.is_empty(), health: None };
    let check =
        arguments.health.as_ref().map(|command| HealthCheck { command: command.clone(), interval: arguments.interval });
    if check.is_some() {
        session.health = Some(Health::new(arguments.rise, arguments.fall));
        check_interface(platform, &holder, arguments)?;
        session.tell([HoldEvent::Waiting { passes: arguments.rise }]);
    } else {
        // All of them, or the program is not started.
        session.tell(holder.take_all()?);
    }
    let _monitor = check.map(|check| platform.check_health(check, events.sender())).transpose().map_err(|error| {
        let why = format!("the system gave a reason: {error}");
        Failure::new(FailureKind::NoResources, "cannot run the health check", why, "Free memory, then try again")
    })?;
    // Last of all: a program that runs is not left alone by a failure to come.
    if session.has_program {
        platform.start(&arguments.command, events.sender()).map_err(|error| not_started(arguments, &error))?;
    }
    session.run(&mut holder, &mut events)
}

/// What goes on after the start.
struct Session<'c, 'w> {
    console: &'c mut Console<'w>,
    has_program: bool,
    /// With a health check: how it is.
    health: Option<Health>,
}

impl Session<'_, '_> {
    fn run(&mut self, holder: &mut Holder<'_>, events: &mut Events<'_>) -> Result<i32, Failure> {
        loop {
            let is_wanted = self.health.as_ref().is_none_or(Health::is_good);
            let timeout = (is_wanted && !holder.holds_all()).then_some(RETRY);
            match holder.next_event(events, timeout) {
                Some(Event::Ended(exit_code)) => {
                    holder.release();
                    return Ok(exit_code);
                }
                // The program has got it as well, and its end is awaited.
                Some(Event::Interrupted) if self.has_program => {}
                Some(Event::Interrupted) => {
                    let addresses = holder.release();
                    self.tell([HoldEvent::Released { addresses }]);
                    return Ok(ExitCode::Success.into());
                }
                Some(Event::Checked(result)) => {
                    let Some(turn) = self.health.as_mut().and_then(|health| health.turns(&result)) else { continue };
                    match turn {
                        Turn::Good { passes } => {
                            self.tell([HoldEvent::Healthy { passes }]);
                            self.tell(holder.take());
                        }
                        Turn::Bad { failures } => {
                            let withdrawn = holder.release();
                            self.tell([HoldEvent::Unhealthy { failures, result, withdrawn }]);
                        }
                    }
                }
                Some(Event::Changed { result: Err(error), .. }) => self.tell(holder.cannot_see(error)),
                Some(Event::Changed { result: Ok(_), .. }) | None => self.tell(holder.look_and_take(is_wanted)),
            }
            if holder.has_lost_all() && !self.has_program {
                return Err(Failure::new(
                    FailureKind::Other,
                    "cannot hold the addresses any longer",
                    "somebody has deleted all of them by force",
                    "Find out who drains this machine, and hold them again when that is over",
                ));
            }
        }
    }

    /// On standard error, since standard output is the program's.
    fn tell(&mut self, events: impl IntoIterator<Item = HoldEvent>) {
        for event in events {
            // It is no reason to let go of the addresses that nobody reads this.
            let _ = self.console.event(Stream::Error, &event);
        }
    }
}

/// Sees to it that the driver runs and the interface exists, before the first check has passed.
fn check_interface(platform: &dyn Platform, holder: &Holder<'_>, arguments: &HoldArguments) -> Result<(), Failure> {
    let client = connect(platform, Access::ReadWrite)?;
    let selection = Selection { family: None, interface: Some(holder.interface()) };
    match client.table(selection) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            Err(Failure { what: format!("cannot hold addresses on interface {}", arguments.interface), ..error.into() })
        }
        result => result.map(drop).map_err(Failure::from),
    }
}

fn not_started(arguments: &HoldArguments, error: &io::Error) -> Failure {
    let program = arguments.command.first().map(|program| program.display().to_string()).unwrap_or_default();
    let (kind, why, advice) = match error.kind() {
        io::ErrorKind::NotFound => (
            FailureKind::NotFound,
            "there is no such program".to_owned(),
            "Give its path, with .exe or .cmd at its end",
        ),
        io::ErrorKind::PermissionDenied => {
            (FailureKind::AccessDenied, "you may not run it".to_owned(), "Ask its owner to let you run it")
        }
        _ => (FailureKind::Other, format!("the system gave a reason: {error}"), "Try to run it by itself"),
    };
    Failure::new(kind, format!("cannot start {program}"), why, advice)
}
