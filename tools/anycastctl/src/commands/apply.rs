//! `apply`.

mod difference;

use netio_anycast_client::{Access, Atomicity, Client, Error, ErrorKind, Outcome, Transport};

use crate::arguments::ApplyArguments;
use crate::commands::apply::difference::Difference;
use crate::commands::connect;
use crate::console::{Console, Stream};
use crate::failure::{Failure, FailureKind};
use crate::platform::Platform;
use crate::report::change::{Action, Applied, Change, ChangeOutcome};
use crate::wanted::Wanted;

/// The changes of one request, unless they are to be atomic: few enough for a progress bar that moves.
const ITEMS_AT_A_TIME: usize = 1024;

/// Makes interfaces have the addresses that a file lists.
pub(super) fn apply(
    platform: &dyn Platform,
    arguments: &ApplyArguments,
    console: &mut Console<'_>,
) -> Result<Applied, Failure> {
    let wanted = Wanted::read(platform, &arguments.file)?;
    let access = if arguments.dry_run { Access::Read } else { Access::ReadWrite };
    let client = connect(platform, access)?;
    let Difference { changes, unchanged, kept } = Difference::between(platform, &client, &wanted, arguments.prune)?;
    check_limit(arguments, changes.len(), client.version().max_apply_items)?;
    let mut applied = Applied { changes, unchanged, kept, dry_run: arguments.dry_run };
    if !console.speaks_json() {
        // Ahead of what may take long. Who does not read it wants the changes all the same.
        let _ = console.write(Stream::Output, &applied.listing());
    }
    if !arguments.dry_run {
        let atomicity = if arguments.atomic { Atomicity::Atomic } else { Atomicity::Independent };
        make(&client, &mut applied.changes, atomicity, console)?;
    }
    Ok(applied)
}

/// Makes the changes, and notes with each what became of it.
fn make<T: Transport>(
    client: &Client<T>,
    changes: &mut [Change],
    atomicity: Atomicity,
    console: &mut Console<'_>,
) -> Result<(), Failure> {
    let at_a_time = match atomicity {
        Atomicity::Atomic => changes.len(),
        Atomicity::Independent => ITEMS_AT_A_TIME.min(client.version().max_apply_items as usize),
    };
    for change in &mut *changes {
        change.outcome = ChangeOutcome::NotAttempted;
    }
    let bar = console.progress(changes.len(), at_a_time);
    let mut done = 0;
    while done < changes.len() {
        let (_, rest) = changes.split_at_mut(done);
        let part = rest.len().min(at_a_time.max(1));
        let (part, _) = rest.split_at_mut(part);
        let items: Vec<_> = part.iter().map(|change| change.item).collect();
        match client.apply(&items, atomicity) {
            Ok(outcomes) => {
                for (change, outcome) in part.iter_mut().zip(outcomes) {
                    change.outcome = outcome_of(change.action, outcome);
                }
            }
            Err(error) if done == 0 => return Err(error.into()),
            // What went before was done, and has to be told.
            Err(error) => {
                let failure = Failure::from(error);
                for change in part {
                    change.outcome = ChangeOutcome::Failed(failure.clone());
                }
                break;
            }
        }
        done += part.len();
        bar.set_position(done as u64);
    }
    bar.finish_and_clear();
    Ok(())
}

/// What the outcome of an item means for somebody who wants addresses to be there, or not to be.
fn outcome_of(action: Action, outcome: Outcome) -> ChangeOutcome {
    let is_as_wanted = |error: &Error| {
        matches!(
            (action, error.kind()),
            (Action::Add, ErrorKind::AlreadyExists) | (Action::Remove, ErrorKind::NotFound)
        )
    };
    match outcome {
        Outcome::Applied => ChangeOutcome::Applied,
        // Somebody else has done it since the difference was taken.
        Outcome::Failed(error) if is_as_wanted(&error) => ChangeOutcome::NotNeeded,
        Outcome::Failed(error) => ChangeOutcome::Failed(error.into()),
        Outcome::NotAttempted => ChangeOutcome::NotAttempted,
        Outcome::RolledBack => ChangeOutcome::RolledBack,
        Outcome::RollbackFailed(error) => ChangeOutcome::RollbackFailed(error.into()),
    }
}

/// Refuses what the driver can't do at once, before anything is done or shown.
fn check_limit(arguments: &ApplyArguments, changes: usize, limit: u32) -> Result<(), Failure> {
    if !arguments.atomic || changes <= limit as usize {
        return Ok(());
    }
    Err(Failure::new(
        FailureKind::InvalidParameter,
        format!("cannot apply {} at once", arguments.file.display()),
        format!("it takes {changes} changes, and the driver makes at most {limit} of them atomically"),
        "Divide the file, or leave --atomic away",
    ))
}
