//! Waiting for changes: whoever does sees each of them, in order.

use std::sync::mpsc::{Receiver, channel};
use std::thread::{self, JoinHandle};

use netio_anycast_client::{Access, Client, DeviceTransport};

use crate::bench::{Driver, ETHERNET, Simulation, on};

const CHANGES: u64 = 300;
const THREADS: u64 = 8;

/// A thread that waits for one change after the other, through a handle of its own.
struct Watcher {
    /// The generation when it began.
    begun: u64,
    generations: Receiver<u64>,
    thread: JoinHandle<()>,
}

impl Watcher {
    /// Begins to watch, up to the generation that is `changes` further.
    fn start(changes: u64) -> Self {
        let device = DeviceTransport::open(Access::Read).expect("the driver runs");
        let client = Client::connect(device).expect("the versions match");
        let begun = client.statistics().expect("the counters can be read").generation;
        let (sender, generations) = channel();
        let thread = thread::spawn(move || {
            let mut seen = begun;
            while seen < begun + changes {
                seen = client.wait_change(seen).expect("another change comes");
                sender.send(seen).expect("somebody listens");
            }
        });
        Self { begun, generations, thread }
    }

    fn next(&self) -> u64 {
        self.generations.recv().expect("the watcher sees another change")
    }

    /// What it sees until it ends.
    fn finish(self) -> Vec<u64> {
        let generations = self.generations.iter().collect();
        self.thread.join().expect("the watcher ends");
        generations
    }
}

/// One who does not go on before it was seen can't miss a change.
#[test]
fn a_watcher_sees_every_change_in_order() {
    let simulation = Simulation::new();
    let watcher = Watcher::start(CHANGES);
    let row = on(ETHERNET, "192.0.2.1");
    let mut driver = Driver::open(Access::ReadWrite);
    for change in 1..=CHANGES {
        // Created, deleted, leased, withdrawn with the handle.
        match change % 4 {
            1 => drop(driver.create(row).expect("the address is new")),
            2 => driver.delete(row).expect("the address is there"),
            3 => drop(driver.lease(row).expect("the address is new")),
            _ => driver = Driver::open(Access::ReadWrite),
        }
        assert_eq!(watcher.next(), watcher.begun + change, "change {change}");
    }
    assert_eq!(watcher.finish(), [0_u64; 0]);
    assert_eq!(simulation.addresses(), []);
}

/// Changes that come while it looks elsewhere are seen as one, and none is forgotten.
#[test]
fn a_watcher_of_many_who_change_sees_the_generation_rise_to_the_last() {
    let simulation = Simulation::new();
    let watcher = Watcher::start(THREADS * CHANGES);
    let changing = |thread: u64| {
        move || {
            let driver = Driver::open(Access::ReadWrite);
            let row = on(ETHERNET, &format!("192.0.2.{thread}"));
            for _ in 0..CHANGES / 2 {
                let _ = driver.create(row).expect("the address is new");
                driver.delete(row).expect("the address is there");
            }
        }
    };
    let changers: Vec<_> = (1..=THREADS).map(|thread| thread::spawn(changing(thread))).collect();
    for changer in changers {
        changer.join().expect("nobody else changes these addresses");
    }
    let last = watcher.begun + THREADS * CHANGES;
    let begun = watcher.begun;
    let seen = watcher.finish();
    assert!(seen.is_sorted_by(|one, next| one < next) && seen.first() > Some(&begun), "{seen:?}");
    assert_eq!(seen.last(), Some(&last));
    assert_eq!(simulation.addresses(), []);
}
