//! Leases.

use netio_anycast_client::protocol::version::Features;
use netio_anycast_client::{LeaseEntry, LeaseSelection, Selection, Sharing};

use super::Scenario;
use super::context::{AnyClient, Context, DENIED, EXISTS, Stop, check, refused, same};

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario { name: "a lease goes with its handle", needs: Features::LEASES, run: with_its_handle },
    Scenario { name: "a lease goes when it is released", needs: Features::LEASES, run: when_released },
    Scenario { name: "an exclusive lease is nobody else's", needs: Features::LEASES, run: exclusive },
    Scenario { name: "a handle that holds an address can't lease it again", needs: Features::LEASES, run: twice },
    Scenario { name: "a shared lease goes with its last holder", needs: Features::LEASES, run: shared },
    Scenario { name: "a holder of a shared lease gives up its own share", needs: Features::LEASES, run: own_share },
    Scenario { name: "exclusive and shared leases do not mix", needs: Features::LEASES, run: do_not_mix },
    Scenario { name: "force ends a lease for all its holders", needs: Features::LEASES, run: force },
    Scenario { name: "an address without an owner can't be leased", needs: Features::LEASES, run: unowned },
    Scenario { name: "leases are listed with their holders", needs: Features::LEASES, run: listed },
];

/// Leases one of the scenarios' addresses for as long as the client lasts.
fn take(context: &Context<'_>, client: &AnyClient<'_>, number: usize, sharing: Sharing) -> Result<(), Stop> {
    let lease = client.lease(context.address(number), context.interface, sharing)?;
    let _ = lease.until_the_client_goes();
    Ok(())
}

fn with_its_handle(context: &Context<'_>) -> Result<(), Stop> {
    let (holder, observer) = (context.client()?, context.reader()?);
    take(context, &holder, 0, Sharing::Exclusive)?;
    take(context, &holder, 1, Sharing::Shared)?;
    same("the addresses on the interface", &context.there(&observer)?, &vec![context.address(0), context.address(1)])?;
    drop(holder);
    context.wait_until_there(&observer, &[])
}

fn when_released(context: &Context<'_>) -> Result<(), Stop> {
    let client = context.client()?;
    client.lease(context.address(0), context.interface, Sharing::Exclusive)?.release()?;
    same("the addresses on the interface", &context.there(&client)?, &Vec::new())
}

fn exclusive(context: &Context<'_>) -> Result<(), Stop> {
    let (holder, other) = (context.client()?, context.client()?);
    let (address, interface) = (context.address(0), context.interface);
    take(context, &holder, 0, Sharing::Exclusive)?;
    for sharing in [Sharing::Exclusive, Sharing::Shared] {
        refused("another's lease", other.lease(address, interface, sharing), EXISTS)?;
    }
    refused("another's CREATE", other.create(address, interface), EXISTS)?;
    refused("another's DELETE", other.delete(address, interface), DENIED)?;
    same("the addresses on the interface", &context.there(&other)?, &vec![address])
}

fn twice(context: &Context<'_>) -> Result<(), Stop> {
    let client = context.client()?;
    for (number, sharing) in [Sharing::Exclusive, Sharing::Shared].into_iter().enumerate() {
        take(context, &client, number, sharing)?;
        refused("the same again", client.lease(context.address(number), context.interface, sharing), EXISTS)?;
    }
    Ok(())
}

fn shared(context: &Context<'_>) -> Result<(), Stop> {
    let (first, second, observer) = (context.client()?, context.client()?, context.reader()?);
    take(context, &first, 0, Sharing::Shared)?;
    take(context, &second, 0, Sharing::Shared)?;
    drop(first);
    wait_for_holders(context, &observer, 1)?;
    same("the addresses on the interface", &context.there(&observer)?, &vec![context.address(0)])?;
    drop(second);
    context.wait_until_there(&observer, &[])
}

