//! Leases: what happens to an address when whoever leased it goes, whichever way.

use std::time::Duration;

use kernel_sim::{Options, ProcessId};
use netio_anycast_protocol::create::{CreateFlags, Lifetime};
use netio_anycast_protocol::lease::LeaseRow;
use netio_anycast_protocol::operation::Operation;
use netio_anycast_protocol::status::NtStatus;
use netio_anycast_protocol::version::Version;
use netio_model::{Fault, Function};

use crate::bench::{Bench, ETHERNET, SECOND, on, parameters, resolved};
use crate::client::{Client, FIRST, OTHER};

/// Refuses that many deletions.
fn refuse(bench: &Bench, times: u32) {
    bench.kernel.netio(|model| model.plan(Fault::next(Function::Delete, NtStatus::UNSUCCESSFUL).times(times)));
}

#[test]
fn a_lease_goes_when_its_handle_is_closed_and_when_its_process_is_killed() {
    for killed in [false, true] {
        let bench = Bench::new();
        let other = bench.another(OTHER);
        other.lease(on(ETHERNET, "192.0.2.1")).expect("leased");
        other.share(on(ETHERNET, "2001:db8::1")).expect("leased");
        other.create(on(ETHERNET, "192.0.2.2")).expect("created");
        let waiting = other.wait_change(3);
        assert!(waiting.is_pending());
        if killed {
            bench.kernel.kill(OTHER);
        } else {
            drop(other);
        }
        assert_eq!(bench.addresses(), [resolved(ETHERNET, "192.0.2.2")]);
        assert_eq!(waiting.wait().status, NtStatus::CANCELLED);
        let statistics = bench.statistics();
        assert_eq!((statistics.live_leases, statistics.pending_waits), (0, 0));
    }
}

#[test]
fn a_lease_lives_as_long_as_any_handle_to_its_file_object() {
    let bench = Bench::new();
    let other = bench.another(OTHER);
    other.lease(on(ETHERNET, "192.0.2.1")).expect("leased");
    let inherited = other.handle.duplicate(ProcessId(3000)).expect("the process lives");
    bench.kernel.kill(OTHER);
    assert_eq!(bench.addresses().len(), 1);
    drop(inherited);
    assert_eq!(bench.addresses(), []);
}

#[test]
fn a_lease_is_listed_with_its_process_its_holders_and_its_age() {
    let bench = Bench::new();
    let other = bench.another(OTHER);
    other.share(on(ETHERNET, "192.0.2.1")).expect("leased");
    bench.share(on(ETHERNET, "192.0.2.1")).expect("joined");
    bench.kernel.advance(Duration::from_millis(2_500));
    let expected = LeaseRow {
        row: resolved(ETHERNET, "192.0.2.1"),
        lifetime: Lifetime::Handle as u32,
        flags: CreateFlags::SHARED.bits(),
        holders: 2,
        process_id: OTHER.0,
        age: 2_500,
    };
    assert_eq!(bench.leases(4).2, [expected]);
    drop(other);
    assert_eq!(bench.leases(4).2, [LeaseRow { holders: 1, ..expected }]);
    assert_eq!(bench.addresses().len(), 1, "the other holder keeps it");
}

#[test]
fn who_does_not_hold_a_lease_may_end_it_by_force_only() {
    let bench = Bench::new();
    let other = bench.another(OTHER);
    let row = on(ETHERNET, "192.0.2.1");
    other.lease(row).expect("leased");
    assert_eq!(bench.lease(row).err(), Some(NtStatus::OBJECTID_EXISTS));
    assert_eq!(bench.delete(row), Err(NtStatus::ACCESS_DENIED));
    bench.force(row).expect("by force");
    assert_eq!(bench.addresses(), []);
    bench.lease(row).expect("it is free");
    drop(other);
    assert_eq!(bench.addresses().len(), 1, "it is another lease");
}

