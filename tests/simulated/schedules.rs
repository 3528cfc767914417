//! Interleavings that follow from a seed: threads that take turns at every call of a service.
//!
//! A failure names its seed, and the seed gives the same interleaving again. Each test runs 1,000, more than 10,000 together;
//! `KERNEL_SIM_SCHEDULES` asks for another number in each.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use kernel_sim::{Caller, DesiredAccess, Irql, Options, ProcessId, Work};
use netio_anycast_protocol::SERVICE_NAME;
use netio_anycast_protocol::address::AddressFamily;
use netio_anycast_protocol::apply::{ApplyFlags, ItemState};
use netio_anycast_protocol::create::{CreateFlags, CreateRequest, Lifetime};
use netio_anycast_protocol::operation::Operation;
use netio_anycast_protocol::row::Row;
use netio_anycast_protocol::statistics::Statistics;
use netio_anycast_protocol::status::NtStatus;
use netio_model::{Fault, Function};
use zerocopy::IntoBytes as _;

use crate::bench::{Bench, DEVICE, ETHERNET, image, kernel, on};
use crate::client::{Client, OTHER, creation, generation, value};
use crate::report::{self, Race};

/// How many schedules to try: as many as KERNEL_SIM_SCHEDULES asks for.
pub(crate) fn schedules(default: u64) -> u64 {
    let text = std::env::var("KERNEL_SIM_SCHEDULES");
    text.map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("KERNEL_SIM_SCHEDULES is no number: {text}")))
}

#[test]
fn of_two_who_create_the_same_address_exactly_one_succeeds() {
    let mut race = Race::new("of_two_who_create_the_same_address_exactly_one_succeeds", schedules(1_000));
    for seed in 0..schedules(1_000) {
        let bench = Bench::new();
        let results = Mutex::new(Vec::new());
        let create = || -> Work<'_> {
            Box::new(|| {
                let result = bench.create(on(ETHERNET, "192.0.2.1")).map(drop);
                results.lock().expect("nobody panics").push(result);
            })
        };
        race.run(seed, vec![create(), create()]);
        let mut results = results.into_inner().expect("nobody panicked");
        results.sort_unstable();
        assert_eq!(results, [Ok(()), Err(NtStatus::OBJECTID_EXISTS)], "seed {seed}");
        assert_eq!(bench.addresses().len(), 1, "seed {seed}");
    }
}

#[test]
fn what_was_created_and_not_deleted_is_there_and_every_request_is_counted() {
    let mut race =
        Race::new("what_was_created_and_not_deleted_is_there_and_every_request_is_counted", schedules(1_000));
    for seed in 0..schedules(1_000) {
        let bench = Bench::new();
        let (created, deleted) = (AtomicU32::new(0), AtomicU32::new(0));
        let churn = || -> Work<'_> {
            Box::new(|| {
                for text in ["192.0.2.1", "192.0.2.2"] {
                    let is_created = bench.create(on(ETHERNET, text)).is_ok();
                    created.fetch_add(u32::from(is_created), Ordering::Relaxed);
                    let is_deleted = bench.delete(on(ETHERNET, text)).is_ok();
                    deleted.fetch_add(u32::from(is_deleted), Ordering::Relaxed);
                }
            })
        };
        let list: Work<'_> = Box::new(|| {
            for _ in 0..3 {
                let (status, header, rows) = bench.table(AddressFamily::UNSPECIFIED, 2);
                assert_eq!(status, NtStatus::SUCCESS, "seed {seed}");
                assert!(header.is_some_and(|header| header.count as usize == rows.len()), "seed {seed}");
            }
        });
        race.run(seed, vec![churn(), churn(), list]);
        let left = created.into_inner() - deleted.into_inner();
        assert_eq!(bench.addresses().len(), left as usize, "seed {seed}");
        let statistics: Statistics = bench.ask(Operation::QueryStatistics, &[]).expect("QUERY_STATISTICS succeeds");
        let counters = statistics.operations[Operation::Create as usize];
        assert_eq!(counters.succeeded + counters.already_exists, 4, "seed {seed}");
    }
}

