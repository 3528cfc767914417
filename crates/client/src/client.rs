//! The operations of the driver, typed.

use std::net::IpAddr;

use netio_anycast_protocol::create::{CreateRequest, DeleteFlags, DeleteRequest, Lifetime};
use netio_anycast_protocol::operation::{Definition, Operation};
use netio_anycast_protocol::row::Row;
use netio_anycast_protocol::statistics::Statistics;
use netio_anycast_protocol::version::{Features, PROTOCOL_VERSION, Version};
use zerocopy::{FromBytes, IntoBytes};

use crate::apply::{self, Atomicity, Item, Outcome};
use crate::attempt::Attempt;
use crate::entry::{Entry, InterfaceId, Selection, Table, row};
use crate::error::Error;
use crate::lease::{self, Lease, Sharing};
use crate::lease_list::{self, LeaseList, LeaseSelection};
use crate::table;
use crate::transport::Transport;
use crate::wait::ChangeWait;

/// A connection to the driver.
///
/// Every reply is checked against the contract: a driver that lies gives [`ErrorKind::Malformed`](crate::ErrorKind), never
/// a panic.
#[derive(Debug)]
pub struct Client<T> {
    transport: T,
    version: Version,
}

impl<T: Transport> Client<T> {
    /// Asks the driver for its version and checks that it speaks this client's protocol.
    ///
    /// # Errors
    /// [`DriverMismatch`](crate::ErrorKind::DriverMismatch) if it speaks another one, and whatever [`query_version`] says.
    pub fn connect(transport: T) -> Result<Self, Error> {
        let version = query_version(&transport)?;
        if version.protocol != PROTOCOL_VERSION {
            return Err(Error::other_protocol(version.protocol, PROTOCOL_VERSION));
        }
        Ok(Self { transport, version })
    }

    /// The way to the driver, for requests that the client has no method for.
    pub const fn transport(&self) -> &T {
        &self.transport
    }

    /// What the driver is and can do, as it said when the client connected.
    pub const fn version(&self) -> &Version {
        &self.version
    }

    /// Whether the driver offers these features.
    pub const fn offers(&self, features: Features) -> bool {
        Features::from_bits_truncate(self.version.features).contains(features)
    }

    /// Adds an anycast address to an interface. It stays until it is deleted, or the interface or the system goes.
    ///
    /// Needs a transport that was opened for writing. Returns the address as the driver resolved it.
    ///
    /// # Errors
    /// `AlreadyExists`; `NotFound`: no such interface; `NotSupported`: no such stack; `InvalidParameter`: not a unicast
    /// address, or the interface is zero; and the kinds that every operation can end with.
    pub fn create(&self, address: IpAddr, interface: InterfaceId) -> Result<Entry, Error> {
        let attempt = Attempt::Create(address, interface);
        let request = CreateRequest { row: row(address, interface), lifetime: Lifetime::Unowned as u32, flags: 0 };
        let reply = self.exchange(&attempt, Operation::Create, request.as_bytes())?;
        checked_entry(&attempt, &reply, address, interface)
    }

