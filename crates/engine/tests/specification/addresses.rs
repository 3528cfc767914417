//! CREATE, DELETE and GET: what a caller is promised.

use netio_anycast_protocol::address::{AddressFamily, Luid, SocketAddress};
use netio_anycast_protocol::row::Row;
use netio_anycast_protocol::status::NtStatus;
use netio_model::{Families, Function};

use crate::system::{ETHERNET, ETHERNET_INDEX, SECOND, SECOND_INDEX, System, UNKNOWN, UNKNOWN_INDEX, ip, on_ethernet};

/// A row as the driver returns it.
fn resolved(address: &str, luid: Luid, index: u32) -> Row {
    Row { index, scope_id: index, ..Row::on_luid(ip(address), luid) }
}

#[test]
fn create_returns_the_row_as_resolved() {
    let system = System::new();
    for address in ["192.0.2.1", "2001:db8::1"] {
        assert_eq!(system.create(on_ethernet(address)), Ok(resolved(address, ETHERNET, ETHERNET_INDEX)));
    }
    assert_eq!(system.entries().len(), 2);
}

#[test]
fn an_index_names_the_interface_when_no_luid_does() {
    let system = System::new();
    let row = Row::on_index(ip("192.0.2.1"), SECOND_INDEX);
    assert_eq!(system.create(row), Ok(resolved("192.0.2.1", SECOND, SECOND_INDEX)));
    assert_eq!(system.get(row), Ok(resolved("192.0.2.1", SECOND, SECOND_INDEX)));
    assert_eq!(system.delete(row), NtStatus::SUCCESS);
    assert_eq!(system.entries(), []);
}

#[test]
fn a_luid_wins_over_an_index_that_disagrees() {
    let system = System::new();
    let row = Row { index: SECOND_INDEX, ..on_ethernet("192.0.2.1") };
    assert_eq!(system.create(row), Ok(resolved("192.0.2.1", ETHERNET, ETHERNET_INDEX)));
    assert_eq!(system.model().calls(Function::LuidFromIndex), 0);
}

#[test]
fn what_a_caller_leaves_in_the_ignored_fields_is_ignored() {
    let system = System::new();
    for address in ["192.0.2.1", "2001:db8::1"] {
        let clear = on_ethernet(address);
        let mut cluttered = Row { padding: [0xEE; 4], scope_id: 77, ..clear };
        cluttered.address.port = [0xEE; 2];
        if clear.address.family == AddressFamily::IPV4 {
            cluttered.address.data[4..].fill(0xEE);
        } else {
            cluttered.address.data[..4].fill(0xEE);
            cluttered.address.data[20..].fill(0xEE);
        }
        let expected = Ok(resolved(address, ETHERNET, ETHERNET_INDEX));
        assert_eq!(system.create(cluttered), expected);
        assert_eq!(system.get(cluttered), expected);
        assert_eq!(system.get(clear), expected);
        assert_eq!(system.delete(cluttered), NtStatus::SUCCESS);
    }
}

#[test]
fn a_duplicate_is_refused_and_nothing_changes() {
    let system = System::new();
    let row = on_ethernet("192.0.2.1");
    system.create(row).expect("the first");
    let generation = system.statistics().generation;
    for raw in [0x0000_1392, 0xC000_022A, 0xC000_022B, 0xC007_1392, 0xC000_0035] {
        system.configure(|settings| settings.duplicate = NtStatus::from_bits(raw));
        assert_eq!(system.create(row), Err(NtStatus::OBJECTID_EXISTS), "{raw:#010X}");
        let counters = system.counters(netio_anycast_protocol::operation::Operation::Create);
        assert_eq!(counters.last_netio_failure, NtStatus::from_bits(raw), "what NetIO itself said is kept");
    }
    assert_eq!(system.statistics().generation, generation);
    assert_eq!(system.entries().len(), 1);
}

#[test]
fn the_same_address_may_be_on_two_interfaces() {
    let system = System::new();
    system.create(on_ethernet("192.0.2.1")).expect("on the first");
    system.create(Row::on_luid(ip("192.0.2.1"), SECOND)).expect("on the second");
    assert_eq!(system.delete(on_ethernet("192.0.2.1")), NtStatus::SUCCESS);
    assert_eq!(system.entries(), [resolved("192.0.2.1", SECOND, SECOND_INDEX)]);
}

#[test]
fn an_address_that_is_not_there_is_not_found() {
    let system = System::new();
    assert_eq!(system.get(on_ethernet("192.0.2.1")), Err(NtStatus::NOT_FOUND));
    assert_eq!(system.delete(on_ethernet("192.0.2.1")), NtStatus::NOT_FOUND);
}

#[test]
fn an_interface_that_is_not_there_is_not_found() {
    let system = System::new();
    for row in [Row::on_luid(ip("192.0.2.1"), UNKNOWN), Row::on_index(ip("192.0.2.1"), UNKNOWN_INDEX)] {
        assert_eq!(system.create(row), Err(NtStatus::NOT_FOUND));
        assert_eq!(system.get(row), Err(NtStatus::NOT_FOUND));
        assert_eq!(system.delete(row), NtStatus::NOT_FOUND);
    }
}

