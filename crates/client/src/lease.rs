//! Addresses that go with who holds them.

use std::fmt;
use std::net::IpAddr;

use netio_anycast_protocol::create::{CreateFlags, CreateRequest, Lifetime};

use crate::attempt::Attempt;
use crate::client::Client;
use crate::entry::{Entry, InterfaceId, row};
use crate::error::{Error, ErrorKind};
use crate::transport::Transport;

/// Whether others may hold the same lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Sharing {
    /// Nobody else: where the address is already, the lease fails.
    Exclusive,
    /// Everybody who leases it as shared: the address goes with the last of them.
    Shared,
}

impl Sharing {
    pub(crate) const fn flags(self) -> CreateFlags {
        match self {
            Self::Exclusive => CreateFlags::empty(),
            Self::Shared => CreateFlags::SHARED,
        }
    }
}

/// An anycast address that this program holds. It is withdrawn when this is dropped.
///
/// The driver ties it to the handle of the client, so it goes as well when the client is dropped or the program ends, killed
/// or not: nothing of it has to run for that.
///
/// ```
/// # #[path = "../tests/support/in_process.rs"]
/// # mod in_process;
/// # use in_process::InProcessDriver;
/// use netio_anycast_client::{Client, InterfaceId, Selection, Sharing};
///
/// # fn main() -> Result<(), netio_anycast_client::Error> {
/// # let driver = InProcessDriver::with_interface(5);
/// # let client = Client::connect(driver.open())?;
/// let lease = client.lease("192.0.2.1".parse().unwrap(), InterfaceId::Index(5), Sharing::Exclusive)?;
/// assert_eq!(client.table(Selection::ALL)?.entries, [*lease.entry()]);
/// drop(lease);
/// assert!(client.table(Selection::ALL)?.entries.is_empty());
/// # Ok(())
/// # }
/// ```
#[must_use = "the address is withdrawn when the lease is dropped"]
pub struct Lease<'a, T: Transport> {
    client: &'a Client<T>,
    entry: Entry,
    held: bool,
}

impl<'a, T: Transport> Lease<'a, T> {
    pub(crate) const fn new(client: &'a Client<T>, entry: Entry) -> Self {
        Self { client, entry, held: true }
    }

    /// The address, as the driver resolved it.
    #[must_use]
    pub const fn entry(&self) -> &Entry {
        &self.entry
    }

    /// Withdraws the address, and tells whether that succeeded. An address that is gone already is what was wanted; one that
    /// others share stays, as theirs.
    ///
    /// ```
    /// # #[path = "../tests/support/in_process.rs"]
    /// # mod in_process;
    /// # use in_process::InProcessDriver;
    /// # use netio_anycast_client::{Client, InterfaceId, Sharing};
    /// # fn main() -> Result<(), netio_anycast_client::Error> {
    /// # let driver = InProcessDriver::with_interface(5);
    /// # let client = Client::connect(driver.open())?;
    /// # let address = "192.0.2.1".parse().unwrap();
    /// client.lease(address, InterfaceId::Index(5), Sharing::Exclusive)?.release()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// What NetIO refuses the withdrawal with: the driver then tries again when the client is dropped. `AccessDenied`: the
    /// lease was ended by force, and the address is another's lease by now.
    pub fn release(mut self) -> Result<(), Error> {
        self.withdraw()
    }

    /// Lets the lease last for as long as the client's handle does, and returns the address.
    ///
    /// ```
    /// # #[path = "../tests/support/in_process.rs"]
    /// # mod in_process;
    /// # use in_process::InProcessDriver;
    /// # use netio_anycast_client::{Client, InterfaceId, Selection, Sharing};
    /// # fn main() -> Result<(), netio_anycast_client::Error> {
    /// # let driver = InProcessDriver::with_interface(5);
    /// # let client = Client::connect(driver.open())?;
    /// # let observer = Client::connect(driver.open())?;
    /// # let address = "192.0.2.1".parse().unwrap();
    /// let entry = client.lease(address, InterfaceId::Index(5), Sharing::Exclusive)?.until_the_client_goes();
    /// assert_eq!(observer.table(Selection::ALL)?.entries, [entry]);
    /// drop(client);
    /// assert!(observer.table(Selection::ALL)?.entries.is_empty());
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn until_the_client_goes(mut self) -> Entry {
        self.held = false;
        self.entry
    }

    fn withdraw(&mut self) -> Result<(), Error> {
        self.held = false;
        match self.client.delete(self.entry.address, InterfaceId::Luid(self.entry.luid)) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            result => result,
        }
    }
}

impl<T: Transport> fmt::Debug for Lease<'_, T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Lease").field("entry", &self.entry).finish_non_exhaustive()
    }
}

impl<T: Transport> Drop for Lease<'_, T> {
    fn drop(&mut self) {
        if self.held {
            // Nobody is left to be told; what was not withdrawn here, the driver withdraws with the handle.
            let _ = self.withdraw();
        }
    }
}

/// What CREATE takes for a lease.
pub(crate) const fn request(address: IpAddr, interface: InterfaceId, sharing: Sharing) -> CreateRequest {
    CreateRequest { row: row(address, interface), lifetime: Lifetime::Handle as u32, flags: sharing.flags().bits() }
}

/// What the messages about it say.
pub(crate) const fn attempt(address: IpAddr, interface: InterfaceId) -> Attempt {
    Attempt::Lease(address, interface)
}