#[test]
fn an_interface_may_go_at_any_moment() {
    let mut race = Race::new("an_interface_may_go_at_any_moment", schedules(1_000));
    for seed in 0..schedules(1_000) {
        let bench = Bench::new();
        let use_it: Work<'_> = Box::new(|| {
            let row = on(ETHERNET, "192.0.2.1");
            for result in [bench.create(row).map(drop), bench.get(row).map(drop), bench.delete(row)] {
                assert!(matches!(result, Ok(()) | Err(NtStatus::NOT_FOUND)), "seed {seed}: {result:?}");
            }
        });
        let remove_it: Work<'_> = Box::new(|| {
            // A service of the driver's, so that the moment follows from the seed.
            let _: Statistics = bench.ask(Operation::QueryStatistics, &[]).expect("QUERY_STATISTICS succeeds");
            bench.kernel.netio(|model| model.remove_interface(ETHERNET.luid)).expect("the interface is there");
        });
        race.run(seed, vec![use_it, remove_it]);
    }
}

#[test]
fn who_opens_the_device_while_it_goes_gets_all_of_it_or_nothing() {
    let mut race = Race::new("who_opens_the_device_while_it_goes_gets_all_of_it_or_nothing", schedules(1_000));
    for seed in 0..schedules(1_000) {
        let kernel = kernel(Options::default());
        let driver = kernel.load(&image(), SERVICE_NAME).expect("the driver loads");
        let open = || -> Work<'_> {
            Box::new(|| {
                let Ok(handle) = kernel.open(DEVICE, &Caller::system(), DesiredAccess::READ) else { return };
                let definition = Operation::QueryVersion.definition();
                let reply = handle.control(definition.control_code(), &[], definition.output.fixed);
                assert_eq!(reply.status, NtStatus::SUCCESS, "seed {seed}");
            })
        };
        let unload: Work<'_> = Box::new(|| {
            // Only who is not refused has unloaded it.
            let _ = driver.unload();
        });
        race.run(seed, vec![open(), unload, open()]);
        if !kernel.devices().is_empty() {
            assert!(driver.unload(), "seed {seed}");
        }
        report::judged(&kernel);
        kernel.assert_clean();
    }
}

/// The addresses of leases that are listed, and what NetIO has.
fn assert_leases_are_there(bench: &Bench, seed: u64) {
    let leased: Vec<_> = bench.leases(16).2.iter().map(|lease| lease.row).collect();
    let there = bench.addresses();
    assert!(leased.iter().all(|row| there.contains(row)), "seed {seed}: {leased:?} are leased, {there:?} are there");
}

#[test]
fn a_lease_goes_with_its_handle_whoever_else_wants_its_address() {
    let mut race = Race::new("a_lease_goes_with_its_handle_whoever_else_wants_its_address", schedules(1_000));
    for seed in 0..schedules(1_000) {
        let bench = Bench::new();
        let row = on(ETHERNET, "192.0.2.1");
        let other = bench.another(OTHER);
        let lease: Work<'_> = Box::new(move || {
            let leased = other.lease(row);
            assert!(matches!(leased, Ok(_) | Err(NtStatus::OBJECTID_EXISTS)), "seed {seed}: {leased:?}");
            drop(other);
        });
        let create: Work<'_> = Box::new(|| {
            let created = bench.create(row);
            assert!(matches!(created, Ok(_) | Err(NtStatus::OBJECTID_EXISTS)), "seed {seed}: {created:?}");
            if created.is_ok() {
                assert_eq!(bench.delete(row), Ok(()), "seed {seed}: nobody else may delete it");
            }
        });
        let delete: Work<'_> = Box::new(|| {
            let deleted = bench.delete(row);
            let expected = [Ok(()), Err(NtStatus::NOT_FOUND), Err(NtStatus::ACCESS_DENIED)];
            assert!(expected.contains(&deleted), "seed {seed}: {deleted:?}");
        });
        // Who creates would find the address deleted by him who deletes: one of them at a time.
        let second = if seed % 2 == 0 { create } else { delete };
        race.run(seed, vec![lease, second]);
        assert_eq!(bench.addresses(), [], "seed {seed}");
        assert_eq!(bench.statistics().live_leases, 0, "seed {seed}");
    }
}

