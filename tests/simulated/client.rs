//! A program, or another driver, with an open handle to the device: every operation of the contract.

use kernel_sim::{Caller, DesiredAccess, Handle, Irql, Kernel, Pending, ProcessId, Reply};
use netio_anycast_protocol::address::AddressFamily;
use netio_anycast_protocol::apply::{ApplyAction, ApplyFlags, ApplyItem, ApplyReply, ApplyRequest, ItemOutcome};
use netio_anycast_protocol::create::{CreateFlags, CreateRequest, DeleteFlags, DeleteRequest, Lifetime};
use netio_anycast_protocol::lease::{LeaseFilter, LeaseRow};
use netio_anycast_protocol::operation::Operation;
use netio_anycast_protocol::row::Row;
use netio_anycast_protocol::statistics::Statistics;
use netio_anycast_protocol::status::NtStatus;
use netio_anycast_protocol::table::{TableFilter, TableHeader};
use netio_anycast_protocol::wait::Generation;
use zerocopy::{FromBytes, IntoBytes};

/// The device as a program's `\\.\NetioAnycast` reaches it.
pub(crate) const DEVICE: &str = netio_anycast_protocol::SYMBOLIC_LINK_NAME;

/// The programs of these tests.
pub(crate) const FIRST: ProcessId = ProcessId(1000);
pub(crate) const OTHER: ProcessId = ProcessId(2000);

pub(crate) struct Client {
    pub(crate) handle: Handle,
}

impl Client {
    /// An administrator's program.
    pub(crate) fn open(kernel: &Kernel, process: ProcessId) -> Result<Self, NtStatus> {
        let caller = Caller::administrator().of(process);
        Ok(Self { handle: kernel.open(DEVICE, &caller, DesiredAccess::READ_WRITE)? })
    }

    /// Another driver.
    pub(crate) fn driver(kernel: &Kernel) -> Result<Self, NtStatus> {
        Ok(Self { handle: kernel.open(DEVICE, &Caller::driver(), DesiredAccess::READ_WRITE)? })
    }

    /// Sends an operation with this input.
    pub(crate) fn send(&self, operation: Operation, input: &[u8], output_length: usize) -> Reply {
        self.handle.control(operation.definition().control_code(), input, output_length)
    }

    /// Sends an operation, and reads its one output.
    pub(crate) fn ask<O: FromBytes>(&self, operation: Operation, input: &[u8]) -> Result<O, NtStatus> {
        value(&self.send(operation, input, size_of::<O>()))
    }

    fn create_with(&self, row: Row, lifetime: Lifetime, flags: CreateFlags) -> Result<Row, NtStatus> {
        let request = CreateRequest { row, lifetime: lifetime as u32, flags: flags.bits() };
        self.ask(Operation::Create, request.as_bytes())
    }

    pub(crate) fn create(&self, row: Row) -> Result<Row, NtStatus> {
        self.create_with(row, Lifetime::Unowned, CreateFlags::empty())
    }

    pub(crate) fn lease(&self, row: Row) -> Result<Row, NtStatus> {
        self.create_with(row, Lifetime::Handle, CreateFlags::empty())
    }

    pub(crate) fn share(&self, row: Row) -> Result<Row, NtStatus> {
        self.create_with(row, Lifetime::Handle, CreateFlags::SHARED)
    }

    fn delete_with(&self, row: Row, flags: DeleteFlags) -> Result<(), NtStatus> {
        let request = DeleteRequest { row, flags: flags.bits(), reserved: 0 };
        self.ask(Operation::Delete, request.as_bytes())
    }

    pub(crate) fn delete(&self, row: Row) -> Result<(), NtStatus> {
        self.delete_with(row, DeleteFlags::empty())
    }

    pub(crate) fn force(&self, row: Row) -> Result<(), NtStatus> {
        self.delete_with(row, DeleteFlags::FORCE)
    }

    pub(crate) fn get(&self, row: Row) -> Result<Row, NtStatus> {
        self.ask(Operation::Get, row.as_bytes())
    }

