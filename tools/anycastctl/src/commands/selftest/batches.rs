//! APPLY.

use netio_anycast_client::protocol::apply::{ApplyItem, ApplyReply, ApplyRequest, ItemOutcome};
use netio_anycast_client::protocol::operation::Operation;
use netio_anycast_client::protocol::status::NtStatus;
use netio_anycast_client::protocol::version::Features;
use netio_anycast_client::{Atomicity, Change, Error, ErrorKind, Item, Outcome, Sharing};
use zerocopy::{FromZeros, IntoBytes};

use super::Scenario;
use super::context::{Context, Stop, check, code, control, refused_by_hand, same};

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario { name: "a batch tells what became of each item", needs: Features::BATCHES, run: each_item },
    Scenario {
        name: "an atomic batch that fails leaves everything as it was, deletions included",
        needs: Features::BATCHES,
        run: all_or_nothing,
    },
    Scenario { name: "an atomic batch that succeeds is made", needs: Features::BATCHES, run: all_of_it },
    Scenario {
        name: "leases of a batch go with its handle",
        needs: Features::BATCHES.union(Features::LEASES),
        run: leases_of_a_batch,
    },
    Scenario {
        name: "an atomic batch that fails gives leases back to their handle",
        needs: Features::BATCHES.union(Features::LEASES),
        run: leases_come_back,
    },
    Scenario {
        name: "a batch with a wrong count or an unknown flag is STATUS_INVALID_PARAMETER",
        needs: Features::BATCHES,
        run: malformed_batches,
    },
];

impl Context<'_> {
    fn item(&self, number: usize, change: Change) -> Item {
        Item { address: self.address(number), interface: self.interface, change }
    }

    fn create(&self, number: usize) -> Item {
        self.item(number, Change::Create)
    }

    fn delete(&self, number: usize) -> Item {
        self.item(number, Change::Delete { force: false })
    }
}

fn each_item(context: &Context<'_>) -> Result<(), Stop> {
    let client = context.client()?;
    let items = [context.create(0), context.create(0), context.delete(1), context.create(2), context.delete(0)];
    let outcomes = client.apply(&items, Atomicity::Independent)?;
    let kinds: Vec<_> = outcomes.iter().map(|outcome| outcome.error().map(Error::kind)).collect();
    let expected = vec![None, Some(ErrorKind::AlreadyExists), Some(ErrorKind::NotFound), None, None];
    same("the outcomes", &kinds, &expected)?;
    same("the addresses on the interface", &context.there(&client)?, &vec![context.address(2)])
}

fn all_or_nothing(context: &Context<'_>) -> Result<(), Stop> {
    let client = context.client()?;
    client.create(context.address(0), context.interface)?;
    client.create(context.address(1), context.interface)?;
    let before = context.there(&client)?;
    let items = [context.delete(0), context.create(2), context.delete(1), context.create(0), context.delete(3)];
    let outcomes = client.apply(&items, Atomicity::Atomic)?;
    let (last, others) = (outcomes.last(), outcomes.iter().take(items.len() - 1));
    check(others.into_iter().all(|outcome| *outcome == Outcome::RolledBack), || format!("the outcomes: {outcomes:?}"))?;
    check(matches!(last, Some(Outcome::Failed(_))), || format!("the last outcome: {last:?}"))?;
    same("the addresses on the interface", &context.there(&client)?, &before)
}

fn all_of_it(context: &Context<'_>) -> Result<(), Stop> {
    let client = context.client()?;
    client.create(context.address(0), context.interface)?;
    let outcomes = client.apply(&[context.delete(0), context.create(1), context.create(2)], Atomicity::Atomic)?;
    check(outcomes.iter().all(Outcome::is_applied), || format!("the outcomes: {outcomes:?}"))?;
    same("the addresses on the interface", &context.there(&client)?, &vec![context.address(1), context.address(2)])
}

fn leases_of_a_batch(context: &Context<'_>) -> Result<(), Stop> {
    let (holder, observer) = (context.client()?, context.reader()?);
    let lease = |number| context.item(number, Change::Lease(Sharing::Exclusive));
    let outcomes = holder.apply(&[lease(0), lease(1)], Atomicity::Atomic)?;
    check(outcomes.iter().all(Outcome::is_applied), || format!("the outcomes: {outcomes:?}"))?;
    drop(holder);
    context.wait_until_there(&observer, &[])
}

fn leases_come_back(context: &Context<'_>) -> Result<(), Stop> {
    let (holder, observer) = (context.client()?, context.reader()?);
    let lease = holder.lease(context.address(0), context.interface, Sharing::Exclusive)?;
    let _ = lease.until_the_client_goes();
    let outcomes = holder.apply(&[context.delete(0), context.delete(1)], Atomicity::Atomic)?;
    check(outcomes.first() == Some(&Outcome::RolledBack), || format!("the outcomes: {outcomes:?}"))?;
    same("the addresses on the interface", &context.there(&observer)?, &vec![context.address(0)])?;
    drop(holder);
    context.wait_until_there(&observer, &[])
}

fn malformed_batches(context: &Context<'_>) -> Result<(), Stop> {
    let client = context.client()?;
    let item = ApplyItem::new_zeroed();
    for (what, header) in [
        ("a count that is too high", ApplyRequest { flags: 0, count: 2 }),
        ("a count that is too low", ApplyRequest { flags: 0, count: 0 }),
        ("the flag 2", ApplyRequest { flags: 2, count: 1 }),
    ] {
        let input = [header.as_bytes(), item.as_bytes()].concat();
        let output = size_of::<ApplyReply>() + 2 * size_of::<ItemOutcome>();
        let result = control(&client, code(Operation::Apply), &input, output)?;
        refused_by_hand(&format!("APPLY with {what}"), &result, NtStatus::INVALID_PARAMETER)?;
    }
    Ok(())
}
