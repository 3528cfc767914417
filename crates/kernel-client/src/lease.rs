//! Addresses that go with who holds them.

use netio_anycast_protocol::create::{CreateFlags, DeleteFlags, Lifetime};
use netio_anycast_protocol::row::Row;
use netio_anycast_protocol::status::NtStatus;

use crate::error::Error;

/// Whether others may hold the same lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Sharing {
    /// Nobody else: where the address is already, the lease fails.
    Exclusive,
    /// Everybody who leases it as shared: the address goes with the last of them.
    Shared,
}

impl Sharing {
    /// As CREATE has it.
    #[must_use]
    pub const fn flags(self) -> CreateFlags {
        match self {
            Self::Exclusive => CreateFlags::empty(),
            Self::Shared => CreateFlags::SHARED,
        }
    }
}

/// What can be done with single addresses in both ways of calling, by IRPs and directly. IRQL: PASSIVE_LEVEL.
///
/// Every operation ends with a failure of the contract (`docs/status-mapping.md`), or with STATUS_INVALID_DEVICE_STATE above
/// PASSIVE_LEVEL.
pub trait Addresses {
    /// CREATE: adds an address to an interface, and returns it as the driver resolved it.
    ///
    /// # Errors
    /// STATUS_OBJECTID_EXISTS: the address is there; STATUS_NOT_FOUND: no such interface; STATUS_NOT_SUPPORTED: no such stack;
    /// STATUS_INVALID_PARAMETER: no unicast address, or no interface; STATUS_QUOTA_EXCEEDED: as many leases as may be.
    fn create(&self, row: &Row, lifetime: Lifetime, flags: CreateFlags) -> Result<Row, Error>;

    /// DELETE: removes an address from an interface.
    ///
    /// # Errors
    /// STATUS_NOT_FOUND: the address is not there; STATUS_ACCESS_DENIED: others hold a lease on it.
    fn delete(&self, row: &Row, flags: DeleteFlags) -> Result<(), Error>;

    /// GET: reads one address of an interface.
    ///
    /// # Errors
    /// STATUS_NOT_FOUND: the address is not there.
    fn get(&self, row: &Row) -> Result<Row, Error>;

    /// Adds an address to an interface for as long as the returned [`Lease`] lasts.
    ///
    /// # Errors
    /// As for [`create`](Self::create).
    fn lease(&self, row: &Row, sharing: Sharing) -> Result<Lease<'_, Self>, Error>
    where
        Self: Sized,
    {
        let row = self.create(row, Lifetime::Handle, sharing.flags())?;
        Ok(Lease { holder: self, row, held: true })
    }
}

/// An address that this driver holds. It is withdrawn when this is dropped, at PASSIVE_LEVEL.
///
/// The driver ties it to what it was asked for through: to the file object, or to the context of the direct-call interface. It
/// goes with that at the latest, and so with a client that forgets it.
#[must_use = "the address is withdrawn when the lease is dropped"]
#[derive(Debug)]
pub struct Lease<'a, A: Addresses> {
    holder: &'a A,
    row: Row,
    held: bool,
}

impl<A: Addresses> Lease<'_, A> {
    /// The address, as the driver resolved it.
    #[must_use]
    pub const fn row(&self) -> &Row {
        &self.row
    }

    /// Withdraws the address, and tells whether that succeeded. An address that is gone already is what was wanted.
    ///
    /// # Errors
    /// STATUS_INVALID_DEVICE_STATE: this is not PASSIVE_LEVEL. Or what NetIO has refused the withdrawal with. Either way the address
    /// goes with what it was asked for through.
    pub fn release(mut self) -> Result<(), Error> {
        self.withdraw()
    }

    /// Lets the lease last for as long as what it was asked for through, and returns the address.
    #[must_use]
    pub fn keep(mut self) -> Row {
        self.held = false;
        self.row
    }

    fn withdraw(&mut self) -> Result<(), Error> {
        self.held = false;
        match self.holder.delete(&self.row, DeleteFlags::empty()) {
            Err(Error::Status(NtStatus::NOT_FOUND)) => Ok(()),
            result => result,
        }
    }
}

impl<A: Addresses> Drop for Lease<'_, A> {
    fn drop(&mut self) {
        if self.held {
            // Nobody is left to be told, and the address goes with what it was asked for through.
            let _ = self.withdraw();
        }
    }
}
