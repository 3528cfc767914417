//! The operations of the driver, typed.

use std::net::IpAddr;

use netio_anycast_protocol::create::{CreateRequest, DeleteFlags, DeleteRequest, Lifetime};
use netio_anycast_protocol::operation::{Definition, Operation};
use netio_anycast_protocol::row::Row;
use netio_anycast_protocol::statistics::Statistics;
use netio_anycast_protocol::version::{Features, PROTOCOL_VERSION, Version};
use zerocopy::{FromBytes, IntoBytes};

use crate::attempt::Attempt;
use crate::entry::{Entry, InterfaceId, Selection, Table, row};
use crate::error::Error;
use crate::table;
use crate::transport::Transport;

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

    /// What the driver is and can do, as it said when the client connected.
    pub const fn version(&self) -> &Version {
        &self.version
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

    /// Removes an anycast address from an interface.
    ///
    /// Needs a transport that was opened for writing.
    ///
    /// # Errors
    /// `NotFound`: the address is not on the interface, or there is no such interface; `NotSupported`;
    /// `InvalidParameter`; and the kinds that every operation can end with.
    pub fn delete(&self, address: IpAddr, interface: InterfaceId) -> Result<(), Error> {
        let attempt = Attempt::Delete(address, interface);
        let request = DeleteRequest { row: row(address, interface), flags: DeleteFlags::empty().bits(), reserved: 0 };
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

    /// Reads the driver's counters.
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
        let offered = Features::from_bits_truncate(self.version.features);
        if offered.contains(feature) { Ok(()) } else { Err(Error::not_offered(attempt)) }
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
