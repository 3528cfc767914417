//! The kernel that the driver finds in Wine: Wine's own with `cross/wine/kernel-extension` before it does what Windows documents.
//!
//! Each test is a check of the probe (`drivers/probe`), a driver that uses the services as any driver would.

use std::collections::BTreeSet;

use crate::probe::{Probe, Verdict};

/// Runs one check of the probe: it finds nothing wrong.
fn is_right(check: &str) {
    let verdict = Probe::open().run(check).expect("the probe runs the check");
    assert!(matches!(verdict, Verdict::Right(met) if met > 0), "{check}: {verdict}");
}

macro_rules! checks {
    ($($name:ident)+) => {
        $(#[test] fn $name() { is_right(stringify!($name)); })+

        #[test]
        fn every_check_of_the_probe_is_run() {
            // The first stand in ending.rs and tracing.rs.
            let elsewhere = ["holds_partner", "releases_partner", "tracing"];
            let run: BTreeSet<&str> = elsewhere.into_iter().chain([$(stringify!($name)),+]).collect();
            let there = Probe::open().checks();
            assert_eq!(run, there.iter().map(String::as_str).collect());
        }
    };
}

checks! {
    callback_waits
    callbacks
    clocks
    critical_regions
    device_pointers
    device_pointers_by_link
    dpcs
    events
    irp_cancelled
    irp_completion
    irp_control
    irp_control_statuses
    irp_internal
    irp_protected_completion
    irql
    objects
    pool
    push_locks
    queue_cancel
    queue_extended
    queue_order
    registry
    requestors
    routine_lookup
    rundown
    rundown_waits
    security
    spin_locks
    threads
    timer_dpcs
    timer_feeds_work_item
    timer_signals
    tracing_unheard
    waits_for_several
    work_items
}