fn own_share(context: &Context<'_>) -> Result<(), Stop> {
    let (first, second) = (context.client()?, context.client()?);
    take(context, &first, 0, Sharing::Shared)?;
    take(context, &second, 0, Sharing::Shared)?;
    first.delete(context.address(0), context.interface)?;
    same("the holders", &holders(context, &second)?, &1)?;
    refused("DELETE without a share", first.delete(context.address(0), context.interface), DENIED)?;
    second.delete(context.address(0), context.interface)?;
    same("the addresses on the interface", &context.there(&second)?, &Vec::new())
}

fn do_not_mix(context: &Context<'_>) -> Result<(), Stop> {
    let (holder, other) = (context.client()?, context.client()?);
    take(context, &holder, 0, Sharing::Shared)?;
    let lease = other.lease(context.address(0), context.interface, Sharing::Exclusive);
    refused("an exclusive lease of a shared address", lease, EXISTS)
}

fn force(context: &Context<'_>) -> Result<(), Stop> {
    let (first, second, administrator) = (context.client()?, context.client()?, context.client()?);
    let (address, interface) = (context.address(0), context.interface);
    take(context, &first, 0, Sharing::Shared)?;
    take(context, &second, 0, Sharing::Shared)?;
    administrator.force_delete(address, interface)?;
    same("the addresses on the interface", &context.there(&administrator)?, &Vec::new())?;
    same("the leases", &leases(context, &administrator)?, &Vec::new())?;
    // It is nobody's any more, so that the ends of those who held it are no matter.
    administrator.create(address, interface)?;
    drop(first);
    drop(second);
    // The driver has got to know that by the time that a lease of another handle has come and gone.
    let marker = context.client()?;
    take(context, &marker, 1, Sharing::Exclusive)?;
    drop(marker);
    context.wait_until_there(&administrator, &[address])
}

fn unowned(context: &Context<'_>) -> Result<(), Stop> {
    let client = context.client()?;
    client.create(context.address(0), context.interface)?;
    for sharing in [Sharing::Exclusive, Sharing::Shared] {
        refused("a lease", client.lease(context.address(0), context.interface, sharing), EXISTS)?;
    }
    same("the leases", &leases(context, &client)?, &Vec::new())
}

fn listed(context: &Context<'_>) -> Result<(), Stop> {
    let (first, second) = (context.client()?, context.client()?);
    take(context, &first, 0, Sharing::Exclusive)?;
    take(context, &first, 1, Sharing::Shared)?;
    take(context, &second, 1, Sharing::Shared)?;
    let listed = leases(context, &first)?;
    let listed: Vec<_> = listed.iter().map(|lease| (lease.entry.address, lease.sharing, lease.holders)).collect();
    let expected = vec![(context.address(0), Sharing::Exclusive, 1), (context.address(1), Sharing::Shared, 2)];
    same("the leases", &listed, &expected)?;
    let process_id = leases(context, &first)?.first().map(|lease| lease.process_id);
    check(process_id.is_some_and(|process_id| process_id != 0), || "a lease has no process".to_owned())?;
    let selection = LeaseSelection { process_id, table: Selection::ALL };
    let of_this_process = first.leases(selection)?.leases;
    let is_there = |address| of_this_process.iter().any(|lease| lease.entry.address == address);
    check(is_there(context.address(0)), || "the list of the process's leases lacks one of them".to_owned())
}

/// The leases of the scenarios' addresses.
fn leases(context: &Context<'_>, client: &AnyClient<'_>) -> Result<Vec<LeaseEntry>, Stop> {
    let table = Selection { family: None, interface: Some(context.interface) };
    let mut leases = client.leases(LeaseSelection { table, process_id: None })?.leases;
    leases.retain(|lease| (0..3).any(|number| lease.entry.address == context.address(number)));
    Ok(leases)
}

fn holders(context: &Context<'_>, client: &AnyClient<'_>) -> Result<u32, Stop> {
    Ok(leases(context, client)?.first().map_or(0, |lease| lease.holders))
}

fn wait_for_holders(context: &Context<'_>, client: &AnyClient<'_>, expected: u32) -> Result<(), Stop> {
    context.wait_until(|| Ok(holders(context, client)? == expected))?;
    same("the holders", &holders(context, client)?, &expected)
}
