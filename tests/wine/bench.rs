//! What every test stands on: the driver, the model of NetIO below it, and one test at a time.

use std::net::IpAddr;
use std::ops::Deref;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use model_control::ModelDevice;
use netio_anycast_client::{Access, DeviceTransport, OsError, Transport};
use netio_anycast_protocol::address::{AddressFamily, Luid};
use netio_anycast_protocol::create::{CreateRequest, DeleteRequest};
use netio_anycast_protocol::operation::Operation;
use netio_anycast_protocol::row::Row;
use netio_anycast_protocol::status::NtStatus;
use netio_anycast_protocol::table::{TableFilter, TableHeader};
use netio_anycast_protocol::win32::Win32Error;
use netio_model::{Families, Interface};
use zerocopy::{FromBytes, IntoBytes};

/// An interface with both families.
pub(crate) const ETHERNET: Interface =
    Interface { luid: Luid::new(6, 12), index: 12, families: Families::all(), scope_id: 0x0BAD };
/// Another one.
pub(crate) const SECOND: Interface =
    Interface { luid: Luid::new(6, 13), index: 13, families: Families::all(), scope_id: 7 };

/// The model of NetIO, with [`ETHERNET`] and [`SECOND`] and no address. Tests take turns.
pub(crate) struct Simulation {
    pub(crate) model: ModelDevice<DeviceTransport>,
    _turn: MutexGuard<'static, ()>,
}

impl Simulation {
    pub(crate) fn new() -> Self {
        let simulation = Self::empty();
        for interface in [ETHERNET, SECOND] {
            simulation.model.add_interface(interface).expect("the model takes an interface");
        }
        simulation
    }

    /// The same without an interface.
    pub(crate) fn empty() -> Self {
        static TURN: Mutex<()> = Mutex::new(());
        // A test that failed has not harmed what the next one builds anew.
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let path = netio_model::control::DEVICE_PATH;
        let device = DeviceTransport::open_path(path, Access::ReadWrite).expect("the model's device is there");
        let model = ModelDevice::new(device);
        model.reset().expect("the model can be reset");
        Self { model, _turn: turn }
    }

    /// The addresses that NetIO has.
    pub(crate) fn addresses(&self) -> Vec<Row> {
        self.model.entries().expect("the model lists its addresses")
    }

    /// How often NetIO's four anycast functions were called.
    pub(crate) fn netio_calls(&self) -> u64 {
        self.model.state().expect("the model tells its state").calls[..4].iter().sum()
    }
}

/// Whatever a test did, every table that NetIO handed out has come back, once.
impl Drop for Simulation {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        let state = self.model.state().expect("the model tells its state");
        assert_eq!(state.outstanding_tables, 0, "tables were not freed");
        assert_eq!((state.double_frees, state.unknown_frees), (0, 0), "something was freed that was no table");
    }
}

/// The driver on the model, opened to read and write.
pub(crate) struct Bench {
    pub(crate) driver: Driver,
    simulation: Simulation,
}

impl Bench {
    pub(crate) fn new() -> Self {
        let simulation = Simulation::new();
        Self { driver: Driver::open(Access::ReadWrite), simulation }
    }
}

impl Deref for Bench {
    type Target = Simulation;

    fn deref(&self) -> &Simulation {
        &self.simulation
    }
}

/// A handle to the driver's device.
pub(crate) struct Driver {
    device: DeviceTransport,
}

impl Driver {
    pub(crate) fn open(access: Access) -> Self {
        Self { device: DeviceTransport::open(access).expect("the driver runs") }
    }

    /// Sends a control code as it is.
    pub(crate) fn control(&self, code: u32, input: &[u8], output: &mut [u8]) -> Result<usize, OsError> {
        self.device.control(code, input, output).map(|returned| returned.length)
    }

