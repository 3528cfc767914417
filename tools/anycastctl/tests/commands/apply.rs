//! `apply`: files of addresses that interfaces are wanted to have.

use insta::assert_snapshot;
use netio_anycast_client::protocol::status::NtStatus;
use netio_anycast_client::{Client, InterfaceId, Sharing};
use netio_anycast_engine::Limits;
use netio_model::{Fault, Function};

use crate::fake::{DAMAGED, DNS, Fake, SECRET};
use crate::in_process::{InProcessDriver, ethernet};
use crate::{ip, run, transcript};

const ETHERNET: &str = r#"
# What this machine serves.
[[interface]]
name = "Ethernet"
addresses = ["192.0.2.53", "2001:db8::53/128"]
"#;

const BOTH: &str = r#"
[[interface]]
name = "Ethernet"
addresses = ["192.0.2.54", "192.0.2.53"]

[[interface]]
name = 7
addresses = []
"#;

fn with(platform: Fake, name: &str, contents: impl Into<Vec<u8>>) -> Fake {
    platform.contents.borrow_mut().insert(name.into(), contents.into());
    platform
}

#[test]
fn what_is_there_already_is_left_alone() {
    let platform = with(Fake::with_model(|_| {}), "dns.toml", ETHERNET);
    assert_snapshot!(transcript(
        &platform,
        &[
            "apply dns.toml --dry-run",
            "list",
            "apply dns.toml",
            "list",
            "apply dns.toml",
            "delete 192.0.2.53 --interface 5",
            "apply dns.toml --atomic",
        ],
    ));
}

#[test]
fn in_json() {
    let platform = with(Fake::with_model(|_| {}), "dns.toml", ETHERNET);
    let platform = with(platform, "both.toml", BOTH);
    assert_snapshot!(transcript(
        &platform,
        &[
            "--json apply dns.toml --dry-run",
            "--json apply dns.toml",
            "--json apply both.toml --prune",
            "--json apply none.toml"
        ],
    ));
}

#[test]
fn what_is_not_wanted_goes_from_the_interfaces_of_the_file_only() {
    let platform = with(Fake::with_model(|_| {}), "both.toml", BOTH);
    let platform = with(platform, "dns.toml", ETHERNET);
    for command_line in [
        "add 192.0.2.53 --interface 5",
        "add 192.0.2.80 --interface 5",
        "add 2001:db8::80 --interface 7",
        "add 192.0.2.80 --interface 7",
    ] {
        run(Ok(&platform), command_line);
    }
    assert_snapshot!(transcript(
        &platform,
        &["apply both.toml", "apply dns.toml --prune", "list", "apply both.toml --prune", "list"],
    ));
}

#[test]
fn an_interface_by_several_names_is_pruned_once() {
    let names = r#"{ "interface": [
        { "name": "Ethernet", "addresses": ["192.0.2.1"] },
        { "name": 5, "addresses": ["192.0.2.2"] },
        { "name": "0x6000005000000", "addresses": ["192.0.2.3"] }
    ] }"#;
    let platform = with(Fake::with_model(|_| {}), "names.json", names);
    assert_snapshot!(transcript(&platform, &["apply names.json", "apply names.json --prune", "list"]));
}

#[test]
fn leases_are_not_pruned() {
    let (platform, driver) = Fake::with_leases(|_| {});
    let platform = with(platform, "both.toml", BOTH);
    let dns = Client::connect(driver.open_as(DNS)).expect("it speaks this protocol");
    let lease = dns.lease(ip("192.0.2.80"), InterfaceId::Index(5), Sharing::Exclusive).expect("nobody has it");
    run(Ok(&platform), "add 192.0.2.81 --interface 5");
    assert_snapshot!(transcript(&platform, &["apply both.toml --prune", "--json apply both.toml --prune"]));
    drop(lease);
}

#[test]
fn a_change_that_fails() {
    let refused = || Fault::next(Function::Create, NtStatus::from_bits(0xC000_ABCD)).after(1);
    for (name, option) in [("by_itself", ""), ("with_all_others", " --atomic")] {
        let platform = with(Fake::with_model(|model| model.plan(refused())), "dns.toml", ETHERNET);
        let text = transcript(&platform, &[&format!("apply dns.toml{option}"), "list"]);
        assert_snapshot!(format!("a_change_that_fails_{name}"), text);
        let platform = with(Fake::with_model(|model| model.plan(refused())), "dns.toml", ETHERNET);
        let text = transcript(&platform, &[&format!("--json apply dns.toml{option}")]);
        assert_snapshot!(format!("a_change_that_fails_{name}_in_json"), text);
    }
}

#[test]
fn a_rollback_that_fails() {
    let platform = Fake::with_model(|model| {
        model.plan(Fault::next(Function::Create, NtStatus::from_bits(0xC000_ABCD)).after(1));
        model.plan(Fault::next(Function::Delete, NtStatus::UNSUCCESSFUL));
    });
    let platform = with(platform, "dns.toml", ETHERNET);
    assert_snapshot!(transcript(&platform, &["apply dns.toml --atomic", "list"]));
}

