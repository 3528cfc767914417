//! Requests that take their time: pending, cancelled, completed by a work item, ended by the end of their handle. The driver is
//! `controls/clean_pending.c`, since today's netio-anycast completes everything at once.

use kernel_sim::{Caller, DesiredAccess, Driver, Faults, Handle, Kernel, Options, Work, interleave};
use netio_anycast_protocol::status::NtStatus;

use crate::bench::kernel;
use crate::controls::{CONTROL, DEVICE, build};

/// Loads the driver.
fn load(options: Options) -> (Kernel, Driver) {
    let kernel = kernel(options);
    let driver = kernel.load(&build::image("clean_pending"), "clean_pending").expect("the driver loads");
    (kernel, driver)
}

fn open(kernel: &Kernel) -> Handle {
    kernel.open(DEVICE, &Caller::administrator(), DesiredAccess::READ).expect("it can be opened")
}

/// Unloads the driver, which has broken no rule.
fn unload(kernel: &Kernel, driver: &Driver) {
    assert!(driver.unload(), "it can be unloaded");
    kernel.assert_clean();
}

#[test]
fn a_work_item_completes_what_is_pending() {
    let (kernel, driver) = load(Options::default());
    let handle = open(&kernel);
    let requests = [handle.start(CONTROL, &[], 8), handle.start(CONTROL, &[], 8)];
    assert!(requests.iter().all(kernel_sim::Pending::is_pending));
    assert_eq!(handle.control(CONTROL, &[], 0).status, NtStatus::SUCCESS);
    assert_eq!(requests.map(|request| request.wait().status), [NtStatus::SUCCESS; 2]);
    handle.close();
    unload(&kernel, &driver);
}

#[test]
fn a_cancelled_request_ends_as_cancelled_and_others_stay() {
    let (kernel, driver) = load(Options::default());
    let handle = open(&kernel);
    let (one, other) = (handle.start(CONTROL, &[], 8), handle.start(CONTROL, &[], 8));
    one.cancel();
    assert_eq!(one.wait().status, NtStatus::CANCELLED);
    assert!(other.is_pending());
    handle.close();
    assert_eq!(other.wait().status, NtStatus::CANCELLED);
    unload(&kernel, &driver);
}

#[test]
fn a_request_is_served_or_cancelled_whatever_comes_first() {
    let mut ends = std::collections::BTreeSet::new();
    for seed in 0..500 {
        let (kernel, driver) = load(Options::default());
        let handle = open(&kernel);
        let request = handle.start(CONTROL, &[], 8);
        let cancel: Work<'_> = Box::new(|| request.cancel());
        let serve: Work<'_> = Box::new(|| drop(handle.control(CONTROL, &[], 0)));
        let close: Work<'_> = Box::new(|| open(&kernel).close());
        interleave(seed, vec![cancel, serve, close]);
        ends.insert(request.wait().status);
        handle.close();
        unload(&kernel, &driver);
    }
    assert_eq!(ends, [NtStatus::CANCELLED, NtStatus::SUCCESS].into(), "both happen");
}

#[test]
fn a_work_item_that_can_t_be_had_leaves_the_requests_pending() {
    let sites = Faults::at_every_site(|faults| {
        let (kernel, driver) = faults.suspended(|| load(Options { faults: faults.clone(), ..Options::default() }));
        let handle = open(&kernel);
        let request = handle.start(CONTROL, &[], 8);
        let served = handle.control(CONTROL, &[], 0).status;
        let failed = faults.struck().is_some();
        assert_eq!(served, if failed { NtStatus::INSUFFICIENT_RESOURCES } else { NtStatus::SUCCESS });
        assert_eq!(request.is_pending(), failed);
        handle.close();
        assert_eq!(request.wait().status, if failed { NtStatus::CANCELLED } else { NtStatus::SUCCESS });
        unload(&kernel, &driver);
    });
    let services: Vec<_> = sites.iter().map(|site| site.service).collect();
    assert_eq!(services, ["IoAllocateWorkItem"]);
}