#[test]
fn a_withdrawal_that_netio_refuses_is_tried_again_by_a_work_item() {
    let bench = Bench::new();
    let other = bench.another(OTHER);
    other.lease(on(ETHERNET, "192.0.2.1")).expect("leased");
    refuse(&bench, 3);
    drop(other);
    assert_eq!(bench.addresses().len(), 1);
    assert_eq!(bench.leases(1).2[0].holders, 0);
    bench.kernel.advance(Duration::from_millis(699));
    assert_eq!((bench.statistics().withdrawal_retries, bench.addresses().len()), (2, 1));
    bench.kernel.advance(Duration::from_millis(1));
    assert_eq!((bench.statistics().withdrawal_retries, bench.addresses().len()), (3, 0));
}

#[test]
fn a_driver_that_is_unloaded_with_refused_withdrawals_leaves_nothing_of_its_own() {
    let bench = Bench::new();
    let kernel = bench.kernel.clone();
    let other = bench.another(OTHER);
    for number in 1..=100 {
        other.lease(on(ETHERNET, &format!("192.0.2.{number}"))).expect("leased");
    }
    // A hundred withdrawals and a hundred last tries, but for one.
    refuse(&bench, 199);
    drop(other);
    drop(bench);
    assert_eq!(kernel.netio(|model| model.entry_count()), 99);
}

#[test]
fn the_limits_are_those_of_the_parameters_key() {
    let registry = parameters(&[
        ("MaxApplyItems", 100),
        ("MaxLeasesPerHandle", 2),
        ("maxleases", 3),
        ("MaxPendingWaits", u32::MAX),
    ]);
    let bench = Bench::with(Options { registry, ..Options::default() });
    let version: Version = bench.ask(Operation::QueryVersion, &[]).expect("a version");
    let Version { max_apply_items, max_leases_per_handle, max_leases, max_pending_waits, .. } = version;
    assert_eq!((max_apply_items, max_leases_per_handle, max_leases, max_pending_waits), (100, 2, 3, u32::MAX));
    bench.lease(on(ETHERNET, "192.0.2.1")).expect("the first");
    bench.lease(on(ETHERNET, "192.0.2.2")).expect("the second");
    assert_eq!(bench.lease(on(ETHERNET, "192.0.2.3")).err(), Some(NtStatus::QUOTA_EXCEEDED));
    let other = bench.another(OTHER);
    other.lease(on(ETHERNET, "192.0.2.3")).expect("the third in total");
    assert_eq!(other.lease(on(ETHERNET, "192.0.2.4")).err(), Some(NtStatus::QUOTA_EXCEEDED));
}

#[test]
fn values_of_another_type_are_passed_over() {
    const REG_SZ: u32 = 1;
    for value in [(REG_SZ, b"7\0\0\0".to_vec()), (4, vec![7, 0, 0]), (4, vec![7; 8]), (11, vec![7; 8]), (4, Vec::new())]
    {
        let mut registry = parameters(&[("MaxLeases", 5)]);
        for values in registry.values_mut() {
            values.insert("MaxApplyItems".to_owned(), value.clone());
        }
        let bench = Bench::with(Options { registry, ..Options::default() });
        let version: Version = bench.ask(Operation::QueryVersion, &[]).expect("a version");
        assert_eq!((version.max_apply_items, version.max_leases), (65_536, 5), "{value:?}");
    }
}

#[test]
fn a_thousand_leases_of_many_handles_all_go() {
    let bench = Bench::new();
    let clients: Vec<Client> = (0..10).map(|number| bench.another(ProcessId(5000 + number))).collect();
    for (number, client) in clients.iter().enumerate() {
        for address in 0..100 {
            client.lease(on(SECOND, &format!("2001:db8::{number}:{address}"))).expect("leased");
            client.share(on(ETHERNET, &format!("2001:db8::{address}"))).expect("shared by all");
        }
    }
    assert_eq!(bench.statistics().live_leases, 1_100);
    let (status, header, rows) = bench.leases(1_000);
    assert_eq!((status, rows.len()), (NtStatus::BUFFER_OVERFLOW, 1_000));
    assert_eq!(header.map(|header| header.total), Some(1_100));
    for number in 0..10 {
        bench.kernel.kill(ProcessId(5000 + number));
    }
    assert_eq!((bench.statistics().live_leases, bench.addresses().len()), (0, 0));
    assert_ne!(FIRST, OTHER);
}
