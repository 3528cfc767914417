//! WAIT_CHANGE.

use netio_anycast_client::protocol::status::NtStatus;
use netio_anycast_client::protocol::version::Features;
use netio_anycast_client::{ChangeWait, Selection};

use super::Scenario;
use super::context::{Context, Stop, check, patience, same};

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "a wait from an earlier generation ends at once",
        needs: Features::CHANGE_WAITS,
        run: from_earlier,
    },
    Scenario { name: "a wait from the current generation pends", needs: Features::CHANGE_WAITS, run: from_the_current },
    Scenario { name: "every wait ends with a change", needs: Features::CHANGE_WAITS, run: with_a_change },
    Scenario { name: "a wait that is cancelled is STATUS_CANCELLED", needs: Features::CHANGE_WAITS, run: cancelled },
];

/// The generation that a wait ends with, in bounded time.
fn end(wait: &ChangeWait<'_>) -> Result<u64, Stop> {
    match wait.wait_for(patience()) {
        Some(generation) => Ok(generation?),
        None => Err(Stop::Failed("the wait does not end".to_owned())),
    }
}

fn from_earlier(context: &Context<'_>) -> Result<(), Stop> {
    let client = context.client()?;
    let earlier = client.table(Selection::ALL)?.generation;
    client.create(context.address(0), context.interface)?;
    let before = client.table(Selection::ALL)?.generation;
    let now = end(&client.begin_wait(earlier)?)?;
    let after = client.table(Selection::ALL)?.generation;
    // If nobody else changes anything meanwhile, there is but one.
    check(now == before || before != after, || format!("it ended with {now}, and the table tells {after}"))
}

fn from_the_current(context: &Context<'_>) -> Result<(), Stop> {
    let client = context.reader()?;
    let seen = client.table(Selection::ALL)?.generation;
    let ended = client.begin_wait(seen)?.poll().transpose()?;
    let after = client.table(Selection::ALL)?.generation;
    check(ended.is_none() || after != seen, || format!("it ended with {ended:?}, and the table tells {after}"))
}

fn with_a_change(context: &Context<'_>) -> Result<(), Stop> {
    let (first, second, changer) = (context.reader()?, context.reader()?, context.client()?);
    let seen = first.table(Selection::ALL)?.generation;
    let waits = [first.begin_wait(seen)?, first.begin_wait(seen)?, second.begin_wait(seen)?];
    changer.create(context.address(0), context.interface)?;
    for wait in &waits {
        end(wait)?;
    }
    Ok(())
}

fn cancelled(context: &Context<'_>) -> Result<(), Stop> {
    let client = context.reader()?;
    let seen = client.table(Selection::ALL)?.generation;
    let wait = client.begin_wait(seen)?;
    wait.cancel();
    match wait.wait_for(patience()) {
        None => Err(Stop::Failed("the wait does not end".to_owned())),
        // Somebody else was quicker with a change.
        Some(Ok(generation)) => check(generation != seen, || "it ended without a change".to_owned()),
        Some(Err(error)) => same("the status", &error.status(), &Some(NtStatus::CANCELLED)),
    }
}