#[test]
fn whatever_the_index_conversion_answers_the_interface_is_not_found() {
    for raw in [NtStatus::INVALID_PARAMETER, NtStatus::UNSUCCESSFUL, NtStatus::from_bits(0x57), NtStatus::SUCCESS] {
        let system = System::new();
        system.fail_next(Function::LuidFromIndex, raw);
        assert_eq!(system.create(Row::on_index(ip("192.0.2.1"), ETHERNET_INDEX)), Err(NtStatus::NOT_FOUND), "{raw}");
        assert_eq!(system.model().calls(Function::Create), 0);
    }
}

#[test]
fn an_absent_stack_is_not_supported() {
    let system = System::new();
    system.configure(|settings| settings.stacks = Families::IPV4);
    let row = on_ethernet("2001:db8::1");
    assert_eq!(system.create(row), Err(NtStatus::NOT_SUPPORTED));
    assert_eq!(system.get(row), Err(NtStatus::NOT_SUPPORTED));
    assert_eq!(system.delete(row), NtStatus::NOT_SUPPORTED);
}

#[test]
fn what_is_not_unicast_is_refused_without_asking_netio() {
    let mut bad = Vec::from(
        ["0.0.0.0", "224.0.0.0", "224.0.0.1", "239.255.255.255", "255.255.255.255", "::", "ff00::", "ff02::1"]
            .map(on_ethernet),
    );
    // AF_UNSPEC, AF_UNIX, Linux' AF_INET6, AF_MAX and beyond.
    bad.extend([0, 1, 10, 22, 24, 35, u16::MAX].map(|family| {
        let address = SocketAddress { family: AddressFamily(family), ..SocketAddress::new(ip("192.0.2.1")) };
        Row { address, ..on_ethernet("192.0.2.1") }
    }));
    refused_without_asking_netio(&bad);
}

#[test]
fn no_interface_is_refused_without_asking_netio() {
    refused_without_asking_netio(&["192.0.2.1", "2001:db8::1"].map(|address| Row::on_luid(ip(address), Luid::UNSET)));
}

fn refused_without_asking_netio(rows: &[Row]) {
    let system = System::new();
    for row in rows {
        assert_eq!(system.create(*row), Err(NtStatus::INVALID_PARAMETER), "{row:?}");
        assert_eq!(system.get(*row), Err(NtStatus::INVALID_PARAMETER), "{row:?}");
        assert_eq!(system.delete(*row), NtStatus::INVALID_PARAMETER, "{row:?}");
    }
    assert_eq!(system.netio_calls(), 0);
}

#[test]
fn what_only_the_stack_can_judge_is_left_to_it() {
    let system = System::new();
    let addresses = ["127.0.0.1", "169.254.1.1", "223.255.255.255", "240.0.0.1", "255.255.255.254", "0.0.0.1"];
    let six = ["::1", "fe80::1", "::ffff:192.0.2.1", "::ffff:224.0.0.1", "fec0::1", "feff::1"];
    for address in addresses.into_iter().chain(six) {
        system.create(on_ethernet(address)).unwrap_or_else(|status| panic!("{address}: {status}"));
    }
    assert_eq!(system.model().calls(Function::Create), 12);
}

#[test]
fn a_created_row_that_cannot_be_read_back_is_created_all_the_same() {
    let system = System::new();
    system.fail_next(Function::Get, NtStatus::NOT_FOUND);
    let without_scope = Row { scope_id: 0, ..resolved("192.0.2.1", ETHERNET, ETHERNET_INDEX) };
    assert_eq!(system.create(on_ethernet("192.0.2.1")), Ok(without_scope));

    system.fail_next(Function::Get, NtStatus::NOT_FOUND);
    system.fail_next(Function::IndexFromLuid, NtStatus::INVALID_PARAMETER);
    let without_index = Row { index: 0, scope_id: 0, ..resolved("192.0.2.2", ETHERNET, ETHERNET_INDEX) };
    assert_eq!(system.create(on_ethernet("192.0.2.2")), Ok(without_index));

    assert_eq!(system.entries().len(), 2);
    assert_eq!(system.statistics().generation, 2);
}

#[test]
fn only_what_changed_something_moves_the_generation() {
    let system = System::new();
    let row = on_ethernet("192.0.2.1");
    let generation = |system: &System| system.statistics().generation;
    assert_eq!(system.delete(row), NtStatus::NOT_FOUND);
    assert_eq!(generation(&system), 0);
    system.create(row).expect("a new address");
    assert_eq!(generation(&system), 1);
    system.create(row).expect_err("a duplicate");
    system.get(row).expect("the address");
    assert_eq!(generation(&system), 1);
    assert_eq!(system.delete(row), NtStatus::SUCCESS);
    assert_eq!(generation(&system), 2);
}
