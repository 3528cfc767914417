//! An engine over the model of NetIO, asked as the I/O manager asks the driver.

mod netio;

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use netio_anycast_engine::{Completion, Engine, SystemBuffer};
use netio_anycast_protocol::address::Luid;
use netio_anycast_protocol::create::{CreateRequest, DeleteRequest};
use netio_anycast_protocol::operation::Operation;
use netio_anycast_protocol::row::Row;
use netio_anycast_protocol::statistics::{OperationCounters, Statistics};
use netio_anycast_protocol::status::NtStatus;
use netio_anycast_protocol::table::{TableFilter, TableHeader};
use netio_model::{Families, Fault, Function, Interface, Model, Settings};
use zerocopy::{FromBytes, IntoBytes};

pub(crate) use netio::ModelNetio;

/// Ethernet number 1: index 11, both families, scope 11.
pub(crate) const ETHERNET: Luid = Luid::new(6, 1);
pub(crate) const ETHERNET_INDEX: u32 = 11;
/// Ethernet number 2: index 12, both families, scope 12.
pub(crate) const SECOND: Luid = Luid::new(6, 2);
pub(crate) const SECOND_INDEX: u32 = 12;
/// Nobody's.
pub(crate) const UNKNOWN: Luid = Luid::new(6, 99);
pub(crate) const UNKNOWN_INDEX: u32 = 99;

/// What the buffer holds before a call, so that a byte written by mistake is seen.
const UNTOUCHED: u8 = 0xA5;

/// A driver on a system with two interfaces.
pub(crate) struct System {
    engine: Engine<ModelNetio>,
    model: Arc<Mutex<Model>>,
    raised_irql: Arc<AtomicBool>,
}

/// What a call ended with. The bytes are the output.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) status: NtStatus,
    pub(crate) bytes: Vec<u8>,
}

/// What GET_TABLE returned.
#[derive(Debug)]
pub(crate) struct Listing {
    pub(crate) status: NtStatus,
    pub(crate) header: TableHeader,
    pub(crate) rows: Vec<Row>,
}

impl System {
    pub(crate) fn new() -> Self {
        let mut model = Model::new();
        for (luid, index) in [(ETHERNET, ETHERNET_INDEX), (SECOND, SECOND_INDEX)] {
            let interface = Interface { luid, index, families: Families::all(), scope_id: index };
            model.add_interface(interface).expect("two different interfaces");
        }
        let model = Arc::new(Mutex::new(model));
        let raised_irql = Arc::new(AtomicBool::new(false));
        let netio = ModelNetio::new(Arc::clone(&model), Arc::clone(&raised_irql));
        Self { engine: Engine::new(netio), model, raised_irql }
    }

    pub(crate) fn model(&self) -> MutexGuard<'_, Model> {
        self.model.lock().expect("no test panics while it holds the model")
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

    /// Requests come at an IRQL above PASSIVE_LEVEL from now on.
    pub(crate) fn raise_irql(&self) {
        self.raised_irql.store(true, Ordering::Relaxed);
    }

    /// A request as the driver hands it on, whatever its buffer is like.
    pub(crate) fn serve(&self, control_code: u32, buffer: SystemBuffer<'_>) -> Completion {
        self.engine.serve(control_code, buffer)
    }

    /// One DeviceIoControl. Every call checks that nothing but the reported output was written, that an error returns nothing,
    /// and that every table was given back.
    pub(crate) fn call_code(&self, control_code: u32, input: &[u8], output_length: usize) -> Reply {
        let mut buffer = vec![UNTOUCHED; input.len().max(output_length)];
        buffer[..input.len()].copy_from_slice(input);
        let before = buffer.clone();

        let request = SystemBuffer { bytes: &mut buffer, input_length: input.len(), output_length };
        let Completion { status, information } = self.engine.serve(control_code, request);

        assert!(information <= output_length, "{information} bytes reported in a buffer of {output_length}");
        assert!(!status.is_error() || information == 0, "{status} returned {information} bytes");
        assert_eq!(buffer[information..], before[information..], "written behind the {information} bytes reported");
        assert_eq!(self.model().tables().outstanding(), 0, "a table was not freed");
        buffer.truncate(information);
        Reply { status, bytes: buffer }
    }

    pub(crate) fn call(&self, operation: Operation, input: &[u8], output_length: usize) -> Reply {
        self.call_code(operation.definition().control_code(), input, output_length)
    }

    pub(crate) fn create(&self, row: Row) -> Result<Row, NtStatus> {
        let request = CreateRequest { row, lifetime: 0, flags: 0 };
        self.call(Operation::Create, request.as_bytes(), size_of::<Row>()).value()
    }

    pub(crate) fn delete(&self, row: Row) -> NtStatus {
        let request = DeleteRequest { row, flags: 0, reserved: 0 };
        let reply = self.call(Operation::Delete, request.as_bytes(), 0);
        assert!(reply.bytes.is_empty());
        reply.status
    }

    pub(crate) fn get(&self, row: Row) -> Result<Row, NtStatus> {
        self.call(Operation::Get, row.as_bytes(), size_of::<Row>()).value()
    }

    /// GET_TABLE with room for `room` rows.
    pub(crate) fn list_into(&self, filter: TableFilter, room: usize) -> Result<Listing, NtStatus> {
        let length = size_of::<TableHeader>() + room * size_of::<Row>();
        let reply = self.call(Operation::GetTable, filter.as_bytes(), length);
        if reply.status.is_error() {
            return Err(reply.status);
        }
        let (header, rows) = TableHeader::read_from_prefix(&reply.bytes).expect("a header");
        let rows: Vec<_> = rows.chunks(size_of::<Row>()).map(|row| Row::read_from_bytes(row).expect("a row")).collect();
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

/// An address in a test's text.
pub(crate) fn ip(text: &str) -> IpAddr {
    text.parse().expect("an IP address")
}

/// `address` on the first interface, named by LUID.
pub(crate) fn on_ethernet(address: &str) -> Row {
    Row::on_luid(ip(address), ETHERNET)
}
