//! A driver over the model of NetIO, asked as the I/O manager asks it.

use std::net::IpAddr;
use std::sync::MutexGuard;

use netio_anycast_engine::host_driver::{HostDriver, HostHandle, HostReply};
use netio_anycast_engine::host_kernel::HostKernel;
use netio_anycast_engine::{Completion, Limits, SystemBuffer};
use netio_anycast_protocol::address::Luid;
use netio_anycast_protocol::create::{CreateFlags, CreateRequest, DeleteFlags, DeleteRequest, Lifetime};
use netio_anycast_protocol::lease::{LeaseFilter, LeaseRow};
use netio_anycast_protocol::operation::Operation;
use netio_anycast_protocol::row::Row;
use netio_anycast_protocol::statistics::{OperationCounters, Statistics};
use netio_anycast_protocol::status::NtStatus;
use netio_anycast_protocol::table::{TableFilter, TableHeader};
use netio_model::{Families, Fault, Function, Interface, Model, Settings};
use zerocopy::{FromBytes, IntoBytes};

/// Ethernet number 1: index 11, both families, scope 11.
pub(crate) const ETHERNET: Luid = Luid::new(6, 1);
pub(crate) const ETHERNET_INDEX: u32 = 11;
/// Ethernet number 2: index 12, both families, scope 12.
pub(crate) const SECOND: Luid = Luid::new(6, 2);
pub(crate) const SECOND_INDEX: u32 = 12;
/// Nobody's.
pub(crate) const UNKNOWN: Luid = Luid::new(6, 99);
pub(crate) const UNKNOWN_INDEX: u32 = 99;

/// The process that has the handle which every test has.
pub(crate) const PROCESS: u32 = 4444;

/// A driver on a system with two interfaces, and an open handle.
pub(crate) struct System {
    handle: HostHandle,
}

/// What a call ended with. The bytes are the output.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) status: NtStatus,
    pub(crate) bytes: Vec<u8>,
}

/// What GET_TABLE or LIST_LEASES returned.
#[derive(Debug)]
pub(crate) struct Listing<T = Row> {
    pub(crate) status: NtStatus,
    pub(crate) header: TableHeader,
    pub(crate) rows: Vec<T>,
}

impl System {
    pub(crate) fn new() -> Self {
        Self::limited(Limits::DEFAULT)
    }

    pub(crate) fn limited(limits: Limits) -> Self {
        let mut model = Model::new();
        for (luid, index) in [(ETHERNET, ETHERNET_INDEX), (SECOND, SECOND_INDEX)] {
            model.add_interface(interface(luid, index)).expect("two different interfaces");
        }
        let handle = HostDriver::new(model, limits).open(PROCESS).expect("memory");
        Self { handle }
    }

    /// Another handle to the same driver, of another process.
    pub(crate) fn another(&self, process_id: u32) -> Self {
        Self { handle: self.driver().open(process_id).expect("memory") }
    }

    pub(crate) fn handle(&self) -> &HostHandle {
        &self.handle
    }

    pub(crate) fn driver(&self) -> &HostDriver {
        self.handle.driver()
    }

    pub(crate) fn kernel(&self) -> &HostKernel {
        self.driver().kernel()
    }

