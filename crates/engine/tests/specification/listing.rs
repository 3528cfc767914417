//! GET_TABLE: what a caller is promised.

use netio_anycast_protocol::address::{AddressFamily, Luid};
use netio_anycast_protocol::operation::Operation;
use netio_anycast_protocol::row::Row;
use netio_anycast_protocol::status::NtStatus;
use netio_anycast_protocol::table::{TableFilter, TableHeader};
use netio_model::Function;
use proptest::prelude::*;
use zerocopy::IntoBytes;

use crate::system::{ETHERNET, SECOND, SECOND_INDEX, System, UNKNOWN, UNKNOWN_INDEX, ip, on_ethernet};

/// Addresses on both interfaces, in the order in which they are listed.
const SORTED: [(Luid, &str); 6] = [
    (ETHERNET, "9.0.0.1"),
    (ETHERNET, "10.0.0.1"),
    (ETHERNET, "2001:db8::9"),
    (ETHERNET, "2001:db8::10"),
    (SECOND, "8.0.0.1"),
    (SECOND, "2001:db8::1"),
];

fn system_with_addresses() -> System {
    let system = System::new();
    for (luid, address) in SORTED.iter().rev() {
        system.create(Row::on_luid(ip(address), *luid)).expect("a new address");
    }
    system
}

fn names(rows: &[Row]) -> Vec<(Luid, String)> {
    rows.iter().map(|row| (row.luid, row.address.ip().expect("an address").to_string())).collect()
}

fn expected(keep: impl Fn(Luid, &str) -> bool) -> Vec<(Luid, String)> {
    SORTED.into_iter().filter(|(luid, address)| keep(*luid, address)).map(|(luid, text)| (luid, text.into())).collect()
}

#[test]
fn rows_are_sorted_by_luid_family_and_address() {
    let rows = system_with_addresses().list(TableFilter::ALL).expect("a table");
    assert_eq!(names(&rows), expected(|_, _| true));
}

#[test]
fn rows_are_complete_and_hold_nothing_that_netio_left_behind() {
    let system = system_with_addresses();
    for row in system.list(TableFilter::ALL).expect("a table") {
        let address = row.address.ip().expect("an address");
        let index = if row.luid == ETHERNET { 11 } else { SECOND_INDEX };
        assert_eq!(row, Row { index, scope_id: index, ..Row::on_luid(address, row.luid) });
    }
}

#[test]
fn a_family_lists_its_addresses_alone() {
    let system = system_with_addresses();
    let list = |family| names(&system.list(TableFilter { family, ..TableFilter::ALL }).expect("a table"));
    assert_eq!(list(AddressFamily::IPV4), expected(|_, address| address.contains('.')));
    assert_eq!(list(AddressFamily::IPV6), expected(|_, address| address.contains(':')));
}

#[test]
fn an_interface_lists_its_addresses_alone() {
    let system = system_with_addresses();
    let list = |filter| names(&system.list(filter).expect("a table"));
    assert_eq!(list(TableFilter { luid: SECOND, ..TableFilter::ALL }), expected(|luid, _| luid == SECOND));
    assert_eq!(list(TableFilter { index: SECOND_INDEX, ..TableFilter::ALL }), expected(|luid, _| luid == SECOND));
    // A LUID wins over an index.
    let both = TableFilter { luid: ETHERNET, index: SECOND_INDEX, ..TableFilter::ALL };
    assert_eq!(list(both), expected(|luid, _| luid == ETHERNET));
}

#[test]
fn an_interface_that_does_not_exist_is_not_found() {
    let system = system_with_addresses();
    for filter in
        [TableFilter { luid: UNKNOWN, ..TableFilter::ALL }, TableFilter { index: UNKNOWN_INDEX, ..TableFilter::ALL }]
    {
        assert_eq!(system.list(filter), Err(NtStatus::NOT_FOUND));
    }
    assert_eq!(system.model().calls(Function::Table), 0);
}

