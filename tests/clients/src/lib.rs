//! Clients that are started to be killed: what each does is decided by a [`Mode`] and a seed, so that a run can be repeated.
//!
//! All of them fight over the same few addresses ([`lease_address`]); what they create without an owner lies elsewhere
//! ([`unowned_address`]). A client ends by itself only when the driver answers what it never may.

#![forbid(unsafe_code)]

mod numbers;

use std::net::{IpAddr, Ipv6Addr};

use clap::ValueEnum;
use netio_anycast_client::{
    Atomicity, Change, Client, Error, ErrorKind, InterfaceId, Item, Outcome, Selection, Sharing, Transport,
};

pub use numbers::Numbers;

/// The interface that the clients use, by its index.
pub const INTERFACE: u32 = 12;
/// The addresses that they lease.
pub const LEASE_ADDRESSES: u16 = 64;
/// The most changes in one of their batches.
const BATCH: usize = 16;
/// The most leases that one of them takes at first.
const FIRST_LEASES: usize = 4;

/// What a client does until it is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Mode {
    /// Takes some leases and keeps them.
    Hold,
    /// Creates leases and deletes them, many in a request, atomically and not.
    Batch,
    /// Holds a lease and waits for changes, again and again.
    Wait,
    /// Takes leases and gives them up, creates addresses without an owner and deletes them, one by one.
    Churn,
}

impl Mode {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Hold, Self::Batch, Self::Wait, Self::Churn];

    /// Its name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hold => "hold",
            Self::Batch => "batch",
            Self::Wait => "wait",
            Self::Churn => "churn",
        }
    }
}

/// One of the addresses that clients lease. Every other one is leased as shared by all of them.
#[must_use]
pub const fn lease_address(number: u16) -> (IpAddr, Sharing) {
    let number = number % LEASE_ADDRESSES;
    let sharing = if number.is_multiple_of(2) { Sharing::Shared } else { Sharing::Exclusive };
    (IpAddr::V6(Ipv6Addr::new(0x2001, 0xDB8, 0, 1, 0, 0, 0, number)), sharing)
}

/// Whether an address is one that clients lease.
#[must_use]
pub fn is_lease_address(address: IpAddr) -> bool {
    (0..LEASE_ADDRESSES).any(|number| lease_address(number).0 == address)
}

/// One of the addresses that clients create without an owner.
#[must_use]
pub const fn unowned_address(number: u16) -> IpAddr {
    IpAddr::V6(Ipv6Addr::new(0x2001, 0xDB8, 0, 2, 0, 0, 0, number % LEASE_ADDRESSES))
}

/// A client at work.
#[derive(Debug)]
pub struct Worker<'a, T> {
    client: &'a Client<T>,
    mode: Mode,
    numbers: Numbers,
}

impl<'a, T: Transport> Worker<'a, T> {
    /// A worker over a client, of which nobody else makes requests.
    pub const fn new(client: &'a Client<T>, mode: Mode, seed: u64) -> Self {
        Self { client, mode, numbers: Numbers::new(seed) }
    }

    /// What it does once before it goes round: when this returns, it is at work.
    ///
    /// # Errors
    /// What the driver should not have answered.
    pub fn begin(&mut self) -> Result<(), Error> {
        let leases = match self.mode {
            Mode::Hold => 1 + self.numbers.below(FIRST_LEASES),
            Mode::Wait => 1,
            Mode::Batch | Mode::Churn => return self.round(),
        };
        (0..leases).try_for_each(|_| self.lease())
    }

    /// One round of its work. For [`Mode::Hold`] there is nothing left to do.
    ///
    /// # Errors
    /// As for [`begin`](Self::begin).
    pub fn round(&mut self) -> Result<(), Error> {
        match self.mode {
            Mode::Hold => Ok(()),
            Mode::Batch => self.batch(),
            Mode::Wait => self.wait(),
            Mode::Churn => self.churn(),
        }
    }

    /// Takes a lease that lasts as long as the client.
    fn lease(&mut self) -> Result<(), Error> {
        let (address, sharing) = self.any_lease_address();
        match self.client.lease(address, InterfaceId::Index(INTERFACE), sharing) {
            Ok(lease) => {
                let _ = lease.until_the_client_goes();
                Ok(())
            }
            Err(error) => or_explained(error),
        }
    }

    fn batch(&mut self) -> Result<(), Error> {
        let count = 1 + self.numbers.below(BATCH);
        let items: Vec<Item> = (0..count).map(|_| self.item()).collect();
        let atomicity = if self.numbers.below(2) == 0 { Atomicity::Atomic } else { Atomicity::Independent };
        let outcomes = self.client.apply(&items, atomicity)?;
        outcomes.into_iter().try_for_each(|outcome| match outcome {
            Outcome::Failed(error) => or_explained(error),
            // Nobody has NetIO refuse anything.
            Outcome::RollbackFailed(error) => Err(error),
            Outcome::Applied | Outcome::NotAttempted | Outcome::RolledBack => Ok(()),
        })
    }

    fn item(&mut self) -> Item {
        let (address, sharing) = self.any_lease_address();
        let change = match self.numbers.below(3) {
            0 => Change::Delete { force: false },
            _ => Change::Lease(sharing),
        };
        Item { address, interface: InterfaceId::Index(INTERFACE), change }
    }

    fn wait(&self) -> Result<(), Error> {
        let seen = self.client.table(Selection::ALL)?.generation;
        self.client.wait_change(seen).map(drop)
    }

    fn churn(&mut self) -> Result<(), Error> {
        let interface = InterfaceId::Index(INTERFACE);
        let (address, sharing) = self.any_lease_address();
        let unowned = unowned_address(self.number());
        match self.numbers.below(3) {
            0 => match self.client.lease(address, interface, sharing) {
                Ok(lease) => lease.release().or_else(or_explained),
                Err(error) => or_explained(error),
            },
            1 => self.client.create(unowned, interface).map(drop).or_else(or_explained),
            _ => self.client.delete(unowned, interface).or_else(or_explained),
        }
    }

    fn any_lease_address(&mut self) -> (IpAddr, Sharing) {
        lease_address(self.number())
    }

    fn number(&mut self) -> u16 {
        let number = self.numbers.below(LEASE_ADDRESSES.into());
        u16::try_from(number).unwrap_or_default()
    }
}

/// What other clients explain is no error: they have the address, or have taken it away.
fn or_explained(error: Error) -> Result<(), Error> {
    match error.kind() {
        ErrorKind::AlreadyExists | ErrorKind::NotFound | ErrorKind::AccessDenied => Ok(()),
        _ => Err(error),
    }
}
