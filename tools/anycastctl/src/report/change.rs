//! Changes that were asked for, and what became of them.

use std::fmt::Write as _;
use std::net::IpAddr;
use std::rc::Rc;

use netio_anycast_client::Item;
use serde::Serialize;
use serde_json::{Value, json};

use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::human::{BAD, ERROR, GOOD};
use crate::report::Report;

/// The most changes that people are shown; programs see all of them.
const MOST_SHOWN: usize = 50;

/// One change.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    /// What is wanted.
    pub(crate) action: Action,
    /// As the driver is asked for it.
    pub(crate) item: Item,
    /// The interface, as it was named.
    pub(crate) interface: Rc<str>,
    /// What became of it.
    pub(crate) outcome: ChangeOutcome,
}

/// What is wanted with an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Action {
    /// That it be there.
    Add,
    /// That it not be there.
    Remove,
}

/// What became of a change.
#[derive(Clone, Debug)]
pub(crate) enum ChangeOutcome {
    /// Nothing so far.
    Planned,
    /// It was made.
    Applied,
    /// Somebody else had made it meanwhile.
    NotNeeded,
    /// It was refused.
    Failed(Failure),
    /// It was not tried, since another one failed.
    NotAttempted,
    /// It was undone, since another one failed.
    RolledBack,
    /// It should have been undone, since another one failed, and could not be.
    RollbackFailed(Failure),
}

impl ChangeOutcome {
    const fn name(&self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Applied => "applied",
            Self::NotNeeded => "not-needed",
            Self::Failed(_) => "failed",
            Self::NotAttempted => "not-attempted",
            Self::RolledBack => "rolled-back",
            Self::RollbackFailed(_) => "rollback-failed",
        }
    }

    const fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Failed(failure) | Self::RollbackFailed(failure) => Some(failure),
            Self::Planned | Self::Applied | Self::NotNeeded | Self::NotAttempted | Self::RolledBack => None,
        }
    }

    /// Whether it is not as was wanted.
    const fn is_missing(&self) -> bool {
        !matches!(self, Self::Planned | Self::Applied | Self::NotNeeded)
    }
}

/// An address that is not wanted and stays.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    /// The address.
    pub(crate) address: IpAddr,
    /// The interface, as it was named.
    pub(crate) interface: Rc<str>,
    /// The process that holds a lease on it.
    pub(crate) process_id: u32,
    /// That process's image, if it is known.
    pub(crate) image: Option<String>,
}

/// The changes of one run.
pub(crate) struct Applied {
    /// In the order in which they are made.
    pub(crate) changes: Vec<Change>,
    /// The addresses that were as wanted.
    pub(crate) unchanged: usize,
    /// The addresses that are not wanted and stay.
    pub(crate) kept: Vec<Kept>,
    /// Nothing was to be changed.
    pub(crate) dry_run: bool,
}

impl Applied {
    /// The changes as people read them, before they are made.
    pub(crate) fn listing(&self) -> String {
        let mut text = String::new();
        for Change { action, item, interface, .. } in self.changes.iter().take(MOST_SHOWN) {
            let (style, sign) = match action {
                Action::Add => (GOOD, '+'),
                Action::Remove => (BAD, '-'),
            };
            let _ = writeln!(text, "{style}{sign} {} {interface}{style:#}", item.address);
        }
        text + &more(self.changes.len(), "changes")
    }

    fn count(&self, is_counted: impl Fn(&Change) -> bool) -> usize {
        self.changes.iter().filter(|change| is_counted(change)).count()
    }

    fn missing(&self) -> impl Iterator<Item = &Change> {
        self.changes.iter().filter(|change| change.outcome.is_missing())
    }
}

/// What stands for the changes that are not shown.
fn more(count: usize, what: &str) -> String {
    match count.checked_sub(MOST_SHOWN) {
        None | Some(0) => String::new(),
        Some(more) => format!("... and {more} more {what}; --json shows all of them\n"),
    }
}

impl Report for Applied {
    /// What was done; the changes themselves were shown before.
    fn human(&self) -> String {
        let mut text = String::new();
        for Kept { address, interface, process_id, image } in &self.kept {
            let image = image.as_ref().map_or(String::new(), |image| format!(" ({image})"));
            let _ = writeln!(text, "  {address} {interface} stays: process {process_id}{image} holds a lease on it");
        }
        let unchanged = match self.unchanged + self.count(|change| matches!(change.outcome, ChangeOutcome::NotNeeded)) {
            0 => String::new(),
            1 => " 1 address was as wanted already.".to_owned(),
            count => format!(" {count} addresses were as wanted already."),
        };
        if self.changes.is_empty() {
            return text + format!("Nothing to do.{unchanged}\n").as_str();
        }
        let count = |action| {
            let is_done = |change: &Change| self.dry_run || matches!(change.outcome, ChangeOutcome::Applied);
            self.count(|change| change.action == action && is_done(change))
        };
        let (added, removed) = (count(Action::Add), count(Action::Remove));
        let summary = if self.dry_run {
            format!("Would add {added} and remove {removed}.")
        } else {
            format!("Added {added} and removed {removed}.")
        };
        text + format!("{summary}{unchanged}\n").as_str()
    }

    fn errors(&self) -> String {
        let missing = self.missing().count();
        if missing == 0 {
            return String::new();
        }
        let mut text = format!("{ERROR}error:{ERROR:#} {missing} of {} changes were not made\n", self.changes.len());
        for Change { action, item, interface, outcome } in self.missing().take(MOST_SHOWN) {
            let sign = if *action == Action::Add { '+' } else { '-' };
            let _ = write!(text, "  {sign} {} {interface}: {}", item.address, outcome.name().replace('-', " "));
            let _ = match outcome.failure() {
                Some(failure) => writeln!(text, ": {} [{}]. {}", failure.why, failure.codes(), failure.advice),
                None => writeln!(text),
            };
        }
        text + &more(missing, "of them")
    }

    fn json(&self) -> Value {
        let changes = self.changes.iter().map(|change| {
            json!({
                "action": change.action,
                "address": change.item.address,
                "interface": &*change.interface,
                "outcome": change.outcome.name(),
                "error": change.outcome.failure(),
            })
        });
        let kept = self.kept.iter().map(|kept| {
            json!({
                "address": kept.address,
                "interface": &*kept.interface,
                "process": { "id": kept.process_id, "image": kept.image },
            })
        });
        json!({
            "changes": changes.collect::<Vec<_>>(),
            "unchanged": self.unchanged,
            "kept_leases": kept.collect::<Vec<_>>(),
            "exit_code": self.exit_code() as u8,
        })
    }

    fn exit_code(&self) -> ExitCode {
        let failure = self.changes.iter().find_map(|change| change.outcome.failure());
        match failure {
            Some(failure) => failure.kind.exit_code(),
            None if self.missing().next().is_some() => ExitCode::Failure,
            None => ExitCode::Success,
        }
    }
}