    /// Adds an anycast address to an interface for as long as the returned [`Lease`] lasts, which is at most as long as this
    /// client does.
    ///
    /// Needs a transport that was opened for writing.
    ///
    /// # Errors
    /// `AlreadyExists`: the address is there, and not as a lease that both share; `NoResources` with STATUS_QUOTA_EXCEEDED:
    /// the handle, or the driver, holds as many leases as it may; `DriverMismatch`: the driver has no leases; and those of
    /// [`create`](Self::create).
    pub fn lease(&self, address: IpAddr, interface: InterfaceId, sharing: Sharing) -> Result<Lease<'_, T>, Error> {
        let attempt = lease::attempt(address, interface);
        self.require(&attempt, Features::LEASES)?;
        let request = lease::request(address, interface, sharing);
        let reply = self.exchange(&attempt, Operation::Create, request.as_bytes())?;
        Ok(Lease::new(self, checked_entry(&attempt, &reply, address, interface)?))
    }

    /// Removes an anycast address from an interface.
    ///
    /// Needs a transport that was opened for writing.
    ///
    /// # Errors
    /// `NotFound`: the address is not on the interface, or there is no such interface; `AccessDenied`: others hold a lease
    /// on it; `NotSupported`; `InvalidParameter`; and the kinds that every operation can end with.
    pub fn delete(&self, address: IpAddr, interface: InterfaceId) -> Result<(), Error> {
        self.delete_with(address, interface, DeleteFlags::empty())
    }

    /// Removes an anycast address from an interface even though others hold a lease on it, which then ends.
    ///
    /// ```
    /// # #[path = "../tests/support/in_process.rs"]
    /// # mod in_process;
    /// # use in_process::InProcessDriver;
    /// use netio_anycast_client::{Client, ErrorKind, InterfaceId, Sharing};
    ///
    /// # fn main() -> Result<(), netio_anycast_client::Error> {
    /// # let driver = InProcessDriver::with_interface(5);
    /// # let holder = Client::connect(driver.open())?;
    /// # let administrator = Client::connect(driver.open())?;
    /// # let (address, interface) = ("192.0.2.1".parse().unwrap(), InterfaceId::Index(5));
    /// let lease = holder.lease(address, interface, Sharing::Exclusive)?;
    /// let error = administrator.delete(address, interface).unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::AccessDenied);
    /// administrator.force_delete(address, interface)?;
    /// // It is gone, which is what the holder wants by now.
    /// lease.release()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`delete`](Self::delete), without the one about leases.
    pub fn force_delete(&self, address: IpAddr, interface: InterfaceId) -> Result<(), Error> {
        self.delete_with(address, interface, DeleteFlags::FORCE)
    }

    fn delete_with(&self, address: IpAddr, interface: InterfaceId, flags: DeleteFlags) -> Result<(), Error> {
        let attempt = Attempt::Delete(address, interface);
        let request = DeleteRequest { row: row(address, interface), flags: flags.bits(), reserved: 0 };
        exchange_empty(&self.transport, &attempt, Operation::Delete, request.as_bytes())
    }

    /// Reads one anycast address of an interface.
    ///
    /// # Errors
    /// As for [`Client::delete`].
    pub fn get(&self, address: IpAddr, interface: InterfaceId) -> Result<Entry, Error> {
        let attempt = Attempt::Get(address, interface);
        let request = row(address, interface);
        let reply = self.exchange(&attempt, Operation::Get, request.as_bytes())?;
        checked_entry(&attempt, &reply, address, interface)
    }

    /// Lists anycast addresses, sorted by LUID, family and address.
    ///
    /// The driver returns as many rows as fit, so this asks again with more room while the table grows, a bounded number
    /// of times.
    ///
    /// # Errors
    /// `NotFound`: the selection names an interface that does not exist; `NotSupported`: it names a family without a
    /// stack; `Other` with STATUS_BUFFER_OVERFLOW: the table kept growing; and the kinds that every operation can end with.
    pub fn table(&self, selection: Selection) -> Result<Table, Error> {
        table::read(&self.transport, selection)
    }

    /// Makes many changes, and tells for each what became of it, in their order.
    ///
    /// A batch that is longer than the driver takes in one request ([`Version::max_apply_items`]) goes in several, unless it
    /// is to be atomic. Where a later request fails as a whole, its changes are [`Outcome::Failed`] with that reason and
    /// those after it [`Outcome::NotAttempted`].
    ///
    /// Needs a transport that was opened for writing.
    ///
    /// ```
    /// # #[path = "../tests/support/in_process.rs"]
    /// # mod in_process;
    /// # use in_process::InProcessDriver;
    /// use netio_anycast_client::{Atomicity, Change, Client, ErrorKind, InterfaceId, Item, Outcome};
    ///
    /// # fn main() -> Result<(), netio_anycast_client::Error> {
    /// # let driver = InProcessDriver::with_interface(5);
    /// # let client = Client::connect(driver.open())?;
    /// let interface = InterfaceId::Index(5);
    /// let [first, second] = ["192.0.2.1", "192.0.2.2"].map(|address| address.parse().unwrap());
    /// let create = |address| Item { address, interface, change: Change::Create };
    /// let delete = |address| Item { address, interface, change: Change::Delete { force: false } };
    ///
    /// let outcomes = client.apply(&[create(first), delete(second)], Atomicity::Atomic)?;
    /// assert_eq!(outcomes[0], Outcome::RolledBack);
    /// assert_eq!(outcomes[1].error().map(|error| error.kind()), Some(ErrorKind::NotFound));
    ///
    /// let outcomes = client.apply(&[create(first), create(second)], Atomicity::Atomic)?;
    /// assert!(outcomes.iter().all(Outcome::is_applied));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Nothing was changed then. `InvalidParameter`: the batch is to be atomic and longer than the driver takes;
    /// `DriverMismatch`: the driver has no batches; and the kinds that every operation can end with. Only after `Malformed`
    /// it is unknown what was changed.
    pub fn apply(&self, items: &[Item], atomicity: Atomicity) -> Result<Vec<Outcome>, Error> {
        self.require(&Attempt::Apply(items.len()), Features::BATCHES)?;
        apply::apply(&self.transport, items, atomicity, self.version.max_apply_items)
    }

    /// Waits until the driver's generation differs from `seen`, for as long as that takes, and returns the one that there is
    /// then.
    ///
    /// The generation moves with every change of the anycast addresses, by whomever. [`table`](Self::table) tells it, so
    /// that nothing is missed between reading and waiting:
    ///
    /// ```
    /// # #[path = "../tests/support/in_process.rs"]
    /// # mod in_process;
    /// # use in_process::InProcessDriver;
    /// use netio_anycast_client::{Client, InterfaceId, Selection};
    ///
    /// # fn main() -> Result<(), netio_anycast_client::Error> {
    /// # let driver = InProcessDriver::with_interface(5);
    /// # let client = Client::connect(driver.open())?;
    /// let seen = client.table(Selection::ALL)?.generation;
    /// client.create("192.0.2.1".parse().unwrap(), InterfaceId::Index(5))?;
    /// assert_ne!(client.wait_change(seen)?, seen);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`begin_wait`](Self::begin_wait) and [`ChangeWait::wait`].
    pub fn wait_change(&self, seen: u64) -> Result<u64, Error> {
        self.begin_wait(seen)?.wait()
    }

    /// Begins to wait until the driver's generation differs from `seen`: the wait can be looked at, bounded and cancelled.
    ///
    /// # Errors
    /// `DriverMismatch`: the driver has no such waits; `NoResources` with STATUS_QUOTA_EXCEEDED: as many are pending as may;
    /// and the kinds that every operation can end with.
    pub fn begin_wait(&self, seen: u64) -> Result<ChangeWait<'_>, Error> {
        self.require(&Attempt::WaitChange, Features::CHANGE_WAITS)?;
        ChangeWait::begin(&self.transport, seen)
    }

    /// Lists leases, sorted by LUID, family and address.
    ///
    /// ```
    /// # #[path = "../tests/support/in_process.rs"]
    /// # mod in_process;
    /// # use in_process::InProcessDriver;
    /// use netio_anycast_client::{Client, InterfaceId, LeaseSelection, Sharing};
    ///
    /// # fn main() -> Result<(), netio_anycast_client::Error> {
    /// # let driver = InProcessDriver::with_interface(5);
    /// # let client = Client::connect(driver.open())?;
    /// let held = client.lease("192.0.2.1".parse().unwrap(), InterfaceId::Index(5), Sharing::Shared)?;
    /// for lease in client.leases(LeaseSelection::default())?.leases {
    ///     println!("{} by process {}, {} in all", lease.entry.address, lease.process_id, lease.holders);
    ///     assert_eq!((lease.entry, lease.sharing, lease.holders), (*held.entry(), Sharing::Shared, 1));
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `DriverMismatch`: the driver has no leases; and those of [`table`](Self::table).
    pub fn leases(&self, selection: LeaseSelection) -> Result<LeaseList, Error> {
        self.require(&Attempt::ListLeases(selection), Features::LEASES)?;
        lease_list::read(&self.transport, selection)
    }

    /// Reads the driver's counters.
    ///
    /// ```
    /// # #[path = "../tests/support/in_process.rs"]
    /// # mod in_process;
    /// # use in_process::InProcessDriver;
    /// use netio_anycast_client::protocol::operation::Operation;
    /// use netio_anycast_client::{Client, InterfaceId};
    ///
    /// # fn main() -> Result<(), netio_anycast_client::Error> {
    /// # let driver = InProcessDriver::with_interface(5);
    /// # let client = Client::connect(driver.open())?;
    /// client.create("192.0.2.1".parse().unwrap(), InterfaceId::Index(5))?;
    /// assert_eq!(client.statistics()?.operations[Operation::Create as usize].succeeded, 1);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `DriverMismatch`: the driver has none; and the kinds that every operation can end with.
    pub fn statistics(&self) -> Result<Statistics, Error> {
        let attempt = Attempt::QueryStatistics;
        self.require(&attempt, Features::STATISTICS)?;
        self.exchange(&attempt, Operation::QueryStatistics, &[])
    }

    /// Refuses what the driver has said it does not offer.
    fn require(&self, attempt: &Attempt, feature: Features) -> Result<(), Error> {
        if self.offers(feature) { Ok(()) } else { Err(Error::not_offered(attempt)) }
    }

    fn exchange<R>(&self, attempt: &Attempt, operation: Operation, input: &[u8]) -> Result<R, Error>
    where
        R: FromBytes + IntoBytes,
    {
        exchange(&self.transport, attempt, operation, input)
    }
}

