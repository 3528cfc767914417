//! Interleavings that follow from a seed: threads that take turns at every call of a service.
//!
//! A failure names its seed, and the seed gives the same interleaving again. Together the tests run 10,000; `KERNEL_SIM_SCHEDULES` asks
//! for another number in each.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use kernel_sim::{Caller, DesiredAccess, Options, Work};
use netio_anycast_protocol::SERVICE_NAME;
use netio_anycast_protocol::address::AddressFamily;
use netio_anycast_protocol::operation::Operation;
use netio_anycast_protocol::statistics::Statistics;
use netio_anycast_protocol::status::NtStatus;

use crate::bench::{Bench, DEVICE, ETHERNET, image, kernel, on};
use crate::report::{self, Race};

fn schedules(default: u64) -> u64 {
    let text = std::env::var("KERNEL_SIM_SCHEDULES");
    text.map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("KERNEL_SIM_SCHEDULES is no number: {text}")))
}

#[test]
fn of_two_who_create_the_same_address_exactly_one_succeeds() {
    let mut race = Race::new("of_two_who_create_the_same_address_exactly_one_succeeds", schedules(2_500));
    for seed in 0..schedules(2_500) {
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
        Race::new("what_was_created_and_not_deleted_is_there_and_every_request_is_counted", schedules(2_500));
    for seed in 0..schedules(2_500) {
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
    let mut race = Race::new("an_interface_may_go_at_any_moment", schedules(2_500));
    for seed in 0..schedules(2_500) {
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
    let mut race = Race::new("who_opens_the_device_while_it_goes_gets_all_of_it_or_nothing", schedules(2_500));
    for seed in 0..schedules(2_500) {
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