#[test]
fn the_last_of_those_who_share_an_address_withdraws_it() {
    let mut race = Race::new("the_last_of_those_who_share_an_address_withdraws_it", schedules(1_000));
    for seed in 0..schedules(1_000) {
        let bench = Bench::new();
        let row = on(ETHERNET, "192.0.2.1");
        let work = (0..3_u32).map(|number| -> Work<'_> {
            let client = bench.another(ProcessId(2000 + number));
            Box::new(move || {
                assert!(client.share(row).is_ok(), "seed {seed}");
                assert!(client.get(row).is_ok(), "seed {seed}: it is there while it is held");
                match number {
                    0 => assert_eq!(client.delete(row), Ok(()), "seed {seed}"),
                    _ => drop(client),
                }
            })
        });
        race.run(seed, work.collect());
        assert_eq!(bench.addresses(), [], "seed {seed}");
        assert_eq!(bench.statistics().live_leases, 0, "seed {seed}");
    }
}

#[test]
fn a_batch_that_fails_leaves_nothing_whoever_changes_its_addresses_meanwhile() {
    let name = "a_batch_that_fails_leaves_nothing_whoever_changes_its_addresses_meanwhile";
    let mut race = Race::new(name, schedules(1_000));
    for seed in 0..schedules(1_000) {
        let bench = Bench::new();
        let texts = ["192.0.2.1", "192.0.2.2", "192.0.2.3"];
        let items = texts.map(|text| creation(on(ETHERNET, text), Lifetime::Handle, CreateFlags::empty()));
        let undone = [items[0], items[1], items[2], items[0]];
        let batch: Work<'_> = Box::new(|| {
            let outcomes = bench.apply(ApplyFlags::ATOMIC, &undone).expect("it is well-formed");
            assert!(outcomes.iter().all(|outcome| outcome.state != ItemState::Applied as u8), "seed {seed}");
            assert!(outcomes.iter().all(|outcome| outcome.state != ItemState::RollbackFailed as u8), "seed {seed}");
        });
        let (second, third) = (bench.another(OTHER), bench.another(ProcessId(3000)));
        let single: Work<'_> = Box::new(|| {
            for text in texts {
                if second.lease(on(ETHERNET, text)).is_ok() {
                    assert_eq!(second.delete(on(ETHERNET, text)), Ok(()), "seed {seed}");
                }
            }
        });
        let other_batch: Work<'_> = Box::new(|| {
            let reversed = [items[2], items[1]];
            let outcomes = third.apply(ApplyFlags::ATOMIC, &reversed).expect("it is well-formed");
            let applied = outcomes.iter().filter(|outcome| outcome.state == ItemState::Applied as u8).count();
            assert!(applied == 0 || applied == 2, "seed {seed}: {outcomes:?}");
        });
        race.run(seed, vec![batch, single, other_batch]);
        assert_leases_are_there(&bench, seed);
        drop((second, third));
        assert_eq!(bench.addresses(), [], "seed {seed}");
    }
}

#[test]
fn a_wait_ends_once_whatever_comes_first() {
    let mut race = Race::new("a_wait_ends_once_whatever_comes_first", schedules(1_000));
    for seed in 0..schedules(1_000) {
        let bench = Bench::new();
        let other = bench.another(OTHER);
        let wait = other.wait_change(0);
        let again: Work<'_> = Box::new(|| {
            let end = generation(bench.wait_change(0));
            assert_eq!(end, Ok(1), "seed {seed}: nobody cancels it");
        });
        let change: Work<'_> = Box::new(|| {
            bench.create(on(ETHERNET, "192.0.2.1")).expect("nobody else creates it");
        });
        let end: Work<'_> = match seed % 3 {
            0 => Box::new(|| wait.cancel()),
            1 => Box::new(move || drop(other)),
            _ => Box::new(|| bench.kernel.kill(OTHER)),
        };
        race.run(seed, vec![again, change, end]);
        let ended = generation(wait);
        assert!(matches!(ended, Ok(1) | Err(NtStatus::CANCELLED)), "seed {seed}: {ended:?}");
        assert_eq!(bench.statistics().pending_waits, 0, "seed {seed}");
    }
}

