//! WAIT_CHANGE: it pends, and ends when something changes or nobody wants it any more.

use std::time::Duration;

use kernel_sim::{Irql, Options};
use netio_anycast_protocol::address::AddressFamily;
use netio_anycast_protocol::operation::Operation;
use netio_anycast_protocol::status::NtStatus;
use netio_anycast_protocol::wait::Generation;
use netio_model::Function;
use zerocopy::IntoBytes as _;

use crate::bench::{Bench, ETHERNET, on, parameters};
use crate::client::{Client, OTHER, generation};

fn looks(bench: &Bench) -> u64 {
    bench.kernel.netio(|model| model.calls(Function::Table))
}

#[test]
fn a_change_of_the_drivers_ends_every_wait_at_once() {
    let bench = Bench::new();
    let other = bench.another(OTHER);
    let waits: Vec<_> = (0..10).map(|_| other.wait_change(0)).collect();
    assert_eq!(bench.statistics().pending_waits, 10);
    bench.create(on(ETHERNET, "192.0.2.1")).expect("created");
    for wait in waits {
        assert!(!wait.is_pending());
        assert_eq!(generation(wait), Ok(1));
    }
    assert_eq!(generation(other.wait_change(0)), Ok(1), "what is past ends it, too");
}

#[test]
fn a_change_of_others_ends_it_within_a_second() {
    let bench = Bench::new();
    let (_, header, _) = bench.table(AddressFamily::UNSPECIFIED, 4);
    let seen = header.expect("a header").generation;
    let wait = bench.wait_change(seen);
    bench.kernel.advance(Duration::from_millis(1_700));
    assert!(wait.is_pending(), "nothing has changed");
    bench.kernel.netio(|model| model.insert(&on(ETHERNET, "192.0.2.1"))).expect("somebody else creates it");
    bench.kernel.advance(Duration::from_millis(999));
    assert!(!wait.is_pending());
    assert_eq!(generation(wait), Ok(seen + 1));
}

#[test]
fn the_table_is_looked_at_while_somebody_waits_and_only_then() {
    let bench = Bench::new();
    bench.kernel.advance(Duration::from_mins(1));
    assert_eq!(looks(&bench), 0);
    let wait = bench.wait_change(0);
    bench.kernel.advance(Duration::from_secs(10));
    assert!((10..=25).contains(&looks(&bench)), "{} looks", looks(&bench));
    wait.cancel();
    bench.kernel.advance(Duration::from_secs(1));
    let before = looks(&bench);
    bench.kernel.advance(Duration::from_mins(1));
    assert_eq!(looks(&bench), before);
}

#[test]
fn who_cancels_a_wait_ends_it_alone() {
    let bench = Bench::new();
    let waits = [bench.wait_change(0), bench.wait_change(0)];
    waits[0].cancel();
    assert!(!waits[0].is_pending() && waits[1].is_pending());
    assert_eq!(bench.statistics().pending_waits, 1);
    waits[1].cancel();
    for wait in waits {
        assert_eq!(generation(wait), Err(NtStatus::CANCELLED));
    }
    assert_eq!(bench.statistics().operations[Operation::WaitChange as usize].cancelled, 2);
}

#[test]
fn a_wait_ends_with_the_last_handle_and_those_of_others_stay() {
    let bench = Bench::new();
    let other = bench.another(OTHER);
    let (ends, stays) = (other.wait_change(0), bench.wait_change(0));
    drop(other);
    assert_eq!(generation(ends), Err(NtStatus::CANCELLED));
    assert!(stays.is_pending());
    stays.cancel();
}

#[test]
fn no_more_waits_pend_than_may() {
    let options = Options { registry: parameters(&[("MaxPendingWaits", 2)]), ..Options::default() };
    let bench = Bench::with(options);
    let waits = [bench.wait_change(0), bench.wait_change(0)];
    assert_eq!(generation(bench.wait_change(0)), Err(NtStatus::QUOTA_EXCEEDED));
    waits[0].cancel();
    let again = bench.wait_change(0);
    assert!(again.is_pending());
    waits[1].cancel();
    again.cancel();
}

/// IoGetDeviceObjectPointer closes its handle before it returns the file object: the cleanup has been, and the caller goes on.
#[test]
fn another_drivers_wait_pends_from_dispatch_level() {
    let bench = Bench::new();
    let driver = Client::driver(&bench.kernel).expect("a driver may open the device");
    let input = Generation(0);
    let wait = driver.start_at(Irql::DISPATCH_LEVEL, Operation::WaitChange, input.as_bytes(), size_of::<Generation>());
    assert!(wait.is_pending());
    bench.create(on(ETHERNET, "192.0.2.1")).expect("created");
    assert_eq!(generation(wait), Ok(1));
}
