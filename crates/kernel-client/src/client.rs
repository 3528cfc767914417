//! The operations of the driver, by IRPs.

use netio_anycast_protocol::apply::{ApplyFlags, ApplyItem};
use netio_anycast_protocol::create::{CreateFlags, CreateRequest, DeleteFlags, DeleteRequest, Lifetime};
use netio_anycast_protocol::lease::{LeaseFilter, LeaseRow};
use netio_anycast_protocol::operation::Operation;
use netio_anycast_protocol::row::Row;
use netio_anycast_protocol::statistics::Statistics;
use netio_anycast_protocol::table::TableFilter;
use netio_anycast_protocol::version::{Features, PROTOCOL_VERSION, Version};
use netio_anycast_protocol::wait::Generation;
use zerocopy::IntoBytes;

use crate::batch::{self, Outcomes};
use crate::error::Error;
use crate::lease::Addresses;
use crate::rows::{self, Rows};
use crate::transport::{Transport, exchange};

/// A connection to the driver, over a transport that waits: `Device` in the kernel. IRQL: PASSIVE_LEVEL.
///
/// Every reply is checked against the contract: a driver that lies gives [`Error::Malformed`].
#[derive(Debug)]
pub struct Client<T> {
    transport: T,
    version: Version,
}

impl<T: Transport> Client<T> {
    /// Asks the driver for its version, and checks that it speaks this client's protocol.
    ///
    /// # Errors
    /// [`Error::OtherProtocol`], or what the request ended with.
    pub fn connect(transport: T) -> Result<Self, Error> {
        let version: Version = exchange(&transport, Operation::QueryVersion, &[])?;
        if version.protocol != PROTOCOL_VERSION {
            return Err(Error::OtherProtocol(version.protocol));
        }
        Ok(Self { transport, version })
    }

    /// What the driver is and can do, as it said when the client connected.
    pub const fn version(&self) -> &Version {
        &self.version
    }

    /// What the client asks the driver through.
    pub const fn transport(&self) -> &T {
        &self.transport
    }

    /// Checks that the driver offers these features; without one it answers the operations of it as unknown ones.
    ///
    /// # Errors
    /// [`Error::NotOffered`].
    pub const fn require(&self, features: Features) -> Result<(), Error> {
        let missing = features.difference(Features::from_bits_truncate(self.version.features));
        if missing.is_empty() { Ok(()) } else { Err(Error::NotOffered(missing)) }
    }

    /// GET_TABLE: the anycast addresses that there are.
    ///
    /// # Errors
    /// STATUS_NOT_FOUND: the filter names an interface that does not exist; [`Error::GrowsTooFast`]; no memory.
    pub fn table(&self, filter: &TableFilter) -> Result<Rows<Row>, Error> {
        rows::read(&self.transport, Operation::GetTable, filter.as_bytes())
    }

    /// LIST_LEASES: the addresses that go with their holders.
    ///
    /// # Errors
    /// As for [`table`](Self::table).
    pub fn leases(&self, filter: &LeaseFilter) -> Result<Rows<LeaseRow>, Error> {
        rows::read(&self.transport, Operation::ListLeases, filter.as_bytes())
    }

    /// APPLY: makes many changes. What became of each is in the outcomes, even if the request as a whole succeeded.
    ///
    /// # Errors
    /// Nothing was changed then. STATUS_INVALID_PARAMETER: more items than the driver takes ([`Version::max_apply_items`]); no
    /// memory. Only after [`Error::Malformed`] it is unknown what was changed.
    pub fn apply(&self, items: &[ApplyItem], flags: ApplyFlags) -> Result<Outcomes, Error> {
        batch::apply(&self.transport, items, flags)
    }

    /// WAIT_CHANGE: waits until the driver's generation differs from `seen`, for as long as that takes.
    ///
    /// A driver that has to be unloaded before it begins the wait as a `Request`, which can be cancelled.
    ///
    /// # Errors
    /// STATUS_QUOTA_EXCEEDED: as many waits pend as may.
    pub fn wait_change(&self, seen: Generation) -> Result<Generation, Error> {
        exchange(&self.transport, Operation::WaitChange, seen.as_bytes())
    }

    /// QUERY_STATISTICS: reads the driver's counters into `statistics`, which is too large to be moved about a kernel stack.
    ///
    /// # Errors
    /// What the request ended with.
    pub fn statistics(&self, statistics: &mut Statistics) -> Result<(), Error> {
        let code = Operation::QueryStatistics.definition().control_code();
        self.transport.control(code, &[], statistics.as_mut_bytes()).expect(size_of::<Statistics>())
    }
}

impl<T: Transport> Addresses for Client<T> {
    fn create(&self, row: &Row, lifetime: Lifetime, flags: CreateFlags) -> Result<Row, Error> {
        let request = CreateRequest { row: *row, lifetime: lifetime as u32, flags: flags.bits() };
        exchange(&self.transport, Operation::Create, request.as_bytes())
    }

    fn delete(&self, row: &Row, flags: DeleteFlags) -> Result<(), Error> {
        let request = DeleteRequest { row: *row, flags: flags.bits(), reserved: 0 };
        self.transport.control(Operation::Delete.definition().control_code(), request.as_bytes(), &mut []).expect(0)
    }

    fn get(&self, row: &Row) -> Result<Row, Error> {
        exchange(&self.transport, Operation::Get, row.as_bytes())
    }
}
