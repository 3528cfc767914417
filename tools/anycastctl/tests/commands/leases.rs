//! `leases`: who holds what.

use std::time::Duration;

use insta::assert_snapshot;
use netio_anycast_client::protocol::version::Features;
use netio_anycast_client::{Client, InterfaceId, Sharing};

use netio_model::Model;

use crate::fake::{DNS, Fake};
use crate::in_process::{InProcessDriver, ethernet};
use crate::{ip, transcript};

const ETHERNET: InterfaceId = InterfaceId::Index(5);

#[test]
fn who_holds_what() {
    let (platform, driver) = Fake::with_leases(|_| {});
    let dns = Client::connect(driver.open_as(DNS)).expect("it speaks this protocol");
    let other = Client::connect(driver.open_as(4712)).expect("it speaks this protocol");
    let leases = [
        dns.lease(ip("192.0.2.53"), ETHERNET, Sharing::Exclusive),
        dns.lease(ip("2001:db8::53"), ETHERNET, Sharing::Shared),
        other.lease(ip("2001:db8::53"), ETHERNET, Sharing::Shared),
        other.lease(ip("192.0.2.80"), InterfaceId::Index(7), Sharing::Shared),
    ];
    driver.pass(Duration::from_secs(61));
    assert_snapshot!(transcript(
        &platform,
        &[
            "leases",
            "leases --process 4712",
            "leases --family ipv6 --interface Ethernet",
            "leases --process 1",
            "leases --interface Ethernat",
            "leases --json --process 4711",
        ],
    ));
    drop(leases);
}

#[test]
fn a_lease_whose_interface_has_gone() {
    let (platform, driver) = Fake::with_leases(|_| {});
    let dns = Client::connect(driver.open_as(DNS)).expect("it speaks this protocol");
    let lease = dns.lease(ip("192.0.2.53"), ETHERNET, Sharing::Exclusive).expect("nobody has it");
    driver.model().remove_interface(ethernet(5).luid).expect("it is there");
    assert_snapshot!(transcript(&platform, &["leases", "leases --interface Ethernet"]));
    drop(lease);
}

#[test]
fn a_driver_without_leases() {
    let platform = Fake::with_driver(InProcessDriver::over(Model::new()).offering(Features::ANYCAST));
    assert_snapshot!(transcript(&platform, &["leases", "--json leases", "stats"]));
}
