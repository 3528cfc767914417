//! Each operation by its documented results.

use netio_anycast_protocol::address::Luid;
use netio_anycast_protocol::row::Row;
use netio_anycast_protocol::status::NtStatus;
use netio_anycast_protocol::version::{Features, PROTOCOL_VERSION};
use netio_model::{Families, Function, Settings};

use crate::bench::{Bench, ETHERNET, SECOND, address, failure, on, resolved};

#[test]
fn the_version_tells_contract_and_features() {
    let bench = Bench::new();
    let version = bench.driver.version();
    assert_eq!(version.protocol, PROTOCOL_VERSION);
    assert_eq!(Features::from_bits(version.features), Some(Features::all()));
    assert_eq!(format!("{}.{}.{}", version.driver[0], version.driver[1], version.driver[2]), env!("CARGO_PKG_VERSION"));
}

#[test]
fn create_returns_the_row_as_resolved_and_netio_has_it() {
    let bench = Bench::new();
    for text in ["192.0.2.1", "2001:db8::1"] {
        assert_eq!(bench.driver.create(on(ETHERNET, text)), Ok(resolved(ETHERNET, text)));
    }
    assert_eq!(bench.addresses(), [resolved(ETHERNET, "192.0.2.1"), resolved(ETHERNET, "2001:db8::1")]);
}

#[test]
fn an_index_alone_names_an_interface() {
    let bench = Bench::new();
    let row = Row::on_index(address("192.0.2.1"), SECOND.index);
    assert_eq!(bench.driver.create(row), Ok(resolved(SECOND, "192.0.2.1")));
    assert_eq!(bench.driver.get(row), Ok(resolved(SECOND, "192.0.2.1")));
    assert_eq!(bench.driver.delete(row), Ok(()));
    assert_eq!(bench.addresses(), []);
}

#[test]
fn a_luid_wins_over_an_index() {
    let bench = Bench::new();
    let row = Row { index: SECOND.index, ..on(ETHERNET, "192.0.2.1") };
    assert_eq!(bench.driver.create(row), Ok(resolved(ETHERNET, "192.0.2.1")));
}

#[test]
fn scope_id_port_and_padding_are_ignored() {
    let bench = Bench::new();
    let mut row = Row { scope_id: u32::MAX, padding: [0xFF; 4], ..on(ETHERNET, "fe80::1") };
    row.address.port = [0xFF; 2];
    assert_eq!(bench.driver.create(row), Ok(resolved(ETHERNET, "fe80::1")));
    assert_eq!(bench.driver.get(row), Ok(resolved(ETHERNET, "fe80::1")));
}

#[test]
fn an_interface_that_does_not_exist_is_not_found() {
    let bench = Bench::new();
    let not_found = failure(NtStatus::NOT_FOUND, 1168);
    for row in [Row::on_luid(address("192.0.2.1"), Luid::new(6, 99)), Row::on_index(address("192.0.2.1"), 99)] {
        assert_eq!(bench.driver.create(row), Err(not_found));
        assert_eq!(bench.driver.get(row), Err(not_found));
        assert_eq!(bench.driver.delete(row), Err(not_found));
    }
    assert_eq!(bench.addresses(), []);
}

#[test]
fn an_address_that_is_not_there_is_not_found() {
    let bench = Bench::new();
    bench.driver.create(on(SECOND, "192.0.2.1")).expect("the address is new");
    let not_found = failure(NtStatus::NOT_FOUND, 1168);
    assert_eq!(bench.driver.get(on(ETHERNET, "192.0.2.1")), Err(not_found));
    assert_eq!(bench.driver.delete(on(ETHERNET, "192.0.2.1")), Err(not_found));
    assert_eq!(bench.addresses().len(), 1);
}