/// Asks a driver for its version, whichever protocol it speaks: QUERY_VERSION is the same in all of them.
///
/// # Errors
/// `NoDriver`, `AccessDenied`, `Malformed`, or whatever the transport says.
pub fn query_version(transport: &impl Transport) -> Result<Version, Error> {
    exchange(transport, &Attempt::QueryVersion, Operation::QueryVersion, &[])
}

/// One request whose reply is exactly one struct.
fn exchange<R>(transport: &impl Transport, attempt: &Attempt, operation: Operation, input: &[u8]) -> Result<R, Error>
where
    R: FromBytes + IntoBytes,
{
    let mut reply = R::new_zeroed();
    let length = send(transport, attempt, operation.definition(), input, reply.as_mut_bytes())?;
    if length != size_of::<R>() {
        let detail = format!("it is {length} bytes long and should be {}", size_of::<R>());
        return Err(Error::malformed(attempt, &detail));
    }
    Ok(reply)
}

/// One request whose reply is its status alone.
fn exchange_empty(
    transport: &impl Transport,
    attempt: &Attempt,
    operation: Operation,
    input: &[u8],
) -> Result<(), Error> {
    match send(transport, attempt, operation.definition(), input, &mut [])? {
        0 => Ok(()),
        length => Err(Error::malformed(attempt, &format!("it is {length} bytes long and should be empty"))),
    }
}

/// One request whose reply has no rows: that there are more of them is then a lie.
fn send(
    transport: &impl Transport,
    attempt: &Attempt,
    definition: &Definition,
    input: &[u8],
    output: &mut [u8],
) -> Result<usize, Error> {
    let returned =
        transport.control(definition.control_code(), input, output).map_err(|code| Error::refused(attempt, code))?;
    if returned.more {
        return Err(Error::malformed(attempt, "it claims to have more rows, and this reply has none"));
    }
    Ok(returned.length)
}

/// The row as an entry, provided that it is the one asked for.
fn checked_entry(attempt: &Attempt, row: &Row, address: IpAddr, interface: InterfaceId) -> Result<Entry, Error> {
    let entry =
        Entry::from_row(row).ok_or_else(|| Error::malformed(attempt, "the address in it is neither IPv4 nor IPv6"))?;
    if entry.address != address {
        return Err(Error::malformed(attempt, &format!("it is about {}", entry.address)));
    }
    if !entry.may_be_on(interface) {
        return Err(Error::malformed(attempt, &format!("it is about interface {}", entry.luid)));
    }
    Ok(entry)
}
