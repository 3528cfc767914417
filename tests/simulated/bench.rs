//! What every test stands on: a simulated kernel with the driver in it, and interfaces below.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use kernel_sim::{Caller, DesiredAccess, Driver, Handle, Image, Kernel, Options, Registry, Reply};
use netio_anycast_protocol::SERVICE_NAME;
use netio_anycast_protocol::address::{AddressFamily, Luid};
use netio_anycast_protocol::create::{CreateRequest, DeleteRequest};
use netio_anycast_protocol::operation::Operation;
use netio_anycast_protocol::row::Row;
use netio_anycast_protocol::status::NtStatus;
use netio_anycast_protocol::table::{TableFilter, TableHeader};
use netio_model::{Families, Function, Interface, Model};
use zerocopy::{FromBytes, IntoBytes};

use crate::report;

/// The device as a program's `\\.\NetioAnycast` reaches it.
pub(crate) const DEVICE: &str = netio_anycast_protocol::SYMBOLIC_LINK_NAME;

/// An interface with both families.
pub(crate) const ETHERNET: Interface =
    Interface { luid: Luid::new(6, 12), index: 12, families: Families::all(), scope_id: 0x0BAD };
/// Another one.
pub(crate) const SECOND: Interface =
    Interface { luid: Luid::new(6, 13), index: 13, families: Families::all(), scope_id: 7 };

/// Where the driver's image is.
///
/// # Panics
/// If it was not built yet: the message says how to build it.
pub(crate) fn image_path() -> PathBuf {
    let path = std::env::var_os("NETIO_ANYCAST_IMAGE").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/driver/netio_anycast.sys"),
        PathBuf::from,
    );
    assert!(path.exists(), "{} is not there. Build the driver first: cargo xtask build", path.display());
    path
}

/// The driver's image.
pub(crate) fn image() -> Image {
    Image::read(&image_path()).expect("the driver's image can be loaded")
}

/// A kernel with [`ETHERNET`] and [`SECOND`], and no driver yet.
pub(crate) fn kernel(options: Options) -> Kernel {
    let kernel = Kernel::new(options).expect("there is address space for a kernel");
    kernel.netio(|model| {
        for interface in [ETHERNET, SECOND] {
            model.add_interface(interface).expect("the model takes an interface");
        }
    });
    kernel
}

/// A registry with the key in which an administrator may set the device's security, and perhaps with the setting.
pub(crate) fn class_setting(security: Option<Vec<u8>>) -> Registry {
    const PROPERTIES: &str =
        r"\Registry\Machine\System\CurrentControlSet\Control\Class\{D8F24BD5-FD53-43D8-BC2B-770D5AEA707A}\Properties";
    const REG_BINARY: u32 = 3;
    let values = security.into_iter().map(|descriptor| ("Security".to_owned(), (REG_BINARY, descriptor)));
    Registry::from([(PROPERTIES.to_owned(), values.collect())])
}

/// The driver in a kernel, with a handle of an administrator to its device.
pub(crate) struct Bench {
    pub(crate) kernel: Kernel,
    pub(crate) driver: Driver,
    pub(crate) handle: Option<Handle>,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self::with(Options::default())
    }

    pub(crate) fn with(options: Options) -> Self {
        let kernel = kernel(options);
        let driver = kernel.load(&image(), SERVICE_NAME).expect("the driver loads");
        let handle = kernel.open(DEVICE, &Caller::administrator(), DesiredAccess::READ_WRITE);
        Self { kernel, driver, handle: Some(handle.expect("an administrator may open the device")) }
    }

    pub(crate) fn handle(&self) -> &Handle {
        self.handle.as_ref().expect("it is closed at the end only")
    }

    /// Sends an operation with this input.
    pub(crate) fn send(&self, operation: Operation, input: &[u8], output_length: usize) -> Reply {
        self.handle().control(operation.definition().control_code(), input, output_length)
    }

    /// Sends an operation, and reads its one output.
    pub(crate) fn ask<O: FromBytes>(&self, operation: Operation, input: &[u8]) -> Result<O, NtStatus> {
        let reply = self.send(operation, input, size_of::<O>());
        match reply.status {
            NtStatus::SUCCESS => Ok(O::read_from_bytes(&reply.output).expect("the whole output came back")),
            status => Err(status),
        }
    }

    pub(crate) fn create(&self, row: Row) -> Result<Row, NtStatus> {
        self.ask(Operation::Create, CreateRequest { row, lifetime: 0, flags: 0 }.as_bytes())
    }

    pub(crate) fn delete(&self, row: Row) -> Result<(), NtStatus> {
        self.ask(Operation::Delete, DeleteRequest { row, flags: 0, reserved: 0 }.as_bytes())
    }

    pub(crate) fn get(&self, row: Row) -> Result<Row, NtStatus> {
        self.ask(Operation::Get, row.as_bytes())
    }

    /// Lists addresses, with room for `room` rows.
    pub(crate) fn table(&self, family: AddressFamily, room: usize) -> (NtStatus, Option<TableHeader>, Vec<Row>) {
        let length = size_of::<TableHeader>() + room * size_of::<Row>();
        let reply = self.send(Operation::GetTable, TableFilter { family, ..TableFilter::ALL }.as_bytes(), length);
        let Ok((header, rest)) = TableHeader::read_from_prefix(&reply.output) else {
            return (reply.status, None, Vec::new());
        };
        let rows = rest.chunks_exact(size_of::<Row>()).map(|row| Row::read_from_bytes(row).expect("a row's length"));
        (reply.status, Some(header), rows.collect())
    }

    /// The addresses that NetIO has.
    pub(crate) fn addresses(&self) -> Vec<Row> {
        self.kernel.netio(|model| model.entries().collect())
    }

    /// How often NetIO was called.
    pub(crate) fn netio_calls(&self) -> u64 {
        self.kernel.netio(|model: &mut Model| Function::ALL.iter().map(|function| model.calls(*function)).sum())
    }
}

/// Whatever a test did: closed, unloaded, and no rule broken.
impl Drop for Bench {
    fn drop(&mut self) {
        drop(self.handle.take());
        let fine = !std::thread::panicking();
        let unloaded = fine && self.driver.unload();
        report::judged(&self.kernel);
        if fine {
            assert!(unloaded, "the driver can be unloaded once it is closed");
            assert!(self.kernel.devices().is_empty(), "no device is left");
            self.kernel.assert_clean();
        }
    }
}

pub(crate) fn address(text: &str) -> IpAddr {
    text.parse().expect("the test writes addresses as they are written")
}

/// An address on an interface, as a caller writes it.
pub(crate) fn on(interface: Interface, text: &str) -> Row {
    Row::on_luid(address(text), interface.luid)
}

/// An address on an interface, as the driver returns it.
pub(crate) fn resolved(interface: Interface, text: &str) -> Row {
    Row { index: interface.index, scope_id: interface.scope_id, ..on(interface, text) }
}