#[test]
fn a_family_that_is_none_is_refused_without_asking_netio() {
    let system = System::new();
    for family in [1, 3, 10, 22, 24, u16::MAX] {
        let filter = TableFilter { family: AddressFamily(family), ..TableFilter::ALL };
        assert_eq!(system.list(filter), Err(NtStatus::INVALID_PARAMETER), "{family}");
    }
    assert_eq!(system.netio_calls(), 0);
}

#[test]
fn no_addresses_is_success_whichever_way_netio_puts_it() {
    for empty_table in [NtStatus::NOT_FOUND, NtStatus::SUCCESS] {
        let system = System::new();
        system.configure(|settings| settings.empty_table = empty_table);
        let listing = system.list_into(TableFilter::ALL, 0).expect("success");
        assert_eq!(listing.status, NtStatus::SUCCESS);
        assert_eq!(listing.header, TableHeader { count: 0, total: 0, generation: 0 });
        assert_eq!(system.counters(Operation::GetTable).last_netio_failure, NtStatus::SUCCESS, "nothing failed");
    }
}

#[test]
fn any_other_failure_of_netio_is_one() {
    let system = system_with_addresses();
    for (raw, status) in [
        (NtStatus::NO_MEMORY, NtStatus::INSUFFICIENT_RESOURCES),
        (NtStatus::NOT_SUPPORTED, NtStatus::NOT_SUPPORTED),
        (NtStatus::OBJECT_NAME_NOT_FOUND, NtStatus::NOT_FOUND),
        (NtStatus::PENDING, NtStatus::UNSUCCESSFUL),
    ] {
        system.fail_next(Function::Table, raw);
        assert_eq!(system.list(TableFilter::ALL), Err(status));
        assert_eq!(system.counters(Operation::GetTable).last_netio_failure, raw);
    }
}

#[test]
fn as_many_rows_as_fit_travel_with_the_number_there_are() {
    let system = system_with_addresses();
    for room in 0..SORTED.len() {
        let listing = system.list_into(TableFilter::ALL, room).expect("a warning is no failure");
        assert_eq!(listing.status, NtStatus::BUFFER_OVERFLOW);
        assert_eq!((listing.header.count as usize, listing.header.total as usize), (room, SORTED.len()));
        assert_eq!(names(&listing.rows), expected(|_, _| true)[..room]);
    }
    let listing = system.list_into(TableFilter::ALL, SORTED.len()).expect("a table");
    assert_eq!(listing.status, NtStatus::SUCCESS, "exactly enough is enough");
}

#[test]
fn room_for_a_part_of_a_row_is_room_for_none() {
    let system = system_with_addresses();
    let length = size_of::<TableHeader>() + size_of::<Row>();
    for (length, count) in [(length - 1, 0), (length, 1), (length + size_of::<Row>() - 1, 1)] {
        let reply = system.call(Operation::GetTable, TableFilter::ALL.as_bytes(), length);
        assert_eq!(reply.status, NtStatus::BUFFER_OVERFLOW);
        assert_eq!(reply.bytes.len(), size_of::<TableHeader>() + count * size_of::<Row>());
    }
}

#[test]
fn the_generation_is_the_one_before_the_table_was_read() {
    let system = System::new();
    for changes in 1..4 {
        system.create(on_ethernet(&format!("192.0.2.{changes}"))).expect("a new address");
        assert_eq!(system.list_into(TableFilter::ALL, 0).expect("a table").header.generation, changes);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// The model lists in another order than the driver, so the driver has to sort.
    #[test]
    fn any_set_of_addresses_is_listed_once_and_in_order(
        addresses in prop::collection::btree_set((any::<bool>(), 1_u32..0xDFFF_FFFF, any::<bool>()), 0..200),
    ) {
        let system = System::new();
        let mut rows = Vec::new();
        for (second, number, six) in addresses {
            let address = if six { format!("2001:db8::{:x}:{:x}", number >> 16, number & 0xFFFF) }
                else { std::net::Ipv4Addr::from(number).to_string() };
            rows.push(system.create(Row::on_luid(ip(&address), if second { SECOND } else { ETHERNET })).expect("new"));
        }
        rows.sort_by_key(|row| (row.luid, row.address.ip()));
        prop_assert_eq!(system.list(TableFilter::ALL).expect("a table"), rows);
    }
}