    pub(crate) fn model(&self) -> MutexGuard<'_, Model> {
        self.driver().model()
    }

    pub(crate) fn configure(&self, change: impl FnOnce(&mut Settings)) {
        let mut model = self.model();
        let mut settings = model.settings();
        change(&mut settings);
        model.configure(settings);
    }

    /// The next call of `function` answers with `status`.
    pub(crate) fn fail_next(&self, function: Function, status: NtStatus) {
        self.model().plan(Fault::next(function, status));
    }

    /// A request as the driver hands it on, whatever its buffer is like.
    pub(crate) fn serve(&self, control_code: u32, buffer: SystemBuffer<'_>) -> Completion {
        self.handle.serve(control_code, buffer)
    }

    /// One DeviceIoControl. Every call checks that nothing but the reported output was written, that an error returns nothing,
    /// and that every table was given back.
    pub(crate) fn call_code(&self, control_code: u32, input: &[u8], output_length: usize) -> Reply {
        let HostReply { status, output: bytes } = self.handle.control(control_code, input, output_length);
        Reply { status, bytes }
    }

    pub(crate) fn call(&self, operation: Operation, input: &[u8], output_length: usize) -> Reply {
        self.call_code(operation.definition().control_code(), input, output_length)
    }

    pub(crate) fn create(&self, row: Row) -> Result<Row, NtStatus> {
        self.create_with(row, Lifetime::Unowned, CreateFlags::empty())
    }

    /// CREATE with lifetime `handle`.
    pub(crate) fn lease(&self, row: Row) -> Result<Row, NtStatus> {
        self.create_with(row, Lifetime::Handle, CreateFlags::empty())
    }

    /// CREATE with lifetime `handle` and the flag `shared`.
    pub(crate) fn share(&self, row: Row) -> Result<Row, NtStatus> {
        self.create_with(row, Lifetime::Handle, CreateFlags::SHARED)
    }

    fn create_with(&self, row: Row, lifetime: Lifetime, flags: CreateFlags) -> Result<Row, NtStatus> {
        let request = CreateRequest { row, lifetime: lifetime as u32, flags: flags.bits() };
        self.call(Operation::Create, request.as_bytes(), size_of::<Row>()).value()
    }

    pub(crate) fn delete(&self, row: Row) -> NtStatus {
        self.delete_with(row, DeleteFlags::empty())
    }

    /// DELETE with the flag `force`.
    pub(crate) fn force(&self, row: Row) -> NtStatus {
        self.delete_with(row, DeleteFlags::FORCE)
    }

    fn delete_with(&self, row: Row, flags: DeleteFlags) -> NtStatus {
        let request = DeleteRequest { row, flags: flags.bits(), reserved: 0 };
        let reply = self.call(Operation::Delete, request.as_bytes(), 0);
        assert!(reply.bytes.is_empty());
        reply.status
    }

    pub(crate) fn get(&self, row: Row) -> Result<Row, NtStatus> {
        self.call(Operation::Get, row.as_bytes(), size_of::<Row>()).value()
    }

    /// GET_TABLE with room for `room` rows.
    pub(crate) fn list_into(&self, filter: TableFilter, room: usize) -> Result<Listing, NtStatus> {
        self.table(Operation::GetTable, filter.as_bytes(), room)
    }

    /// LIST_LEASES with room for `room` rows.
    pub(crate) fn leases_into(&self, filter: LeaseFilter, room: usize) -> Result<Listing<LeaseRow>, NtStatus> {
        self.table(Operation::ListLeases, filter.as_bytes(), room)
    }

    /// All leases.
    pub(crate) fn leases(&self) -> Vec<LeaseRow> {
        let everything = LeaseFilter { table: TableFilter::ALL, process_id: 0, reserved: 0 };
        self.leases_into(everything, 1000).expect("a table").rows
    }

    fn table<T: FromBytes>(&self, operation: Operation, filter: &[u8], room: usize) -> Result<Listing<T>, NtStatus> {
        let length = size_of::<TableHeader>() + room * size_of::<T>();
        let reply = self.call(operation, filter, length);
        if reply.status.is_error() {
            return Err(reply.status);
        }
        let (header, rows) = TableHeader::read_from_prefix(&reply.bytes).expect("a header");
        let rows: Vec<_> = rows.chunks(size_of::<T>()).map(|row| T::read_from_bytes(row).expect("a row")).collect();
        assert_eq!(header.count as usize, rows.len());
        Ok(Listing { status: reply.status, header, rows })
    }

    /// Every row that `filter` lets through.
    pub(crate) fn list(&self, filter: TableFilter) -> Result<Vec<Row>, NtStatus> {
        let listing = self.list_into(filter, 1000)?;
        assert_eq!(listing.status, NtStatus::SUCCESS);
        assert_eq!(listing.header.total, listing.header.count);
        Ok(listing.rows)
    }

    pub(crate) fn statistics(&self) -> Statistics {
        self.call(Operation::QueryStatistics, &[], size_of::<Statistics>()).value().expect("counters")
    }

    pub(crate) fn counters(&self, operation: Operation) -> OperationCounters {
        self.statistics().operations[operation as usize]
    }

    /// How often NetIO was called, whatever for.
    pub(crate) fn netio_calls(&self) -> u64 {
        let model = self.model();
        Function::ALL.into_iter().map(|function| model.calls(function)).sum()
    }

    pub(crate) fn entries(&self) -> Vec<Row> {
        self.model().entries().collect()
    }
}

impl Reply {
    /// The output as one struct that fills it, or the status that it failed with.
    pub(crate) fn value<T: FromBytes>(&self) -> Result<T, NtStatus> {
        match self.status {
            NtStatus::SUCCESS => Ok(T::read_from_bytes(&self.bytes).expect("the output is one whole struct")),
            failure => Err(failure),
        }
    }
}

/// An interface with both families, whose scope is its index.
pub(crate) fn interface(luid: Luid, index: u32) -> Interface {
    Interface { luid, index, families: Families::all(), scope_id: index }
}

/// An address in a test's text.
pub(crate) fn ip(text: &str) -> IpAddr {
    text.parse().expect("an IP address")
}

/// `address` on the first interface, named by LUID.
pub(crate) fn on_ethernet(address: &str) -> Row {
    Row::on_luid(ip(address), ETHERNET)
}