/// Somebody else is quicker: NetIO says so, and the address is there as was wanted.
#[test]
fn a_change_that_somebody_else_has_made_meanwhile() {
    let platform = Fake::with_model(|model| model.plan(Fault::next(Function::Create, NtStatus::OBJECTID_EXISTS)));
    assert_snapshot!(transcript(&with(platform, "dns.toml", ETHERNET), &["apply dns.toml"]));
}

#[test]
fn more_than_the_driver_takes_at_once() {
    let limited = || {
        let mut model = netio_model::Model::new();
        model.add_interface(ethernet(5)).expect("the only interface");
        let limits = Limits { max_apply_items: 2, ..Limits::DEFAULT };
        Fake::with_driver(InProcessDriver::limited(model, limits))
    };
    let many = "[[interface]]\nname = 5\naddresses = ['192.0.2.1', '192.0.2.2', '192.0.2.3', '192.0.2.4', '192.0.2.5']";
    let platform = with(limited(), "many.toml", many);
    assert_snapshot!(transcript(
        &platform,
        &["apply many.toml --atomic", "apply many.toml --atomic --dry-run", "list", "apply many.toml", "list"],
    ));
}

#[test]
fn long_lists_are_shortened_for_people() {
    let addresses: Vec<String> =
        (0..=255).flat_map(|high| (0..8).map(move |low| format!("'10.0.{low}.{high}'"))).collect();
    let file = format!("[[interface]]\nname = 5\naddresses = [{}]", addresses.join(", "));
    let platform = with(Fake::with_model(|_| {}), "many.toml", file);
    let output = run(Ok(&platform), "apply many.toml").stdout;
    assert_eq!(output.lines().filter(|line| line.contains('+')).count(), 50);
    let end: Vec<&str> = output.lines().skip(50).collect();
    assert_snapshot!(end.join("\n"));
    let json = run(Ok(&platform), "--json apply many.toml --dry-run").stdout;
    let json: serde_json::Value = serde_json::from_str(&json).expect("a document");
    assert_eq!((json["changes"].as_array().map(Vec::len), json["unchanged"].as_u64()), (Some(0), Some(2048)));
}

#[test]
fn files_that_are_wrong() {
    let mut platform = Fake::with_model(|_| {});
    let utf16: Vec<u8> = [0xFF, 0xFE].into_iter().chain(ETHERNET.bytes().flat_map(|byte| [byte, 0])).collect();
    let files: [(&str, &[u8]); 14] = [
        ("utf16.toml", &utf16),
        ("binary.toml", b"\x00\x01\xFE"),
        ("no-toml.toml", b"[[interface]]\nname = \"Ethernet\naddresses = []"),
        ("empty.toml", b""),
        ("address.toml", b"[[interface]]\nname = 5\naddresses = [\n  '192.0.2.1',\n  '192.0.2.0/24',\n]"),
        ("number.toml", b"[[interface]]\nname = 5\naddresses = [192]"),
        ("index.toml", b"[[interface]]\nname = 0\naddresses = []"),
        ("negative.toml", b"[[interface]]\nname = -5\naddresses = []"),
        ("luid.toml", b"[[interface]]\nname = '0x'\naddresses = []"),
        ("unknown.toml", b"[[interface]]\nname = 5\naddress = []"),
        ("alias.toml", b"[[interface]]\nname = 'Ethernat'\naddresses = []"),
        ("interface.toml", b"[[interface]]\nname = 99\naddresses = []"),
        ("no-json.json", b"{ \"interface\": [ }"),
        ("type.json", b"{ \"interface\": [{\n \"name\": null, \"addresses\": [] }] }"),
    ];
    let mut text =
        transcript(&platform, &["apply missing.toml", &format!("apply {SECRET}"), &format!("apply {DAMAGED}")]);
    for (name, contents) in files {
        platform = with(platform, name, contents);
        text += &transcript(&platform, &[&format!("apply {name}")]);
    }
    assert_snapshot!(text + &transcript(&platform, &["--json apply address.toml"]));
}

#[test]
fn a_byte_order_mark_does_no_harm() {
    let platform = with(Fake::with_model(|_| {}), "dns.toml", format!("\u{FEFF}{ETHERNET}"));
    assert_snapshot!(transcript(&platform, &["apply dns.toml --dry-run"]));
}

#[test]
fn a_multicast_address_is_refused_by_itself() {
    let file = "[[interface]]\nname = 5\naddresses = ['192.0.2.1', 'ff02::1']";
    let platform = with(Fake::with_model(|_| {}), "multicast.toml", file);
    assert_snapshot!(transcript(&platform, &["apply multicast.toml"]));
}
