//! Many clients at once, and clients that die.

use std::collections::BTreeMap;
use std::process::{Child, Command};
use std::thread;

use netio_anycast_client::Access;
use netio_anycast_protocol::row::Row;
use netio_anycast_protocol::status::NtStatus;
use netio_anycast_protocol::table::TableFilter;
use netio_model::Function;
use test_clients::Numbers;
use winsafe::HEVENT;

use crate::bench::{Bench, Driver, ETHERNET, SECOND, on, resolved};

/// The addresses that the threads fight over.
const CONTENDED: usize = 8;

/// What one thread's replies imply: for each address, its creations less its deletions.
type Balance = BTreeMap<usize, i32>;

fn contended(number: usize) -> Row {
    let interface = if number.is_multiple_of(2) { ETHERNET } else { SECOND };
    on(interface, &format!("192.0.2.{number}"))
}

/// Mixed calls, whose replies may be only those that another thread's calls explain.
fn mixed_calls(seed: u64) -> Balance {
    let driver = Driver::open(Access::ReadWrite);
    let mut numbers = Numbers::new(seed);
    let mut balance = Balance::new();
    for _ in 0..150 {
        let number = numbers.below(CONTENDED);
        let row = contended(number);
        match numbers.below(4) {
            0 => match driver.create(row) {
                Ok(_) => *balance.entry(number).or_default() += 1,
                Err(error) => assert_eq!(error.status, NtStatus::OBJECTID_EXISTS),
            },
            1 => match driver.delete(row) {
                Ok(()) => *balance.entry(number).or_default() -= 1,
                Err(error) => assert_eq!(error.status, NtStatus::NOT_FOUND),
            },
            2 => match driver.get(row) {
                Ok(found) => assert_eq!((found.address, found.luid), (row.address, row.luid)),
                Err(error) => assert_eq!(error.status, NtStatus::NOT_FOUND),
            },
            _ => assert!(driver.table(TableFilter::ALL).expect("the table can be read").len() <= CONTENDED),
        }
    }
    balance
}

#[test]
fn after_mixed_calls_of_32_threads_netio_has_what_the_replies_imply() {
    let bench = Bench::new();
    let threads: Vec<_> = (0..32).map(|seed| thread::spawn(move || mixed_calls(seed))).collect();
    let mut total = Balance::new();
    for thread in threads {
        for (number, balance) in thread.join().expect("no reply was wrong") {
            *total.entry(number).or_default() += balance;
        }
    }
    let expected: Vec<usize> = (0..CONTENDED).filter(|number| total.get(number) == Some(&1)).collect();
    assert!(total.values().all(|balance| [0, 1].contains(balance)), "an address is there or it is not: {total:?}");
    let addresses = bench.addresses();
    let there = |number: &usize| {
        let row = contended(*number);
        addresses.iter().any(|entry| entry.address == row.address && entry.luid == row.luid)
    };
    assert_eq!((0..CONTENDED).filter(there).collect::<Vec<_>>(), expected);
    assert_eq!(addresses.len(), expected.len());
}

/// A named event that this process and the kernel host share.
fn event(name: &str) -> impl std::ops::Deref<Target = HEVENT> {
    HEVENT::CreateEvent(None, true, false, Some(&format!(r"Global\{name}"))).expect("the event can be created")
}

/// This program as another process, which runs one of the tests below that are ignored otherwise.
fn client(test: &str) -> Child {
    let this = std::env::current_exe().expect("the program has a path");
    Command::new(this).args(["--exact", test, "--ignored"]).spawn().expect("the program can be started again")
}

/// Runs `test` as another process until its call of `function` is inside NetIO, kills it there, and lets the call go on.
fn kill_inside(bench: &Bench, function: Function, test: &str) {
    let entered = event("netio-anycast-entered");
    let release = event("netio-anycast-release");
    bench.model.gate(function, "netio-anycast-entered", "netio-anycast-release").expect("the gate can be set");
    let mut client = client(test);
    entered.WaitForSingleObject(None).expect("the client's call comes to NetIO");
    client.kill().expect("the client is alive");
    client.wait().expect("the client is dead");
    release.SetEvent().expect("the event is there");
}

#[test]
fn a_client_killed_inside_create_leaves_a_whole_address_and_a_working_driver() {
    let bench = Bench::new();
    kill_inside(&bench, Function::Create, "concurrency::creates_an_address");
    // Requests of one kernel host are served one after the other, so this one comes after the dead client's.
    assert_eq!(bench.driver.get(on(ETHERNET, "192.0.2.1")), Ok(resolved(ETHERNET, "192.0.2.1")));
    assert_eq!(bench.driver.delete(on(ETHERNET, "192.0.2.1")), Ok(()));
}

#[test]
fn a_client_killed_inside_get_table_leaves_no_table() {
    let bench = Bench::new();
    bench.driver.create(on(ETHERNET, "192.0.2.1")).expect("the address is new");
    kill_inside(&bench, Function::Table, "concurrency::reads_the_table");
    assert_eq!(bench.driver.table(TableFilter::ALL), Ok(vec![resolved(ETHERNET, "192.0.2.1")]));
    assert_eq!(bench.model.state().expect("the model tells its state").outstanding_tables, 0);
}

#[test]
fn clients_killed_while_they_call_without_pause_harm_nobody() {
    let bench = Bench::new();
    for _ in 0..8 {
        let calls = bench.netio_calls();
        let mut client = client("concurrency::calls_without_pause");
        while bench.netio_calls() < calls + 20 {
            thread::yield_now();
        }
        client.kill().expect("the client is alive");
        client.wait().expect("the client is dead");
    }
    let _ = bench.driver.delete(on(ETHERNET, "192.0.2.1"));
    bench.driver.create(on(ETHERNET, "192.0.2.1")).expect("the driver still serves");
    assert_eq!(bench.driver.table(TableFilter::ALL), Ok(vec![resolved(ETHERNET, "192.0.2.1")]));
}

#[test]
#[ignore = "the client that other tests start and kill"]
fn creates_an_address() {
    let _ = Driver::open(Access::ReadWrite).create(on(ETHERNET, "192.0.2.1"));
}

#[test]
#[ignore = "the client that other tests start and kill"]
fn reads_the_table() {
    let _ = Driver::open(Access::Read).table(TableFilter::ALL);
}

#[test]
#[ignore = "the client that other tests start and kill"]
fn calls_without_pause() {
    let driver = Driver::open(Access::ReadWrite);
    loop {
        let _ = driver.create(on(ETHERNET, "192.0.2.1"));
        let _ = driver.table(TableFilter::ALL);
        let _ = driver.delete(on(ETHERNET, "192.0.2.1"));
    }
}
