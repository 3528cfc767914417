//! Every operation, as a program meets it.

use netio_anycast_protocol::address::AddressFamily;
use netio_anycast_protocol::operation::Operation;
use netio_anycast_protocol::row::Row;
use netio_anycast_protocol::statistics::Statistics;
use netio_anycast_protocol::status::NtStatus;
use netio_anycast_protocol::version::{PROTOCOL_VERSION, Version};
use netio_model::{Fault, Function};

use crate::bench::{Bench, ETHERNET, SECOND, address, on, resolved};

#[test]
fn the_version_tells_the_contract() {
    let bench = Bench::new();
    let version: Version = bench.ask(Operation::QueryVersion, &[]).expect("QUERY_VERSION succeeds");
    assert_eq!(version.protocol, PROTOCOL_VERSION);
    assert_eq!(format!("{}.{}.{}", version.driver[0], version.driver[1], version.driver[2]), env!("CARGO_PKG_VERSION"));
}

#[test]
fn an_address_is_created_read_and_deleted() {
    let bench = Bench::new();
    for text in ["192.0.2.1", "2001:db8::1"] {
        assert_eq!(bench.create(on(ETHERNET, text)), Ok(resolved(ETHERNET, text)));
        assert_eq!(bench.get(on(ETHERNET, text)), Ok(resolved(ETHERNET, text)));
        assert_eq!(bench.addresses(), [resolved(ETHERNET, text)]);
        assert_eq!(bench.delete(on(ETHERNET, text)), Ok(()));
        assert_eq!(bench.get(on(ETHERNET, text)), Err(NtStatus::NOT_FOUND));
    }
    assert_eq!(bench.addresses(), []);
}

#[test]
fn an_index_alone_names_an_interface() {
    let bench = Bench::new();
    let row = Row::on_index(address("192.0.2.1"), SECOND.index);
    assert_eq!(bench.create(row), Ok(resolved(SECOND, "192.0.2.1")));
    assert_eq!(bench.delete(row), Ok(()));
}

#[test]
fn a_duplicate_exists_already_however_netio_says_it() {
    for raw in [
        NtStatus::RAW_WIN32_OBJECT_ALREADY_EXISTS,
        NtStatus::FACILITY_WIN32_OBJECT_ALREADY_EXISTS,
        NtStatus::DUPLICATE_OBJECTID,
        NtStatus::OBJECT_NAME_COLLISION,
    ] {
        let bench = Bench::new();
        bench.kernel.netio(|model| model.plan(Fault::next(Function::Create, raw)));
        assert_eq!(bench.create(on(ETHERNET, "192.0.2.1")), Err(NtStatus::OBJECTID_EXISTS), "{raw}");
    }
}

#[test]
fn a_table_is_sorted_and_free_of_what_netio_left_in_its_padding() {
    let bench = Bench::new();
    let texts = [(SECOND, "192.0.2.9"), (ETHERNET, "2001:db8::1"), (ETHERNET, "192.0.2.7"), (ETHERNET, "192.0.2.1")];
    for (interface, text) in texts {
        bench.create(on(interface, text)).expect("the address is new");
    }
    let (status, header, rows) = bench.table(AddressFamily::UNSPECIFIED, 8);
    assert_eq!(status, NtStatus::SUCCESS);
    assert_eq!(header.map(|header| (header.count, header.total)), Some((4, 4)));
    let expected = [(ETHERNET, "192.0.2.1"), (ETHERNET, "192.0.2.7"), (ETHERNET, "2001:db8::1"), (SECOND, "192.0.2.9")];
    assert_eq!(rows, expected.map(|(interface, text)| resolved(interface, text)));
}

#[test]
fn a_table_that_does_not_fit_comes_as_far_as_it_does() {
    let bench = Bench::new();
    for text in ["192.0.2.1", "192.0.2.2", "192.0.2.3"] {
        bench.create(on(ETHERNET, text)).expect("the address is new");
    }
    let (status, header, rows) = bench.table(AddressFamily::IPV4, 2);
    assert_eq!(status, NtStatus::BUFFER_OVERFLOW);
    assert_eq!(header.map(|header| (header.count, header.total)), Some((2, 3)));
    assert_eq!(rows, ["192.0.2.1", "192.0.2.2"].map(|text| resolved(ETHERNET, text)));
}

#[test]
fn no_addresses_are_an_empty_table() {
    let bench = Bench::new();
    let (status, header, rows) = bench.table(AddressFamily::IPV6, 1);
    assert_eq!((status, header.map(|header| header.total), rows), (NtStatus::SUCCESS, Some(0), vec![]));
}

#[test]
fn a_large_table_comes_whole() {
    let bench = Bench::new();
    for number in 0..5_000_u32 {
        let row = Row::on_luid(std::net::Ipv4Addr::from(0x0A00_0000 + number).into(), ETHERNET.luid);
        bench.kernel.netio(|model| model.insert(&row)).expect("the address is new");
    }
    let (status, _, rows) = bench.table(AddressFamily::IPV4, 5_000);
    assert_eq!((status, rows.len()), (NtStatus::SUCCESS, 5_000));
    assert!(rows.is_sorted_by(|one, next| one.table_order(next).is_lt()), "sorted, and no row twice");
}

#[test]
fn the_counters_count() {
    let bench = Bench::new();
    bench.create(on(ETHERNET, "192.0.2.1")).expect("the address is new");
    bench.create(on(ETHERNET, "192.0.2.1")).expect_err("it is there already");
    let statistics: Statistics = bench.ask(Operation::QueryStatistics, &[]).expect("QUERY_STATISTICS succeeds");
    let create = statistics.operations[Operation::Create as usize];
    assert_eq!((create.succeeded, create.already_exists), (1, 1));
    assert_eq!(create.last_netio_failure, NtStatus::RAW_WIN32_OBJECT_ALREADY_EXISTS);
}
