//! `bench`, by a clock that goes as it should.

use insta::assert_snapshot;
use netio_anycast_client::protocol::status::NtStatus;
use netio_anycast_client::protocol::version::Features;
use netio_anycast_engine::Limits;
use netio_model::{Families, Fault, Function, Interface, Model};

use crate::fake::Fake;
use crate::in_process::{InProcessDriver, ethernet};
use crate::{leases, transcript};

const SHORT: &str = "bench --count 60 --batch 20 --rounds 3";

#[test]
fn latencies_and_batches() {
    let (platform, driver) = Fake::with_leases(|_| {});
    assert_snapshot!(transcript(&platform, &[SHORT, "stats"]));
    assert_eq!((leases(&driver), driver.model().entry_count()), (0, 0));
}

#[test]
fn in_json() {
    let (platform, _) = Fake::with_leases(|_| {});
    assert_snapshot!(transcript(&platform, &["--json bench --count 60 --batch 20 --rounds 3 --interface 7"]));
}

/// Without IPv6, within the driver's limits, and around addresses that somebody has.
#[test]
fn narrow_places() {
    let mut model = Model::new();
    model.add_interface(Interface { families: Families::IPV4, ..ethernet(5) }).expect("the only interface");
    let limits = Limits { max_apply_items: 7, max_leases_per_handle: 5, ..Limits::DEFAULT };
    let driver = InProcessDriver::limited(model, limits);
    let platform = Fake::with_driver(driver.clone());
    crate::run(Ok(&platform), "add 198.18.0.1 --interface 5");
    let text = transcript(&platform, &[SHORT, "list"]);
    assert!(text.contains("APPLY, 5 items at a time"), "{text}");
    assert!(text.contains("198.18.0.1 "), "{text}");
    assert_eq!(driver.model().entry_count(), 1);
}

#[test]
fn what_cannot_be_measured() {
    let (platform, driver) = Fake::with_leases(|model| {
        model.plan(Fault::next(Function::Create, NtStatus::INSUFFICIENT_RESOURCES).after(30));
    });
    let text = transcript(&platform, &[SHORT, "bench --interface 99", "--json bench --interface 99"]);
    assert_eq!((leases(&driver), driver.model().entry_count()), (0, 0));
    let platform = Fake::with_driver(InProcessDriver::over(Model::new()).offering(Features::ANYCAST));
    assert_snapshot!(text + &transcript(&platform, &["bench", "bench --json"]));
}
