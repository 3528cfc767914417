//! What NetIO's documentation says, case by case, of each function.

use core::net::IpAddr;

use netio_anycast_protocol::address::{AddressFamily, Luid};
use netio_anycast_protocol::row::Row;
use netio_anycast_protocol::status::NtStatus;
use netio_model::{Families, Function, Interface, Model, Settings, TopologyError};

const ETHERNET: Luid = Luid::new(6, 1);
const WIRELESS: Luid = Luid::new(71, 1);
const IPV4_ONLY: Luid = Luid::new(6, 2);

fn address(text: &str) -> IpAddr {
    text.parse().expect("the test's own address is well-formed")
}

fn on(luid: Luid, text: &str) -> Row {
    Row::on_luid(address(text), luid)
}

fn system() -> Model {
    let mut model = Model::new();
    for (luid, index, families, scope_id) in
        [(ETHERNET, 11, Families::all(), 7), (WIRELESS, 12, Families::all(), 8), (IPV4_ONLY, 13, Families::IPV4, 9)]
    {
        model.add_interface(Interface { luid, index, families, scope_id }).expect("LUID and index are free");
    }
    model
}

#[test]
fn an_address_is_created_read_and_deleted() {
    for text in ["192.0.2.1", "2001:db8::1"] {
        let mut model = system();
        let mut row = on(ETHERNET, text);
        assert_eq!(model.create(&row), NtStatus::SUCCESS);
        assert_eq!(model.get(&mut row), NtStatus::SUCCESS);
        assert_eq!((row.luid, row.index, row.scope_id), (ETHERNET, 11, 7), "the interface fills in the rest");
        assert_eq!(model.delete(&row), NtStatus::SUCCESS);
        assert_eq!(model.get(&mut row), NtStatus::NOT_FOUND);
        assert_eq!(model.delete(&row), NtStatus::NOT_FOUND);
        assert_eq!(model.entry_count(), 0);
    }
}

#[test]
fn an_index_names_the_interface_when_no_luid_does() {
    let mut model = system();
    assert_eq!(model.create(&Row::on_index(address("192.0.2.1"), 12)), NtStatus::SUCCESS);
    assert_eq!(model.get(&mut on(WIRELESS, "192.0.2.1")), NtStatus::SUCCESS);
}

#[test]
fn a_luid_wins_over_an_index() {
    let mut model = system();
    assert_eq!(model.create(&Row { index: 12, ..on(ETHERNET, "192.0.2.1") }), NtStatus::SUCCESS);
    assert_eq!(model.get(&mut on(ETHERNET, "192.0.2.1")), NtStatus::SUCCESS);
    assert_eq!(model.get(&mut on(WIRELESS, "192.0.2.1")), NtStatus::NOT_FOUND);
}

#[test]
fn the_callers_scope_port_and_padding_are_ignored() {
    let mut model = system();
    let mut row = on(ETHERNET, "2001:db8::1");
    row.scope_id = 99;
    row.padding = [0xAA; 4];
    row.address.port = [1, 2];
    assert_eq!(model.create(&row), NtStatus::SUCCESS);
    assert_eq!(model.get(&mut row), NtStatus::SUCCESS);
    row.padding = [0; 4];
    assert_eq!(row, Row { index: 11, scope_id: 7, ..on(ETHERNET, "2001:db8::1") });
}

#[test]
fn bytes_without_meaning_are_not_zero() {
    let mut model = system();
    let mut row = on(ETHERNET, "192.0.2.1");
    assert_eq!(model.create(&row), NtStatus::SUCCESS);
    let table = model.table(AddressFamily::IPV4).expect("there is a row");
    assert_eq!(model.get(&mut row), NtStatus::SUCCESS);
    assert_eq!(table, [row]);
    assert!(row.padding.iter().chain(&row.address.data[4..]).all(|byte| *byte != 0));
    assert_eq!(row.address.ip(), Some(address("192.0.2.1")));
}

#[test]
fn a_duplicate_is_refused_on_one_interface_only() {
    let mut model = system();
    assert_eq!(model.create(&on(ETHERNET, "192.0.2.1")), NtStatus::SUCCESS);
    assert_eq!(model.create(&on(ETHERNET, "192.0.2.1")), NtStatus::RAW_WIN32_OBJECT_ALREADY_EXISTS);
    assert_eq!(model.create(&on(WIRELESS, "192.0.2.1")), NtStatus::SUCCESS);
    assert_eq!(model.entry_count(), 2);

    model.configure(Settings { duplicate: NtStatus::DUPLICATE_OBJECTID, ..model.settings() });
    assert_eq!(model.create(&on(ETHERNET, "192.0.2.1")), NtStatus::DUPLICATE_OBJECTID);
}

