//! A hundred thousand addresses through the real I/O path.

use std::net::{IpAddr, Ipv6Addr};
use std::time::Instant;

use netio_anycast_client::{
    Access, Atomicity, Change, Client, DeviceTransport, InterfaceId, Item, LeaseSelection, Outcome, Selection, Sharing,
};

use crate::bench::{ETHERNET, Simulation};

const MANY: u32 = 100_000;
/// The single requests that a batch's items are compared with.
const SINGLE: u32 = 500;
/// How many times cheaper an item has to be.
const GOAL: f64 = 20.0;

fn client() -> Client<DeviceTransport> {
    let device = DeviceTransport::open(Access::ReadWrite).expect("the driver runs");
    Client::connect(device).expect("the versions match")
}

fn address(number: u32) -> IpAddr {
    IpAddr::V6(Ipv6Addr::from_bits(0x2001_0DB8 << 96 | u128::from(number)))
}

/// The same change for each of the addresses, in one batch after the other.
fn apply(client: &Client<DeviceTransport>, change: Change) {
    let interface = InterfaceId::Luid(ETHERNET.luid);
    // Not in their order, as nobody's addresses come.
    let numbers = (0..MANY).map(|number| number.wrapping_mul(7919) % MANY);
    let items: Vec<Item> = numbers.map(|number| Item { address: address(number), interface, change }).collect();
    let outcomes = client.apply(&items, Atomicity::Independent).expect("the batches are well-formed");
    let refused = outcomes.iter().find(|outcome| !outcome.is_applied());
    assert_eq!((refused, outcomes.len()), (None::<&Outcome>, items.len()));
}

/// Tells how long something took, and how long that is for each of so many.
fn timed(what: &str, count: u32, work: impl FnOnce()) -> f64 {
    let started = Instant::now();
    work();
    let elapsed = started.elapsed();
    let each = elapsed.as_secs_f64() * 1e6 / f64::from(count);
    println!("{what}: {:.0} ms, {each:.2} us each", elapsed.as_secs_f64() * 1e3);
    each
}

#[test]
fn a_hundred_thousand_addresses_are_applied_listed_and_deleted() {
    let simulation = Simulation::new();
    let client = client();
    let single = timed("500 single creations", SINGLE, || {
        for number in 0..SINGLE {
            client.create(address(MANY + number), InterfaceId::Luid(ETHERNET.luid)).expect("the address is new");
        }
    });
    simulation.model.remove_interface(ETHERNET.luid).expect("the interface is there");
    simulation.model.add_interface(ETHERNET).expect("the interface is gone");

    let in_batch = timed("100,000 creations in batches", MANY, || apply(&client, Change::Create));
    let cheaper = single / in_batch;
    println!("an item of a batch costs 1/{cheaper:.0} of a request");
    assert!(cheaper >= GOAL, "a batch is only {cheaper:.1} times cheaper than single requests");
    timed("listing them", MANY, || {
        let table = client.table(Selection::ALL).expect("the table can be read").entries;
        assert!(table.iter().map(|entry| entry.address).eq((0..MANY).map(address)), "the table has them all, in order");
    });
    let there = simulation.addresses();
    assert!(there.iter().filter_map(|row| row.address.ip()).eq((0..MANY).map(address)), "NetIO has them all");
    timed("100,000 deletions in batches", MANY, || apply(&client, Change::Delete { force: false }));
    assert_eq!(simulation.addresses(), []);
}

#[test]
fn a_hundred_thousand_leases_are_listed_and_go_with_their_handle() {
    let simulation = Simulation::new();
    let holder = client();
    let observer = client();
    timed("100,000 leases in batches", MANY, || apply(&holder, Change::Lease(Sharing::Exclusive)));
    timed("listing them", MANY, || {
        let leases = observer.leases(LeaseSelection::default()).expect("the leases can be listed").leases;
        assert!(leases.iter().map(|lease| lease.entry.address).eq((0..MANY).map(address)), "the list has them all");
    });
    timed("closing the handle", MANY, || {
        drop(holder);
        assert_eq!(observer.statistics().expect("the driver serves").live_leases, 0);
    });
    assert_eq!(simulation.addresses(), []);
}
