//! IRPs of another driver's own, at any IRQL.

use std::collections::BTreeSet;
use std::time::Duration;

use kernel_sim::{Faults, Irql, Options, Work};
use netio_anycast_protocol::create::{CreateRequest, DeleteRequest, Lifetime};
use netio_anycast_protocol::operation::Operation;
use netio_anycast_protocol::row::Row;
use netio_anycast_protocol::status::NtStatus;
use netio_anycast_protocol::table::{TableFilter, TableHeader};
use netio_anycast_protocol::wait::Generation;
use zerocopy::IntoBytes as _;

use super::proxy::{self, Answer, Proxy, Send, Way};
use crate::bench::{Bench, ETHERNET, on, resolved};
use crate::report::Race;
use crate::schedules::schedules;

fn lease(row: Row) -> CreateRequest {
    CreateRequest { row, lifetime: Lifetime::Handle as u32, flags: 0 }
}

/// Each way of sending, at each IRQL that it may be sent at.
fn ways() -> Vec<(Way, Irql)> {
    let levels = [Irql::PASSIVE_LEVEL, Irql::APC_LEVEL, Irql::DISPATCH_LEVEL];
    let own = [Way::DeviceControl, Way::Internal].into_iter().flat_map(|way| levels.map(|irql| (way, irql)));
    own.chain([(Way::Built, Irql::PASSIVE_LEVEL)]).collect()
}

#[test]
fn every_way_at_every_irql_does_the_same_and_pends_above_passive_level() {
    for (way, irql) in ways() {
        let bench = Bench::new();
        let driver = proxy::load(&bench.kernel);
        let client = Proxy::open(&bench.kernel).expect("the device can be opened");
        let row = on(ETHERNET, "192.0.2.1");
        let send = |operation, input: &[u8], output_length| -> Answer {
            let send = Send { way, irql, ..Send::operation(operation, input, output_length) };
            client.send(&send).expect("there is memory")
        };
        let pended = irql != Irql::PASSIVE_LEVEL;
        let success = |output: &[u8]| Answer { status: NtStatus::SUCCESS, pended, output: output.to_vec() };
        let failure = |status| Answer { status, pended, output: Vec::new() };

        let found = resolved(ETHERNET, "192.0.2.1");
        let length = size_of::<Row>();
        let context = format!("{way:?} at {irql}");
        assert_eq!(send(Operation::Create, lease(row).as_bytes(), length), success(found.as_bytes()), "{context}");
        assert_eq!(send(Operation::Get, row.as_bytes(), length), success(found.as_bytes()), "{context}");
        let again = send(Operation::Create, lease(row).as_bytes(), length);
        assert_eq!(again, failure(NtStatus::OBJECTID_EXISTS), "{context}");
        let table = send(Operation::GetTable, TableFilter::ALL.as_bytes(), size_of::<TableHeader>() + length);
        assert_eq!(
            (table.status, table.output[size_of::<TableHeader>()..].to_vec()),
            (NtStatus::SUCCESS, found.as_bytes().to_vec())
        );
        assert_eq!(send(Operation::Get, &[1, 2, 3], length), failure(NtStatus::INFO_LENGTH_MISMATCH), "{context}");
        let delete = DeleteRequest { row, flags: 0, reserved: 0 };
        assert_eq!(send(Operation::Delete, delete.as_bytes(), 0), success(&[]), "{context}");
        drop(client);
        assert!(driver.unload());
    }
}

/// IoGetDeviceObjectPointer has closed its handle by then: IRP_MJ_CLEANUP is long over.
#[test]
fn leases_belong_to_the_file_object_and_go_with_its_last_reference() {
    let bench = Bench::new();
    let driver = proxy::load(&bench.kernel);
    let [one, other] = [(), ()].map(|()| Proxy::open(&bench.kernel).expect("the device can be opened"));
    for (client, text) in [(&one, "192.0.2.1"), (&other, "192.0.2.2")] {
        let request = lease(on(ETHERNET, text));
        let created = client.send(&Send::operation(Operation::Create, request.as_bytes(), size_of::<Row>()));
        assert_eq!(created.expect("there is memory").status, NtStatus::SUCCESS);
    }
    drop(one);
    assert_eq!(bench.addresses(), [resolved(ETHERNET, "192.0.2.2")]);
    drop(other);
    assert!(bench.addresses().is_empty());
    assert!(driver.unload());
}

#[test]
fn without_a_file_object_nothing_can_be_leased() {
    let bench = Bench::new();
    let driver = proxy::load(&bench.kernel);
    let client = Proxy::open(&bench.kernel).expect("the device can be opened");
    let row = on(ETHERNET, "192.0.2.1");
    let send = |input: &[u8]| {
        let send = Send { without_file: true, ..Send::operation(Operation::Create, input, size_of::<Row>()) };
        client.send(&send).expect("there is memory").status
    };
    assert!(send(lease(row).as_bytes()).is_error());
    assert!(bench.addresses().is_empty());
    let unowned = CreateRequest { row, lifetime: Lifetime::Unowned as u32, flags: 0 };
    assert_eq!(send(unowned.as_bytes()), NtStatus::SUCCESS);
    bench.delete(row).expect("it is nobody's");
    drop(client);
    assert!(driver.unload());
}

