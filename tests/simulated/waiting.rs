//! Requests that wait in a cancel-safe queue, and timers, in simulated time. The driver is `controls/clean_queue.c`.

use std::collections::BTreeSet;
use std::time::Duration;

use kernel_sim::{Caller, DesiredAccess, Driver, Handle, Kernel, Options, Time, Work, interleave};
use netio_anycast_protocol::status::NtStatus;

use crate::bench::kernel;
use crate::controls::{CONTROL, DEVICE, build};

const TIMEOUT: NtStatus = NtStatus::from_bits(0x0000_0102);

fn load(time: Time) -> (Kernel, Driver) {
    let kernel = kernel(Options { time, ..Options::default() });
    let driver = kernel.load(&build::image("clean_queue"), "clean_queue").expect("the driver loads");
    (kernel, driver)
}

fn open(kernel: &Kernel) -> Handle {
    kernel.open(DEVICE, &Caller::administrator(), DesiredAccess::READ).expect("it can be opened")
}

fn unload(kernel: &Kernel, driver: &Driver) {
    assert!(driver.unload(), "it can be unloaded");
    kernel.assert_clean();
}

#[test]
fn a_timer_expires_when_everybody_waits_and_nobody_has_to_sleep_for_it() {
    let (kernel, driver) = load(Time::WhenAllWait);
    let handle = open(&kernel);
    assert_eq!(handle.start(CONTROL, &[], 8).wait().status, TIMEOUT);
    handle.close();
    unload(&kernel, &driver);
}

#[test]
fn time_passes_on_demand() {
    let (kernel, driver) = load(Time::OnDemand);
    let handle = open(&kernel);
    let request = handle.start(CONTROL, &[], 8);
    kernel.advance(Duration::from_millis(999));
    assert!(request.is_pending());
    kernel.advance(Duration::from_millis(1));
    assert!(!request.is_pending(), "its DPC has run");
    assert_eq!(request.wait().status, TIMEOUT);
    handle.close();
    unload(&kernel, &driver);
}

#[test]
fn a_cancel_safe_queue_gives_its_irps_to_who_asks_first() {
    let (kernel, driver) = load(Time::OnDemand);
    let (handle, other) = (open(&kernel), open(&kernel));
    let requests = [handle.start(CONTROL, &[], 8), handle.start(CONTROL, &[], 8), other.start(CONTROL, &[], 8)];
    requests[1].cancel();
    assert!(!requests[1].is_pending() && requests[0].is_pending());
    handle.close();
    assert!(!requests[0].is_pending() && requests[2].is_pending());
    assert_eq!(other.control(CONTROL, &[], 0).status, NtStatus::SUCCESS);
    let ends = requests.map(|request| request.wait().status);
    assert_eq!(ends, [NtStatus::CANCELLED, NtStatus::CANCELLED, NtStatus::SUCCESS]);
    other.close();
    unload(&kernel, &driver);
}

#[test]
fn every_kind_of_lock_and_of_wait_does_what_it_should_whatever_the_schedule() {
    let load = || {
        let kernel = kernel(Options::default());
        let image = build::image("clean_synchronization");
        (kernel.load(&image, "clean_synchronization").expect("the driver loads"), kernel)
    };
    for seed in 0..200 {
        let (driver, kernel) = load();
        let handle = open(&kernel);
        let work = || -> Work<'_> {
            Box::new(|| assert_eq!(handle.control(CONTROL, &[], 0).status, NtStatus::SUCCESS, "seed {seed}"))
        };
        interleave(seed, vec![work(), work(), work()]);
        handle.close();
        unload(&kernel, &driver);
    }
}

#[test]
fn threads_that_take_no_turns_lock_and_wait_together() {
    let kernel = kernel(Options::default());
    let driver =
        kernel.load(&build::image("clean_synchronization"), "clean_synchronization").expect("the driver loads");
    let handle = open(&kernel);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..50 {
                    assert_eq!(handle.control(CONTROL, &[], 0).status, NtStatus::SUCCESS);
                }
            });
        }
    });
    handle.close();
    unload(&kernel, &driver);
}

#[test]
fn a_queued_request_ends_once_whatever_comes_first() {
    let mut ends = BTreeSet::new();
    for seed in 0..500 {
        let (kernel, driver) = load(Time::OnDemand);
        let handle = open(&kernel);
        let request = handle.start(CONTROL, &[], 8);
        let cancel: Work<'_> = Box::new(|| request.cancel());
        let serve: Work<'_> = Box::new(|| drop(handle.control(CONTROL, &[], 0)));
        let expire: Work<'_> = Box::new(|| kernel.advance(Duration::from_secs(1)));
        interleave(seed, vec![cancel, serve, expire]);
        ends.insert(request.wait().status);
        handle.close();
        unload(&kernel, &driver);
    }
    assert_eq!(ends, [NtStatus::CANCELLED, NtStatus::SUCCESS, TIMEOUT].into(), "each happens");
}
