//! Requests from many threads at once.

use std::sync::Barrier;
use std::thread;

use netio_anycast_protocol::operation::Operation;
use netio_anycast_protocol::row::Row;
use netio_anycast_protocol::status::NtStatus;
use netio_anycast_protocol::table::TableFilter;

use crate::system::{System, on_ethernet};

const THREADS: usize = 8;

fn rows() -> impl Iterator<Item = Row> {
    (1..=100).map(|number| on_ethernet(&format!("192.0.2.{number}")))
}

/// Runs `requests` in every thread, all starting together, and adds up what they return.
fn together(requests: impl Fn() -> usize + Sync) -> usize {
    let start = Barrier::new(THREADS);
    let run = || {
        start.wait();
        requests()
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(run)).collect();
        threads.into_iter().map(|thread| thread.join().expect("no request panics")).sum()
    })
}

#[test]
fn one_of_many_creators_wins_and_every_request_is_counted() {
    let system = System::new();
    let created = together(|| rows().filter(|row| system.create(*row).is_ok()).count());
    assert_eq!(created, 100);
    assert_eq!(system.list(TableFilter::ALL).expect("a table").len(), 100);

    let deleted = together(|| rows().filter(|row| system.delete(*row) == NtStatus::SUCCESS).count());
    assert_eq!(deleted, 100);
    assert_eq!(system.entries(), []);

    let statistics = system.statistics();
    assert_eq!(statistics.generation, 200);
    let create = statistics.operations[Operation::Create as usize];
    assert_eq!((create.succeeded, create.already_exists), (100, (THREADS as u64 - 1) * 100));
    let delete = statistics.operations[Operation::Delete as usize];
    assert_eq!((delete.succeeded, delete.not_found), (100, (THREADS as u64 - 1) * 100));
}