#[test]
fn what_is_not_a_unicast_address_is_an_invalid_parameter() {
    let mut rows: Vec<Row> =
        ["0.0.0.0", "255.255.255.255", "224.0.0.1", "::", "ff02::1"].map(|text| on(ETHERNET, text)).into();
    for family in [0, 1, 5, u16::MAX] {
        let mut row = on(ETHERNET, "192.0.2.1");
        row.address.family = AddressFamily(family);
        rows.push(row);
    }
    for row in rows {
        let mut model = system();
        assert_eq!(model.create(&row), NtStatus::INVALID_PARAMETER, "{row:?}");
        assert_eq!(model.delete(&row), NtStatus::INVALID_PARAMETER, "{row:?}");
        assert_eq!(model.get(&mut { row }), NtStatus::INVALID_PARAMETER, "{row:?}");
    }
}

#[test]
fn the_stack_itself_accepts_what_the_documentation_does_not_exclude() {
    let mut model = system();
    for text in ["127.0.0.1", "169.254.1.1", "240.0.0.1", "fe80::1", "::1", "::ffff:192.0.2.1"] {
        assert_eq!(model.create(&on(ETHERNET, text)), NtStatus::SUCCESS, "{text}");
    }
}

#[test]
fn an_interface_must_be_given_and_exist() {
    let cases = [
        (on(Luid::UNSET, "192.0.2.1"), NtStatus::INVALID_PARAMETER),
        (on(Luid::new(6, 99), "192.0.2.1"), NtStatus::NOT_FOUND),
        (Row::on_index(address("192.0.2.1"), 99), NtStatus::NOT_FOUND),
        (Row { index: 11, ..on(Luid::new(6, 99), "192.0.2.1") }, NtStatus::NOT_FOUND),
        (on(IPV4_ONLY, "2001:db8::1"), NtStatus::NOT_FOUND),
    ];
    for (row, expected) in cases {
        let mut model = system();
        assert_eq!(model.create(&row), expected, "{row:?}");
        assert_eq!(model.delete(&row), expected, "{row:?}");
        assert_eq!(model.get(&mut { row }), expected, "{row:?}");
    }
}

#[test]
fn an_absent_stack_is_not_supported_and_has_no_addresses() {
    let mut model = system();
    assert_eq!(model.create(&on(ETHERNET, "192.0.2.1")), NtStatus::SUCCESS);
    assert_eq!(model.create(&on(ETHERNET, "2001:db8::1")), NtStatus::SUCCESS);
    model.configure(Settings { stacks: Families::IPV6, ..model.settings() });

    let mut row = on(ETHERNET, "192.0.2.1");
    assert_eq!(model.create(&row), NtStatus::NOT_SUPPORTED);
    assert_eq!(model.delete(&row), NtStatus::NOT_SUPPORTED);
    assert_eq!(model.get(&mut row), NtStatus::NOT_SUPPORTED);
    assert_eq!(model.table(AddressFamily::IPV4), Err(NtStatus::NOT_SUPPORTED));
    assert_eq!(
        model.table(AddressFamily::UNSPECIFIED).map(|rows| rows.len()),
        Ok(1),
        "the other stack's are still there"
    );

    model.configure(Settings { stacks: Families::empty(), ..model.settings() });
    assert_eq!(model.table(AddressFamily::UNSPECIFIED), Err(NtStatus::NOT_SUPPORTED));
}

#[test]
fn a_table_holds_the_family_asked_for() {
    let mut model = system();
    for row in [on(ETHERNET, "192.0.2.1"), on(WIRELESS, "192.0.2.2"), on(ETHERNET, "2001:db8::1")] {
        assert_eq!(model.create(&row), NtStatus::SUCCESS);
    }
    let count = |model: &mut Model, family| model.table(family).map(|rows| rows.len());
    assert_eq!(count(&mut model, AddressFamily::UNSPECIFIED), Ok(3));
    assert_eq!(count(&mut model, AddressFamily::IPV4), Ok(2));
    assert_eq!(count(&mut model, AddressFamily::IPV6), Ok(1));
    assert_eq!(count(&mut model, AddressFamily(1)), Err(NtStatus::INVALID_PARAMETER));
}