/// Cancelled before a system thread comes to it, or served: one or the other, whole.
#[test]
fn a_request_that_waits_for_a_system_thread_can_be_cancelled() {
    let mut ends = BTreeSet::new();
    let mut race = Race::new("a_request_that_waits_for_a_system_thread_can_be_cancelled", schedules(300));
    for seed in 0..schedules(300) {
        let bench = Bench::new();
        let driver = proxy::load(&bench.kernel);
        let client = Proxy::open(&bench.kernel).expect("the device can be opened");
        let request = lease(on(ETHERNET, "192.0.2.1"));
        let send = Send {
            irql: Irql::DISPATCH_LEVEL,
            cancel: true,
            ..Send::operation(Operation::Create, request.as_bytes(), size_of::<Row>())
        };
        let mut status = None;
        let work: Work<'_> = Box::new(|| status = Some(client.send(&send).expect("there is memory").status));
        let other: Work<'_> = Box::new(|| {
            let _ = bench.get(on(ETHERNET, "192.0.2.9"));
        });
        race.run(seed, vec![work, other]);
        let status = status.expect("the request has ended");
        assert_eq!(bench.addresses().len(), usize::from(status == NtStatus::SUCCESS), "seed {seed}: {status}");
        ends.insert(status);
        drop(client);
        assert!(bench.addresses().is_empty(), "seed {seed}");
        assert!(driver.unload(), "seed {seed}");
    }
    assert_eq!(ends, [NtStatus::CANCELLED, NtStatus::SUCCESS].into(), "both happen");
}

#[test]
fn a_wait_for_changes_can_be_cancelled_and_ends_with_a_change_at_dispatch_level_too() {
    let bench = Bench::new();
    let driver = proxy::load(&bench.kernel);
    let client = Proxy::open(&bench.kernel).expect("the device can be opened");
    for irql in [Irql::PASSIVE_LEVEL, Irql::DISPATCH_LEVEL] {
        let seen = Generation(bench.statistics().generation);
        let wait = Send { irql, ..Send::operation(Operation::WaitChange, seen.as_bytes(), size_of::<Generation>()) };
        let cancelled = client.send(&Send { cancel: true, ..wait }).expect("there is memory");
        assert_eq!((cancelled.status, cancelled.pended), (NtStatus::CANCELLED, true), "{irql}");
        let row = on(ETHERNET, "192.0.2.1");
        let ended = std::thread::scope(|scope| {
            let waiter = scope.spawn(|| client.send(&wait).expect("there is memory"));
            let _ = bench.create(row).expect("the address is free");
            waiter.join().expect("it ends")
        });
        assert_eq!(ended.status, NtStatus::SUCCESS, "{irql}");
        bench.delete(row).expect("it is there");
    }
    drop(client);
    assert!(driver.unload());
}

#[test]
fn any_number_of_threads_may_send_at_any_irql() {
    const THREADS: usize = 64;
    let bench = Bench::new();
    let driver = proxy::load(&bench.kernel);
    let client = Proxy::open(&bench.kernel).expect("the device can be opened");
    let ways = ways();
    let statuses: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|number| {
                let ((way, irql), client) = (ways[number % ways.len()], &client);
                scope.spawn(move || {
                    let row = on(ETHERNET, &format!("2001:db8::{:x}", number + 1));
                    let send = |operation, input: &[u8], length| {
                        let send = Send { way, irql, ..Send::operation(operation, input, length) };
                        client.send(&send).expect("there is memory").status
                    };
                    let delete = DeleteRequest { row, flags: 0, reserved: 0 };
                    [
                        send(Operation::Create, lease(row).as_bytes(), size_of::<Row>()),
                        send(Operation::Get, row.as_bytes(), size_of::<Row>()),
                        send(Operation::Delete, delete.as_bytes(), 0),
                    ]
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("it ends")).collect()
    });
    assert!(statuses.iter().flatten().all(|status| *status == NtStatus::SUCCESS), "{statuses:?}");
    assert!(bench.addresses().is_empty());
    drop(client);
    assert!(driver.unload());
}

#[test]
fn a_raised_request_is_done_whole_or_not_at_all_whatever_fails() {
    let sites = Faults::at_every_site(|faults| {
        let options = Options { faults: faults.clone(), ..Options::default() };
        let (bench, driver, client) = faults.suspended(|| {
            let bench = Bench::with(options);
            let driver = proxy::load(&bench.kernel);
            let client = Proxy::open(&bench.kernel).expect("the device can be opened");
            (bench, driver, client)
        });
        let request = lease(on(ETHERNET, "192.0.2.1"));
        let irql = Irql::DISPATCH_LEVEL;
        let send = Send { irql, ..Send::operation(Operation::Create, request.as_bytes(), size_of::<Row>()) };
        let status = client.send(&send).map_or_else(|status| status, |answer| answer.status);
        let there = bench.addresses().len();
        assert_eq!(there, usize::from(status == NtStatus::SUCCESS), "{:?}: {status}", faults.struck());
        assert!(status == NtStatus::SUCCESS || faults.struck().is_some(), "{status}");
        drop(client);
        // A withdrawal that has failed is tried again after a while.
        bench.kernel.advance(Duration::from_secs(1));
        assert!(bench.addresses().is_empty(), "{:?}", faults.struck());
        assert!(driver.unload());
    });
    let services: BTreeSet<_> = sites.iter().map(|site| site.service).collect();
    assert!(services.contains("IoAllocateWorkItem"), "the driver's own: {services:?}");
    assert!(services.contains("IoSetCompletionRoutineEx"), "the client's: {services:?}");
}