#[test]
fn a_family_whose_stack_is_absent_is_not_supported() {
    let bench = Bench::new();
    bench
        .model
        .configure(Settings { stacks: Families::IPV4, ..Settings::default() })
        .expect("the model is configurable");
    let not_supported = failure(NtStatus::NOT_SUPPORTED, 50);
    assert_eq!(bench.driver.create(on(ETHERNET, "2001:db8::1")), Err(not_supported));
    assert_eq!(bench.driver.get(on(ETHERNET, "2001:db8::1")), Err(not_supported));
    assert_eq!(bench.driver.delete(on(ETHERNET, "2001:db8::1")), Err(not_supported));
    bench.driver.create(on(ETHERNET, "192.0.2.1")).expect("IPv4 is still there");
}

#[test]
fn a_duplicate_already_exists_on_that_interface_only() {
    let bench = Bench::new();
    bench.driver.create(on(ETHERNET, "192.0.2.1")).expect("the address is new");
    assert_eq!(bench.driver.create(on(ETHERNET, "192.0.2.1")), Err(failure(NtStatus::OBJECTID_EXISTS, 5010)));
    bench.driver.create(on(SECOND, "192.0.2.1")).expect("it is another interface");
    assert_eq!(bench.addresses().len(), 2);
}

/// NetIO's documentation lists the Win32 code 5010 among NTSTATUS values. Read as one it is a success; a driver that asks
/// NT_SUCCESS reports a duplicate as created. The model answers so, and this test is the control of the status map.
#[test]
fn the_win32_code_in_netio_s_documentation_is_never_taken_for_success() {
    let bench = Bench::new();
    let raw = NtStatus::RAW_WIN32_OBJECT_ALREADY_EXISTS;
    assert!(raw.0 >= 0, "NT_SUCCESS would take it for success");
    bench.model.configure(Settings { duplicate: raw, ..Settings::default() }).expect("the model is configurable");
    bench.driver.create(on(ETHERNET, "192.0.2.1")).expect("the address is new");
    assert_eq!(bench.driver.create(on(ETHERNET, "192.0.2.1")), Err(failure(NtStatus::OBJECTID_EXISTS, 5010)));
}

#[test]
fn delete_takes_the_address_away_once() {
    let bench = Bench::new();
    bench.driver.create(on(ETHERNET, "2001:db8::1")).expect("the address is new");
    assert_eq!(bench.driver.delete(on(ETHERNET, "2001:db8::1")), Ok(()));
    assert_eq!(bench.addresses(), []);
    assert_eq!(bench.driver.delete(on(ETHERNET, "2001:db8::1")), Err(failure(NtStatus::NOT_FOUND, 1168)));
}

#[test]
fn an_interface_that_comes_back_with_another_index_is_the_same_by_its_luid() {
    let bench = Bench::new();
    bench.driver.create(on(ETHERNET, "192.0.2.1")).expect("the address is new");
    bench.model.remove_interface(ETHERNET.luid).expect("the interface is there");
    assert_eq!(bench.driver.get(on(ETHERNET, "192.0.2.1")), Err(failure(NtStatus::NOT_FOUND, 1168)));
    let back = netio_model::Interface { index: 44, ..ETHERNET };
    bench.model.add_interface(back).expect("the interface can come back");
    assert_eq!(bench.driver.create(on(ETHERNET, "192.0.2.1")), Ok(resolved(back, "192.0.2.1")));
}

#[test]
fn addresses_that_are_odd_but_may_be_unicast_are_left_to_the_stack() {
    let bench = Bench::new();
    for text in ["127.0.0.1", "169.254.0.1", "240.0.0.1", "::1", "fe80::1", "::ffff:192.0.2.1"] {
        let before = bench.model.state().expect("the model tells its state").calls[Function::Create as usize];
        let _ = bench.driver.create(on(ETHERNET, text));
        let after = bench.model.state().expect("the model tells its state").calls[Function::Create as usize];
        assert_eq!(after, before + 1, "NetIO was asked about {text}");
    }
}
