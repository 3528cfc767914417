//! Every mode, on the driver's engine in this process: nothing goes wrong, and the leases go with the clients.

#[path = "../../../crates/client/tests/support/in_process.rs"]
mod in_process;

use in_process::{Handle, InProcessDriver};
use netio_anycast_client::{Client, LeaseSelection};
use test_clients::{INTERFACE, Mode, Numbers, Worker, is_lease_address, lease_address, unowned_address};

fn driver() -> Client<Handle> {
    Client::connect(InProcessDriver::with_interface(INTERFACE).open()).expect("the versions match")
}

#[test]
fn each_mode_does_its_work_as_often_as_it_is_asked() {
    for mode in Mode::ALL {
        for seed in 0..20 {
            let client = driver();
            let mut worker = Worker::new(&client, mode, seed);
            worker.begin().unwrap_or_else(|error| panic!("{mode:?} {seed}: {error}"));
            // Whoever waits alone waits for ever.
            let rounds = if mode == Mode::Wait { 0 } else { 200 };
            for _ in 0..rounds {
                worker.round().unwrap_or_else(|error| panic!("{mode:?} {seed}: {error}"));
            }
            let leases = client.leases(LeaseSelection::default()).expect("the leases can be listed").leases;
            assert!(leases.iter().all(|lease| is_lease_address(lease.entry.address)), "{leases:?}");
            assert!(matches!(mode, Mode::Batch | Mode::Churn) || !leases.is_empty(), "{mode:?} {seed} holds nothing");
        }
    }
}

#[test]
fn a_seed_decides_what_a_client_does() {
    let held = |seed| {
        let client = driver();
        let mut worker = Worker::new(&client, Mode::Batch, seed);
        (0..50).try_for_each(|_| worker.round()).expect("batches are applied");
        client.leases(LeaseSelection::default()).expect("the leases can be listed").leases.len()
    };
    assert_eq!(held(7), held(7));
    assert!((0..10).map(held).collect::<std::collections::BTreeSet<_>>().len() > 1, "every seed does the same");
}

#[test]
fn leased_addresses_and_unowned_ones_lie_apart() {
    for number in 0..100 {
        assert!(is_lease_address(lease_address(number).0));
        assert!(!is_lease_address(unowned_address(number)));
    }
}

#[test]
fn numbers_are_below_their_limit_and_use_all_of_it() {
    let mut numbers = Numbers::new(1);
    let drawn: std::collections::BTreeSet<usize> = (0..1000).map(|_| numbers.below(7)).collect();
    assert_eq!(drawn, (0..7).collect());
}
