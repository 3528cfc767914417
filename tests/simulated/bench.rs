//! What every test stands on: a simulated kernel with the driver in it, and interfaces below.

use std::net::IpAddr;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::time::Duration;

use kernel_sim::{Driver, Image, Kernel, Options, ProcessId, Registry};
use netio_anycast_protocol::SERVICE_NAME;
use netio_anycast_protocol::address::Luid;
use netio_anycast_protocol::row::Row;
use netio_model::{Families, Function, Interface, Model};

use crate::client::{Client, FIRST};
use crate::report;

pub(crate) use crate::client::DEVICE;

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

/// A registry with limits in the service's Parameters key.
pub(crate) fn parameters(values: &[(&str, u32)]) -> Registry {
    const PARAMETERS: &str = r"\Registry\Machine\System\CurrentControlSet\Services\netio_anycast\Parameters";
    const REG_DWORD: u32 = 4;
    let values = values.iter().map(|(name, value)| ((*name).to_owned(), (REG_DWORD, value.to_le_bytes().to_vec())));
    Registry::from([(PARAMETERS.to_owned(), values.collect())])
}

/// The driver in a kernel, with a program that has its device open.
pub(crate) struct Bench {
    pub(crate) kernel: Kernel,
    pub(crate) driver: Driver,
    pub(crate) client: Option<Client>,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self::with(Options::default())
    }

    pub(crate) fn with(options: Options) -> Self {
        let kernel = kernel(options);
        let driver = kernel.load(&image(), SERVICE_NAME).expect("the driver loads");
        let client = Client::open(&kernel, FIRST).expect("an administrator may open the device");
        Self { kernel, driver, client: Some(client) }
    }

    /// Another program that has the device open.
    pub(crate) fn another(&self, process: ProcessId) -> Client {
        Client::open(&self.kernel, process).expect("an administrator may open the device")
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

impl Deref for Bench {
    type Target = Client;

    fn deref(&self) -> &Client {
        self.client.as_ref().expect("it is closed at the end only")
    }
}

/// Whatever a test did: closed, unloaded, and no rule broken.
impl Drop for Bench {
    fn drop(&mut self) {
        drop(self.client.take());
        settle(&self.kernel);
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

/// Waits until nobody has anything left to do: a work item may be about to close what keeps a driver.
pub(crate) fn settle(kernel: &Kernel) {
    kernel.advance(Duration::ZERO);
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