#[test]
fn a_table_is_not_sorted_as_the_driver_sorts() {
    let mut model = system();
    for text in ["192.0.2.1", "192.0.2.2"] {
        assert_eq!(model.create(&on(ETHERNET, text)), NtStatus::SUCCESS);
    }
    let rows = model.table(AddressFamily::UNSPECIFIED).expect("there are rows");
    assert!(!rows.is_sorted_by(|left, right| left.table_order(right).is_le()));
}

#[test]
fn an_empty_table_is_not_found_or_a_success_without_rows() {
    let mut model = system();
    assert_eq!(model.table(AddressFamily::UNSPECIFIED), Err(NtStatus::NOT_FOUND));
    model.configure(Settings { empty_table: NtStatus::SUCCESS, ..model.settings() });
    assert_eq!(model.table(AddressFamily::UNSPECIFIED), Ok(Vec::new()));
}

#[test]
fn luid_and_index_are_converted_into_each_other() {
    let mut model = system();
    assert_eq!(model.luid_from_index(12), Ok(WIRELESS));
    assert_eq!(model.index_from_luid(WIRELESS), Ok(12));
    assert_eq!(model.luid_from_index(0), Err(NtStatus::INVALID_PARAMETER));
    assert_eq!(model.luid_from_index(99), Err(NtStatus::INVALID_PARAMETER));
    assert_eq!(model.index_from_luid(Luid::UNSET), Err(NtStatus::INVALID_PARAMETER));
    assert_eq!(model.index_from_luid(Luid::new(6, 99)), Err(NtStatus::INVALID_PARAMETER));
}

#[test]
fn an_interface_that_goes_takes_its_addresses_along_and_may_return_with_another_index() {
    let mut model = system();
    for row in [on(ETHERNET, "192.0.2.1"), on(ETHERNET, "fe80::1"), on(WIRELESS, "192.0.2.1")] {
        assert_eq!(model.create(&row), NtStatus::SUCCESS);
    }
    let ethernet = *model.interface(ETHERNET).expect("it was added");
    model.remove_interface(ETHERNET).expect("it was added");
    assert_eq!(model.entry_count(), 1);
    assert_eq!(model.create(&on(ETHERNET, "192.0.2.1")), NtStatus::NOT_FOUND);

    model.add_interface(Interface { index: 21, ..ethernet }).expect("the LUID is free again");
    assert_eq!(model.luid_from_index(11), Err(NtStatus::INVALID_PARAMETER));
    assert_eq!(model.create(&Row::on_index(address("192.0.2.1"), 21)), NtStatus::SUCCESS);
    assert_eq!(model.get(&mut on(ETHERNET, "192.0.2.1")), NtStatus::SUCCESS);
}

#[test]
fn interfaces_that_contradict_each_other_are_refused() {
    let mut model = system();
    let ethernet = *model.interface(ETHERNET).expect("it was added");
    let new = Interface { luid: Luid::new(6, 50), index: 50, ..ethernet };
    assert_eq!(model.add_interface(Interface { index: 50, ..ethernet }), Err(TopologyError::InUse));
    assert_eq!(model.add_interface(Interface { index: 11, ..new }), Err(TopologyError::InUse));
    assert_eq!(model.add_interface(Interface { index: 0, ..new }), Err(TopologyError::Unset));
    assert_eq!(model.add_interface(Interface { luid: Luid::UNSET, ..new }), Err(TopologyError::Unset));
    assert_eq!(model.remove_interface(new.luid), Err(TopologyError::Unknown));
    assert_eq!(model.interface_count(), 3);
}

#[test]
fn what_others_do_is_not_counted_as_a_call() {
    let mut model = system();
    let row = on(ETHERNET, "192.0.2.1");
    assert_eq!(model.insert(&row), Ok(()));
    assert_eq!(model.get(&mut { row }), NtStatus::SUCCESS);
    assert_eq!(model.remove(&row), Ok(()));
    assert_eq!(model.remove(&row), Err(NtStatus::NOT_FOUND));
    assert_eq!(Function::ALL.map(|function| model.calls(function)), [0, 0, 1, 0, 0, 0, 0]);
}