    /// Lists addresses, with room for `room` rows.
    pub(crate) fn table(&self, family: AddressFamily, room: usize) -> (NtStatus, Option<TableHeader>, Vec<Row>) {
        let filter = TableFilter { family, ..TableFilter::ALL };
        self.rows(Operation::GetTable, filter.as_bytes(), room)
    }

    /// Lists leases, with room for `room` rows.
    pub(crate) fn leases(&self, room: usize) -> (NtStatus, Option<TableHeader>, Vec<LeaseRow>) {
        let filter = LeaseFilter { table: TableFilter::ALL, process_id: 0, reserved: 0 };
        self.rows(Operation::ListLeases, filter.as_bytes(), room)
    }

    fn rows<T: FromBytes>(
        &self,
        operation: Operation,
        input: &[u8],
        room: usize,
    ) -> (NtStatus, Option<TableHeader>, Vec<T>) {
        let length = size_of::<TableHeader>() + room * size_of::<T>();
        let reply = self.send(operation, input, length);
        let Ok((header, rest)) = TableHeader::read_from_prefix(&reply.output) else {
            return (reply.status, None, Vec::new());
        };
        let rows = rest.chunks_exact(size_of::<T>()).map(|row| T::read_from_bytes(row).expect("a row's length"));
        (reply.status, Some(header), rows.collect())
    }

    /// The outcomes of a batch, or the status that the whole of it failed with.
    pub(crate) fn apply(&self, flags: ApplyFlags, items: &[ApplyItem]) -> Result<Vec<ItemOutcome>, NtStatus> {
        let count = u32::try_from(items.len()).expect("as many as fit");
        let input = [ApplyRequest { flags: flags.bits(), count }.as_bytes(), items.as_bytes()].concat();
        let room = size_of::<ApplyReply>() + size_of_val(items) / size_of::<ApplyItem>() * size_of::<ItemOutcome>();
        let reply = self.send(Operation::Apply, &input, room);
        if reply.status != NtStatus::SUCCESS {
            return Err(reply.status);
        }
        let (header, outcomes) = ApplyReply::read_from_prefix(&reply.output).expect("a header");
        assert_eq!(header.count, count);
        let read = |bytes| ItemOutcome::read_from_bytes(bytes).expect("a whole outcome");
        Ok(outcomes.chunks(size_of::<ItemOutcome>()).map(read).collect())
    }

    /// Begins to wait for another generation.
    pub(crate) fn wait_change(&self, seen: u64) -> Pending {
        let code = Operation::WaitChange.definition().control_code();
        self.handle.start(code, Generation(seen).as_bytes(), size_of::<Generation>())
    }

    pub(crate) fn statistics(&self) -> Statistics {
        self.ask(Operation::QueryStatistics, &[]).expect("QUERY_STATISTICS succeeds")
    }

    /// Begins an operation at a raised IRQL, as another driver may.
    pub(crate) fn start_at(&self, irql: Irql, operation: Operation, input: &[u8], output_length: usize) -> Pending {
        let code = operation.definition().control_code();
        self.handle.send(&kernel_sim::Control::new(code, input, output_length).at(irql))
    }
}

/// The one output of a request, or the status that it failed with.
pub(crate) fn value<O: FromBytes>(reply: &Reply) -> Result<O, NtStatus> {
    match reply.status {
        NtStatus::SUCCESS => Ok(O::read_from_bytes(&reply.output).expect("the whole output came back")),
        status => Err(status),
    }
}

/// The generation that a wait has ended with.
pub(crate) fn generation(wait: Pending) -> Result<u64, NtStatus> {
    value::<Generation>(&wait.wait()).map(|generation| generation.0)
}

/// An item of a batch that creates with this lifetime.
pub(crate) fn creation(row: Row, lifetime: Lifetime, flags: CreateFlags) -> ApplyItem {
    let action = ApplyAction::Create as u32;
    ApplyItem { row, action, lifetime: lifetime as u32, flags: flags.bits(), reserved: 0 }
}

/// An item of a batch that deletes.
pub(crate) fn deletion(row: Row, flags: DeleteFlags) -> ApplyItem {
    ApplyItem { row, action: ApplyAction::Delete as u32, lifetime: 0, flags: flags.bits(), reserved: 0 }
}
