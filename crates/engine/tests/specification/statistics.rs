//! QUERY_VERSION and QUERY_STATISTICS: what the driver tells of itself.

use netio_anycast_engine::Limits;
use netio_anycast_protocol::operation::{OPERATIONS, Operation};
use netio_anycast_protocol::row::Row;
use netio_anycast_protocol::statistics::OperationCounters;
use netio_anycast_protocol::status::NtStatus;
use netio_anycast_protocol::table::TableFilter;
use netio_anycast_protocol::version::{Features, PROTOCOL_VERSION, Version};
use netio_model::Function;

use crate::system::{System, UNKNOWN, ip, on_ethernet};

#[test]
fn the_version_is_this_contracts_and_this_crates() {
    let system = System::new();
    let version: Version = system.call(Operation::QueryVersion, &[], size_of::<Version>()).value().expect("a version");
    assert_eq!(version.protocol, PROTOCOL_VERSION);
    let [major, minor, patch, _] = version.driver;
    assert_eq!(format!("{major}.{minor}.{patch}"), env!("CARGO_PKG_VERSION"));
    assert_eq!(system.netio_calls(), 0);
}

/// A feature bit is a promise: the operations of the features that are shown are served.
#[test]
fn every_feature_of_the_contract_is_shown_and_served() {
    let system = System::new();
    let version: Version = system.call(Operation::QueryVersion, &[], size_of::<Version>()).value().expect("a version");
    assert_eq!(Features::from_bits(version.features), Some(Features::all()));
    for definition in &OPERATIONS {
        let input = vec![0; definition.input.fixed];
        let request = system.handle().start(definition.control_code(), &input, definition.output.fixed);
        // The driver is at generation zero, so a WAIT_CHANGE pends.
        let served = request.is_pending() || request.wait().status != NtStatus::INVALID_DEVICE_REQUEST;
        assert!(served, "{}", definition.name);
    }
}

#[test]
fn the_limits_told_are_those_set_but_for_what_the_contract_bounds() {
    let limits = Limits { max_apply_items: 7, max_leases_per_handle: 8, max_leases: 9, max_pending_waits: 10 };
    let unlimited = Limits {
        max_apply_items: u32::MAX,
        max_leases_per_handle: u32::MAX,
        max_leases: u32::MAX,
        max_pending_waits: u32::MAX,
    };
    for (set, told) in [(limits, [7, 8, 9, 10]), (unlimited, [65_536, 1 << 20, 1 << 20, u32::MAX])] {
        let reply = System::limited(set).call(Operation::QueryVersion, &[], size_of::<Version>());
        let version: Version = reply.value().expect("a version");
        let Version { max_apply_items, max_leases_per_handle, max_leases, max_pending_waits, .. } = version;
        assert_eq!([max_apply_items, max_leases_per_handle, max_leases, max_pending_waits], told);
    }
}

#[test]
fn every_result_is_counted_where_it_belongs() {
    let system = System::new();
    let row = on_ethernet("192.0.2.1");
    system.create(row).expect("created");
    system.create(row).expect_err("exists");
    system.create(Row::on_luid(ip("192.0.2.1"), UNKNOWN)).expect_err("not found");
    system.create(on_ethernet("224.0.0.1")).expect_err("invalid");
    let _ = system.call(Operation::Create, &[], 0);
    for raw in [
        NtStatus::NOT_SUPPORTED,
        NtStatus::ACCESS_DENIED,
        NtStatus::PRIVILEGE_NOT_HELD,
        NtStatus::NO_MEMORY,
        NtStatus::INSUFFICIENT_RESOURCES,
        NtStatus::from_bits(0xC000_0236),
    ] {
        system.fail_next(Function::Create, raw);
        system.create(row).expect_err("the fault");
    }
    let expected = OperationCounters {
        succeeded: 1,
        malformed: 1,
        invalid: 1,
        already_exists: 1,
        not_found: 1,
        not_supported: 1,
        access_denied: 2,
        no_resources: 2,
        failed: 1,
        last_netio_failure: NtStatus::from_bits(0xC000_0236),
        ..OperationCounters::ZERO
    };
    assert_eq!(system.counters(Operation::Create), expected);
}

#[test]
fn operations_are_counted_apart() {
    let system = System::new();
    let row = on_ethernet("192.0.2.1");
    assert_eq!(system.delete(row), NtStatus::NOT_FOUND);
    system.get(row).expect_err("not there");
    system.get(row).expect_err("not there");
    system.list(TableFilter::ALL).expect("an empty table");
    let statistics = system.statistics();
    let counters = |operation: Operation| statistics.operations[operation as usize];
    let not_found = NtStatus::NOT_FOUND;
    let expected = OperationCounters { not_found: 1, last_netio_failure: not_found, ..OperationCounters::ZERO };
    assert_eq!(counters(Operation::Delete), expected);
    assert_eq!(counters(Operation::Get), OperationCounters { not_found: 2, ..expected });
    assert_eq!(counters(Operation::GetTable), OperationCounters { succeeded: 1, ..OperationCounters::ZERO });
    assert_eq!(counters(Operation::Create), OperationCounters::ZERO);
    assert_eq!(counters(Operation::QueryStatistics), OperationCounters::ZERO, "counted when it ends");
    assert_eq!(system.counters(Operation::QueryStatistics).succeeded, 1);
    assert_eq!(statistics.operations[OPERATIONS.len()..], [OperationCounters::ZERO; 16 - OPERATIONS.len()]);
}

#[test]
fn a_table_that_does_not_fit_is_counted_as_success() {
    let system = System::new();
    system.create(on_ethernet("192.0.2.1")).expect("created");
    assert_eq!(system.list_into(TableFilter::ALL, 0).expect("a warning").status, NtStatus::BUFFER_OVERFLOW);
    assert_eq!(system.counters(Operation::GetTable).succeeded, 1);
}

#[test]
fn unknown_codes_are_counted() {
    let system = System::new();
    for control_code in [0, 0x8ACA_1234, u32::MAX] {
        assert_eq!(system.call_code(control_code, &[], 0).status, NtStatus::INVALID_DEVICE_REQUEST);
    }
    assert_eq!(system.statistics().unknown_codes, 3);
}