    /// Asks for an operation whose output is one `O`.
    fn ask<O: FromBytes>(&self, operation: Operation, input: &[u8]) -> Result<O, OsError> {
        let mut output = vec![0xEE; size_of::<O>()];
        let length = self.control(operation.definition().control_code(), input, &mut output)?;
        assert_eq!(length, size_of::<O>(), "{operation:?} returns its whole output");
        Ok(O::read_from_bytes(&output).expect("the length was checked"))
    }

    pub(crate) fn version(&self) -> netio_anycast_protocol::version::Version {
        self.ask(Operation::QueryVersion, &[]).expect("QUERY_VERSION succeeds")
    }

    pub(crate) fn statistics(&self) -> netio_anycast_protocol::statistics::Statistics {
        self.ask(Operation::QueryStatistics, &[]).expect("QUERY_STATISTICS succeeds")
    }

    pub(crate) fn create(&self, row: Row) -> Result<Row, OsError> {
        self.ask(Operation::Create, CreateRequest { row, lifetime: 0, flags: 0 }.as_bytes())
    }

    /// CREATE with lifetime `handle`.
    pub(crate) fn lease(&self, row: Row) -> Result<Row, OsError> {
        self.ask(Operation::Create, CreateRequest { row, lifetime: 1, flags: 0 }.as_bytes())
    }

    pub(crate) fn delete(&self, row: Row) -> Result<(), OsError> {
        self.ask(Operation::Delete, DeleteRequest { row, flags: 0, reserved: 0 }.as_bytes())
    }

    pub(crate) fn get(&self, row: Row) -> Result<Row, OsError> {
        self.ask(Operation::Get, row.as_bytes())
    }

    /// GET_TABLE with room for `rows` rows; whether there are more.
    pub(crate) fn table_page(
        &self,
        filter: TableFilter,
        rows: usize,
    ) -> Result<(TableHeader, Vec<Row>, bool), OsError> {
        let mut output = vec![0xEE; size_of::<TableHeader>() + rows * size_of::<Row>()];
        let code = Operation::GetTable.definition().control_code();
        let returned = self.device.control(code, filter.as_bytes(), &mut output)?;
        let (header, rest) = TableHeader::read_from_prefix(&output[..returned.length]).expect("the header is there");
        let rows: Vec<Row> =
            rest.chunks(size_of::<Row>()).map(|row| Row::read_from_bytes(row).expect("rows are whole")).collect();
        assert_eq!(rows.len(), header.count as usize, "as many rows as the header says");
        Ok((header, rows, returned.more))
    }

    /// Everything that GET_TABLE lists, in a buffer that is large enough at once.
    pub(crate) fn table(&self, filter: TableFilter) -> Result<Vec<Row>, OsError> {
        let (_, rows, more) = self.table_page(filter, 1000)?;
        assert!(!more, "1000 rows are enough");
        Ok(rows)
    }
}

/// A program that is built with this one, which is a test.
pub(crate) fn program(name: &str) -> PathBuf {
    let this = std::env::current_exe().expect("the program has a path");
    this.ancestors().nth(2).expect("tests lie two folders below what is built").join(name)
}

/// The address `text` on `interface`, named by its LUID.
pub(crate) fn on(interface: Interface, text: &str) -> Row {
    Row::on_luid(address(text), interface.luid)
}

/// The same row as NetIO has it.
pub(crate) fn resolved(interface: Interface, text: &str) -> Row {
    Row { index: interface.index, scope_id: interface.scope_id, ..on(interface, text) }
}

pub(crate) fn address(text: &str) -> IpAddr {
    text.parse().expect("an IP address")
}

/// Every address of `family`, or of both.
pub(crate) fn all_of(family: AddressFamily) -> TableFilter {
    TableFilter { family, ..TableFilter::ALL }
}

/// A failure by both its codes, of which the second is what GetLastError says.
pub(crate) fn failure(status: NtStatus, win32: u32) -> OsError {
    OsError { status, win32: Win32Error(win32) }
}
