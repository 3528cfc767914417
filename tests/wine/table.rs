//! GET_TABLE, from nothing to ten thousand rows.

use netio_anycast_client::{Access, Client, DeviceTransport, Selection};
use netio_anycast_protocol::address::{AddressFamily, Luid};
use netio_anycast_protocol::status::NtStatus;
use netio_anycast_protocol::table::TableFilter;

use crate::bench::{Bench, ETHERNET, SECOND, all_of, failure, on, resolved};

#[test]
fn rows_come_sorted_by_luid_family_and_address() {
    let bench = Bench::new();
    for row in [
        on(SECOND, "10.0.0.1"),
        on(ETHERNET, "2001:db8::2"),
        on(ETHERNET, "10.0.0.9"),
        on(ETHERNET, "2001:db8::1"),
        on(ETHERNET, "9.0.0.10"),
    ] {
        bench.driver.create(row).expect("the address is new");
    }
    let sorted = [
        resolved(ETHERNET, "9.0.0.10"),
        resolved(ETHERNET, "10.0.0.9"),
        resolved(ETHERNET, "2001:db8::1"),
        resolved(ETHERNET, "2001:db8::2"),
        resolved(SECOND, "10.0.0.1"),
    ];
    assert_eq!(bench.driver.table(TableFilter::ALL).as_deref(), Ok(sorted.as_slice()));
}

#[test]
fn one_row_is_listed() {
    let bench = Bench::new();
    bench.driver.create(on(ETHERNET, "192.0.2.1")).expect("the address is new");
    assert_eq!(bench.driver.table(TableFilter::ALL), Ok(vec![resolved(ETHERNET, "192.0.2.1")]));
}

#[test]
fn family_and_interface_filter_the_rows() {
    let bench = Bench::new();
    for row in [on(ETHERNET, "192.0.2.1"), on(ETHERNET, "2001:db8::1"), on(SECOND, "192.0.2.1")] {
        bench.driver.create(row).expect("the address is new");
    }
    let v4 = [resolved(ETHERNET, "192.0.2.1"), resolved(SECOND, "192.0.2.1")];
    assert_eq!(bench.driver.table(all_of(AddressFamily::IPV4)).as_deref(), Ok(v4.as_slice()));
    let v6 = [resolved(ETHERNET, "2001:db8::1")];
    assert_eq!(bench.driver.table(all_of(AddressFamily::IPV6)).as_deref(), Ok(v6.as_slice()));

    let second = [resolved(SECOND, "192.0.2.1")];
    for filter in [
        TableFilter { luid: SECOND.luid, ..TableFilter::ALL },
        TableFilter { index: SECOND.index, ..TableFilter::ALL },
        TableFilter { luid: SECOND.luid, index: ETHERNET.index, ..TableFilter::ALL },
    ] {
        assert_eq!(bench.driver.table(filter).as_deref(), Ok(second.as_slice()), "{filter:?}");
    }
}

#[test]
fn a_filter_for_what_can_t_be_is_refused() {
    let bench = Bench::new();
    for family in [1, 3, 24, u16::MAX] {
        let refused = bench.driver.table(all_of(AddressFamily(family)));
        assert_eq!(refused, Err(failure(NtStatus::INVALID_PARAMETER, 87)), "AF_{family}");
    }
    for filter in
        [TableFilter { luid: Luid::new(6, 99), ..TableFilter::ALL }, TableFilter { index: 99, ..TableFilter::ALL }]
    {
        assert_eq!(bench.driver.table(filter), Err(failure(NtStatus::NOT_FOUND, 1168)), "{filter:?}");
    }
}

#[test]
fn as_many_rows_as_fit_travel_with_the_number_there_are() {
    let bench = Bench::new();
    bench.model.populate(ETHERNET.luid, AddressFamily::IPV4, 10).expect("the model takes addresses");
    let all = bench.driver.table(TableFilter::ALL).expect("the table can be read");
    for room in 0..=11 {
        let (header, rows, more) = bench.driver.table_page(TableFilter::ALL, room).expect("the header fits");
        assert_eq!(header.total, 10);
        assert_eq!(rows, all[..room.min(10)]);
        assert_eq!(more, room < 10, "STATUS_BUFFER_OVERFLOW says that rows are left");
    }
}

#[test]
fn ten_thousand_rows_are_read_by_a_client_that_lets_its_buffer_grow() {
    let bench = Bench::new();
    bench.model.populate(ETHERNET.luid, AddressFamily::IPV4, 5_000).expect("the model takes addresses");
    bench.model.populate(SECOND.luid, AddressFamily::IPV6, 5_000).expect("the model takes addresses");
    let device = DeviceTransport::open(Access::Read).expect("the driver runs");
    let client = Client::connect(device).expect("the versions match");
    let table = client.table(Selection::default()).expect("the table can be read");
    let expected = bench.addresses();
    assert_eq!(table.entries.len(), 10_000);
    assert!(
        table.entries.iter().zip(&expected).all(|(entry, row)| {
            Some(entry.address) == row.address.ip() && entry.luid == row.luid && entry.index == row.index
        }),
        "the rows are NetIO's, in order"
    );
}
