//! `add`, `delete`, `get`, `list` and `version`, with every documented result of NetIO.

use insta::assert_snapshot;
use netio_anycast_client::protocol::status::NtStatus;
use netio_anycast_client::{Client, InterfaceId, Sharing};
use netio_model::{Families, Fault, Function, Settings};

use crate::fake::Fake;
use crate::{ip, run, transcript};

#[test]
fn a_session() {
    let platform = Fake::with_model(|_| {});
    assert_snapshot!(transcript(
        &platform,
        &[
            "version",
            "list",
            "add 192.0.2.1 --interface 5",
            "add 2001:db8::1 -i Ethernet",
            "add 192.0.2.1 -i 0x6000007000000",
            "add 192.0.2.2/32 -i alias:5",
            "list",
            "list --family ipv6",
            "list --interface 7",
            "get 192.0.2.1 --interface Ethernet",
            "delete 192.0.2.1 --interface Ethernet",
            "list --family ipv4 --interface Ethernet",
        ],
    ));
}

#[test]
fn a_session_in_json() {
    let platform = Fake::with_model(|_| {});
    assert_snapshot!(transcript(
        &platform,
        &[
            "--json version",
            "--json list",
            "--json add 192.0.2.1 --interface 5",
            "add --json 2001:db8::1 -i 7",
            "list --json",
            "get --json 192.0.2.1 --interface Ethernet",
            "delete --json 192.0.2.1 --interface Ethernet",
        ],
    ));
}

#[test]
fn a_duplicate() {
    let platform = Fake::with_model(|_| {});
    let add = "add 192.0.2.1 --interface Ethernet";
    assert_snapshot!(transcript(&platform, &[add, add, "--json add 192.0.2.1 --interface Ethernet"]));
}

#[test]
fn an_address_that_others_lease() {
    let (platform, driver) = Fake::with_leases(|_| {});
    let holder = Client::connect(driver.open()).expect("it speaks this protocol");
    let lease = holder.lease(ip("192.0.2.1"), InterfaceId::Index(5), Sharing::Exclusive).expect("nobody has it");
    assert_snapshot!(transcript(
        &platform,
        &[
            "delete 192.0.2.1 --interface Ethernet",
            "--json delete 192.0.2.1 --interface Ethernet",
            "delete 192.0.2.1 --interface Ethernet --force",
            "list",
        ],
    ));
    drop(lease);
}

#[test]
fn nothing_there() {
    let platform = Fake::with_model(|_| {});
    assert_snapshot!(transcript(
        &platform,
        &[
            "add 192.0.2.1 --interface 99",
            "delete 192.0.2.1 --interface 99",
            "delete 192.0.2.1 --interface 5",
            "get 192.0.2.1 --interface 5",
            "list --interface 99",
            "add 192.0.2.1 --interface Ethernat",
            "list --json --interface Ethernat",
        ],
    ));
}

#[test]
fn addresses_that_cannot_be_anycast() {
    let platform = Fake::with_model(|_| {});
    assert_snapshot!(transcript(
        &platform,
        &[
            "add 0.0.0.0 --interface 5",
            "add 224.0.0.1 --interface 5",
            "add 255.255.255.255 --interface 5",
            "add --json ff02::1 --interface 5",
        ],
    ));
}

#[test]
fn a_missing_stack() {
    let platform = Fake::with_model(|model| {
        model.configure(Settings { stacks: Families::IPV4, ..Settings::default() });
    });
    assert_snapshot!(transcript(
        &platform,
        &["add 2001:db8::1 --interface 5", "list --family ipv6", "list --json --family ipv6"],
    ));
}

#[test]
fn failures_that_netio_does_not_document() {
    let planned = [
        NtStatus::INSUFFICIENT_RESOURCES,
        NtStatus::NO_MEMORY,
        NtStatus::ACCESS_DENIED,
        NtStatus::CANCELLED,
        NtStatus::from_bits(0xC000_ABCD),
        NtStatus::from_bits(0x0000_0001),
    ];
    let platform = Fake::with_model(|model| {
        for (position, status) in (0..).zip(planned) {
            model.plan(Fault::next(Function::Table, status).after(position));
        }
    });
    assert_snapshot!(transcript(&platform, &["list"; 6]));
}

#[test]
fn colours_are_in_the_output_for_the_terminal() {
    let platform = Fake::with_model(|_| {});
    let output = run(Ok(&platform), "get 192.0.2.1 --interface 5");
    assert!(output.stderr.contains("\u{1b}[31m"), "{:?}", output.stderr);
    let output = run(Ok(&platform), "--json get 192.0.2.1 --interface 5");
    assert!(!output.stdout.contains('\u{1b}'), "{:?}", output.stdout);
}