#[test]
fn what_a_killed_program_leased_goes_whatever_it_was_doing() {
    let mut race = Race::new("what_a_killed_program_leased_goes_whatever_it_was_doing", schedules(1_000));
    for seed in 0..schedules(1_000) {
        let bench = Bench::new();
        let victim = bench.another(OTHER);
        let items =
            ["192.0.2.1", "192.0.2.2"].map(|text| creation(on(ETHERNET, text), Lifetime::Handle, CreateFlags::SHARED));
        let busy: Work<'_> = Box::new(move || {
            // What comes after its end is refused.
            let _ = victim.lease(on(ETHERNET, "2001:db8::1"));
            let _ = victim.apply(ApplyFlags::ATOMIC, &items);
            let _ = victim.wait_change(u64::MAX).wait();
        });
        let kill: Work<'_> = Box::new(|| {
            let _ = bench.statistics();
            bench.kernel.kill(OTHER);
        });
        race.run(seed, vec![busy, kill]);
        assert_eq!(bench.addresses(), [], "seed {seed}");
        assert_eq!(bench.statistics().live_leases, 0, "seed {seed}");
    }
}

#[test]
fn a_request_above_passive_level_is_served_or_cancelled() {
    let mut race = Race::new("a_request_above_passive_level_is_served_or_cancelled", schedules(1_000));
    for seed in 0..schedules(1_000) {
        let bench = Bench::new();
        let driver = Client::driver(&bench.kernel).expect("a driver may open the device");
        let request = CreateRequest { row: on(ETHERNET, "192.0.2.1"), lifetime: 1, flags: 0 };
        let room = size_of::<Row>();
        let pending = driver.start_at(Irql::DISPATCH_LEVEL, Operation::Create, request.as_bytes(), room);
        let cancel: Work<'_> = Box::new(|| pending.cancel());
        let list: Work<'_> = Box::new(|| assert!(bench.leases(2).2.len() <= 1, "seed {seed}"));
        race.run(seed, vec![cancel, list]);
        let created = value::<Row>(&pending.wait());
        match created {
            Ok(_) => assert_eq!(bench.addresses().len(), 1, "seed {seed}"),
            Err(status) => assert_eq!((status, bench.addresses().len()), (NtStatus::CANCELLED, 0), "seed {seed}"),
        }
        drop(driver);
        assert_eq!(bench.addresses(), [], "seed {seed}");
    }
}

#[test]
fn a_refused_withdrawal_is_tried_again_while_others_want_the_address() {
    let mut race = Race::new("a_refused_withdrawal_is_tried_again_while_others_want_the_address", schedules(1_000));
    for seed in 0..schedules(1_000) {
        let bench = Bench::new();
        let row = on(ETHERNET, "192.0.2.1");
        let other = bench.another(OTHER);
        other.lease(row).expect("leased");
        bench.kernel.netio(|model| model.plan(Fault::next(Function::Delete, NtStatus::UNSUCCESSFUL)));
        drop(other);
        let retry: Work<'_> = Box::new(|| bench.kernel.advance(Duration::from_secs(1)));
        let lease: Work<'_> = Box::new(|| {
            // Whoever asks for it gets it, withdrawn or not.
            assert!(bench.lease(row).is_ok(), "seed {seed}");
        });
        race.run(seed, vec![retry, lease]);
        bench.kernel.advance(Duration::from_mins(1));
        assert_eq!(bench.addresses().len(), 1, "seed {seed}");
        assert_eq!(bench.leases(1).2[0].holders, 1, "seed {seed}");
    }
}
