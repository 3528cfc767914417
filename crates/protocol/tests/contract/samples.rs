//! One value of every struct that travels, each field different from the others.

use netio_anycast_protocol::address::{AddressFamily, Luid};
use netio_anycast_protocol::apply::{
    ApplyAction, ApplyFlags, ApplyItem, ApplyReply, ApplyRequest, Field, ItemOutcome, ItemState,
};
use netio_anycast_protocol::create::{CreateFlags, CreateRequest, DeleteFlags, DeleteRequest, Lifetime};
use netio_anycast_protocol::interface::InterfaceRequest;
use netio_anycast_protocol::lease::{LeaseFilter, LeaseRow};
use netio_anycast_protocol::row::Row;
use netio_anycast_protocol::statistics::{OPERATION_ROWS, OperationCounters, Statistics};
use netio_anycast_protocol::status::NtStatus;
use netio_anycast_protocol::table::{TableFilter, TableHeader};
use netio_anycast_protocol::version::{Features, PROTOCOL_VERSION, Version};
use netio_anycast_protocol::wait::Generation;
use netio_anycast_protocol::win32::Win32Error;

pub(crate) const LUID: Luid = Luid::new(6, 0x0A_0B0C);

fn row(address: &str) -> Row {
    let address = address.parse().expect("an address");
    Row { index: 11, scope_id: 0x1000_000B, ..Row::on_luid(address, LUID) }
}

pub(crate) fn row_v4() -> Row {
    row("192.0.2.1")
}

pub(crate) fn row_v6() -> Row {
    row("2001:db8:1:2:3:4:5:6")
}

pub(crate) fn version() -> Version {
    Version {
        protocol: PROTOCOL_VERSION,
        max_apply_items: 65_536,
        driver: [1, 2, 3, 4],
        features: Features::all().bits(),
        max_leases_per_handle: 4096,
        max_leases: 16_384,
        max_pending_waits: 1024,
        reserved: 0,
    }
}

pub(crate) fn create_request() -> CreateRequest {
    CreateRequest { row: row_v6(), lifetime: Lifetime::Handle as u32, flags: CreateFlags::SHARED.bits() }
}

pub(crate) fn delete_request() -> DeleteRequest {
    DeleteRequest { row: row_v4(), flags: DeleteFlags::FORCE.bits(), reserved: 0 }
}

pub(crate) fn table_filter() -> TableFilter {
    TableFilter { family: AddressFamily::IPV6, reserved: 0, index: 11, luid: LUID }
}

pub(crate) fn table_header() -> TableHeader {
    TableHeader { count: 2, total: 3, generation: 0x0102_0304_0506_0708 }
}

pub(crate) fn apply_request() -> ApplyRequest {
    ApplyRequest { flags: ApplyFlags::ATOMIC.bits(), count: 2 }
}

pub(crate) fn apply_item() -> ApplyItem {
    ApplyItem { row: row_v6(), action: ApplyAction::Delete as u32, lifetime: 1, flags: 3, reserved: 0 }
}

pub(crate) fn apply_reply() -> ApplyReply {
    ApplyReply { count: 2, not_applied: 1 }
}

pub(crate) fn item_outcome() -> ItemOutcome {
    ItemOutcome {
        status: NtStatus::OBJECTID_EXISTS,
        netio_status: NtStatus::RAW_WIN32_OBJECT_ALREADY_EXISTS,
        win32: Win32Error::OBJECT_ALREADY_EXISTS.0,
        field: Field::Interface as u8,
        state: ItemState::RollbackFailed as u8,
        reserved: 0,
    }
}

pub(crate) fn generation() -> Generation {
    Generation(0x0102_0304_0506_0708)
}

pub(crate) fn lease_filter() -> LeaseFilter {
    LeaseFilter { table: table_filter(), process_id: 4242, reserved: 0 }
}

pub(crate) fn lease_row() -> LeaseRow {
    LeaseRow { row: row_v4(), lifetime: 1, flags: 2, holders: 3, process_id: 4242, age: 0x0001_0000_0005 }
}

pub(crate) fn interface_request() -> InterfaceRequest {
    InterfaceRequest { size: 72, version: 1, reserved: 0 }
}

pub(crate) fn statistics() -> Statistics {
    let mut number = 0;
    let mut next = || {
        number += 1;
        number
    };
    let mut counters = || OperationCounters {
        succeeded: next(),
        malformed: next(),
        invalid: next(),
        already_exists: next(),
        not_found: next(),
        not_supported: next(),
        access_denied: next(),
        no_resources: next(),
        cancelled: next(),
        failed: next(),
        last_netio_failure: NtStatus::DUPLICATE_OBJECTID,
        reserved: 0,
    };
    let mut operations = [OperationCounters::ZERO; OPERATION_ROWS];
    operations.fill_with(&mut counters);
    Statistics {
        operations,
        unknown_codes: 1001,
        live_leases: 1002,
        pending_waits: 1003,
        withdrawal_retries: 1004,
        generation: 1005,
        reserved: [0; 3],
    }
}
