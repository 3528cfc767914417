//! The driver in this process: its engine, over the model of NetIO.

use netio_anycast_engine::Limits;
use netio_anycast_engine::host_driver::{HostDriver, HostHandle};
use netio_anycast_kernel_client::protocol::address::Luid;
use netio_anycast_kernel_client::protocol::row::Row;
use netio_anycast_kernel_client::protocol::status::NtStatus;
use netio_anycast_kernel_client::{Client, Reply, Transport};
use netio_model::{Families, Interface, Model};

/// An interface with both families.
pub(crate) const ETHERNET: Interface =
    Interface { luid: Luid::new(6, 12), index: 12, families: Families::all(), scope_id: 7 };

/// A file object of the driver's device.
pub(crate) struct File(pub(crate) HostHandle);

impl Transport for File {
    fn control(&self, control_code: u32, input: &[u8], output: &mut [u8]) -> Reply {
        let reply = self.0.control(control_code, input, output.len());
        // METHOD_BUFFERED: output is copied for success and for warnings.
        output[..reply.output.len()].copy_from_slice(&reply.output);
        Reply { status: reply.status, length: reply.output.len() }
    }
}

/// A driver on a system with one interface.
pub(crate) fn driver() -> HostDriver {
    let mut model = Model::new();
    model.add_interface(ETHERNET).expect("the only interface");
    HostDriver::new(model, Limits::DEFAULT)
}

/// A client with a file object of its own.
pub(crate) fn open(driver: &HostDriver) -> Client<File> {
    Client::connect(File(driver.open(4).expect("the host has memory"))).expect("the driver speaks this protocol")
}

/// An address on the interface, as a caller writes it.
pub(crate) fn row(address: &str) -> Row {
    Row::on_index(address.parse().expect("an address"), ETHERNET.index)
}

/// An address on the interface, as the driver returns it.
pub(crate) fn resolved(address: &str) -> Row {
    Row { luid: ETHERNET.luid, scope_id: ETHERNET.scope_id, ..row(address) }
}

/// The addresses that NetIO has.
pub(crate) fn addresses(driver: &HostDriver) -> Vec<Row> {
    driver.model().entries().collect()
}

/// A failure that is a status.
pub(crate) fn status<T>(status: NtStatus) -> Result<T, netio_anycast_kernel_client::Error> {
    Err(netio_anycast_kernel_client::Error::Status(status))
}
