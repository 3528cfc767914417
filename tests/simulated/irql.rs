//! Callers above PASSIVE_LEVEL: another driver may send an IRP from there.

use kernel_sim::Irql;
use netio_anycast_protocol::create::{CreateRequest, DeleteRequest};
use netio_anycast_protocol::operation::Operation;
use netio_anycast_protocol::row::Row;
use netio_anycast_protocol::status::NtStatus;
use netio_anycast_protocol::table::TableFilter;
use zerocopy::IntoBytes as _;

use crate::bench::{Bench, ETHERNET, on};

#[test]
fn netio_is_not_called_above_passive_level() {
    let bench = Bench::new();
    let row = on(ETHERNET, "192.0.2.1");
    let create = CreateRequest { row, lifetime: 0, flags: 0 };
    let delete = DeleteRequest { row, flags: 0, reserved: 0 };
    let requests = [
        (Operation::Create, create.as_bytes()),
        (Operation::Delete, delete.as_bytes()),
        (Operation::Get, row.as_bytes()),
        (Operation::GetTable, TableFilter::ALL.as_bytes()),
    ];
    for irql in [Irql::APC_LEVEL, Irql::DISPATCH_LEVEL] {
        for (operation, input) in requests {
            let reply = bench.handle().control_at(irql, operation.definition().control_code(), input, 64);
            assert_eq!(reply.status, NtStatus::INVALID_DEVICE_STATE, "{operation:?} at {irql}");
        }
    }
    assert_eq!(bench.netio_calls(), 0);
}

#[test]
fn an_index_is_not_resolved_above_passive_level() {
    let bench = Bench::new();
    let row = Row::on_index(crate::bench::address("192.0.2.1"), ETHERNET.index);
    let code = Operation::Get.definition().control_code();
    let reply = bench.handle().control_at(Irql::DISPATCH_LEVEL, code, row.as_bytes(), size_of::<Row>());
    assert_eq!(reply.status, NtStatus::INVALID_DEVICE_STATE);
    assert_eq!(bench.netio_calls(), 0);
}

#[test]
fn what_needs_no_netio_is_answered_at_dispatch_level() {
    let bench = Bench::new();
    for operation in [Operation::QueryVersion, Operation::QueryStatistics] {
        let definition = operation.definition();
        let length = definition.output.fixed;
        let reply = bench.handle().control_at(Irql::DISPATCH_LEVEL, definition.control_code(), &[], length);
        assert_eq!((reply.status, reply.information), (NtStatus::SUCCESS, length), "{operation:?}");
    }
}
