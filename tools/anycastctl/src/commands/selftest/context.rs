//! What the scenarios work with.

use std::fmt::Debug;
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use netio_anycast_client::protocol::operation::Operation;
use netio_anycast_client::protocol::status::NtStatus;
use netio_anycast_client::protocol::win32::Win32Error;
use netio_anycast_client::{Access, Client, Entry, Error, ErrorKind, InterfaceId, OsError, Selection, Transport};

use crate::commands::connect;
use crate::commands::place::Place;
use crate::failure::Failure;
use crate::platform::Platform;

/// How long something may take that the driver has no reason to delay.
const PATIENCE: Duration = Duration::from_secs(10);
const INTERVAL: Duration = Duration::from_millis(20);
/// The addresses of each family that the scenarios use.
const POOL: usize = 8;

/// The networks for documentation (RFC 5737), and a part of that of IPv6 (RFC 3849) in which nobody else has examples.
const IPV4: [[u8; 3]; 3] = [[192, 0, 2], [198, 51, 100], [203, 0, 113]];
const IPV6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xDB8, 0x5E1F, 0x7E57, 0, 0, 0, 1);

/// A client of the running driver.
pub(super) type AnyClient<'a> = Client<Box<dyn Transport + 'a>>;

/// Why a scenario ended early.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// The driver broke its promise, like this.
    Failed(String),
    /// The system lacks what it takes.
    Skipped(String),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Failed(error.to_string())
    }
}

/// An interface, and addresses that it does not have.
pub(super) struct Context<'a> {
    platform: &'a dyn Platform,
    pub(super) interface: InterfaceId,
    ipv4: Vec<IpAddr>,
    ipv6: Vec<IpAddr>,
    /// Whether the interface has IPv6.
    has_ipv6: bool,
}

impl<'a> Context<'a> {
    pub(super) fn new(platform: &'a dyn Platform, place: &Place) -> Result<Self, Failure> {
        let ipv4 = place.ipv4(&IPV4).take(POOL).collect();
        let ipv6 = place.ipv6(IPV6).take(POOL).collect();
        let mut context = Self { platform, interface: place.interface, ipv4, ipv6, has_ipv6: true };
        let client = connect(platform, Access::ReadWrite)?;
        context.has_ipv6 = match client.create(context.address(0), context.interface) {
            Ok(entry) => {
                // From here on by LUID, which tells more than an index.
                context.interface = InterfaceId::Luid(entry.luid);
                client.delete(entry.address, context.interface)?;
                true
            }
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotSupported) => false,
            Err(error) => return Err(error.into()),
        };
        Ok(context)
    }

    /// One of the addresses, of IPv6 if the interface has that.
    pub(super) fn address(&self, number: usize) -> IpAddr {
        let pool = if self.has_ipv6 { &self.ipv6 } else { &self.ipv4 };
        // Only a full network of IPv4 is shorter, and then the unspecified address fails the scenario.
        pool.get(number).copied().unwrap_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED))
    }

    /// One of IPv4's.
    pub(super) fn ipv4(&self, number: usize) -> Result<IpAddr, Stop> {
        self.ipv4
            .get(number)
            .copied()
            .ok_or_else(|| Stop::Skipped("its networks for documentation are in use".to_owned()))
    }

    /// One of IPv6's.
    pub(super) fn ipv6(&self, number: usize) -> Result<IpAddr, Stop> {
        if !self.has_ipv6 {
            return Err(Stop::Skipped("the interface has no IPv6".to_owned()));
        }
        Ok(self.address(number))
    }

    /// Another program, as far as the driver can tell.
    pub(super) fn client(&self) -> Result<AnyClient<'a>, Stop> {
        Ok(connect(self.platform, Access::ReadWrite)?)
    }

    /// One that may not change anything.
    pub(super) fn reader(&self) -> Result<AnyClient<'a>, Stop> {
        Ok(connect(self.platform, Access::Read)?)
    }

    /// Which of the scenarios' addresses are there.
    pub(super) fn there(&self, client: &AnyClient<'_>) -> Result<Vec<IpAddr>, Stop> {
        Ok(self.entries(client)?.into_iter().map(|entry| entry.address).collect())
    }

    fn entries(&self, client: &AnyClient<'_>) -> Result<Vec<Entry>, Stop> {
        let mut entries = client.table(Selection { family: None, interface: Some(self.interface) })?.entries;
        entries.retain(|entry| self.ipv4.contains(&entry.address) || self.ipv6.contains(&entry.address));
        Ok(entries)
    }

    /// Waits until exactly these of the scenarios' addresses are there. That a handle is closed need not have come to the driver
    /// when the program goes on.
    pub(super) fn wait_until_there(&self, client: &AnyClient<'_>, expected: &[IpAddr]) -> Result<(), Stop> {
        self.wait_until(|| Ok(self.there(client)? == expected))?;
        same("the addresses on the interface", &self.there(client)?.as_slice(), &expected)
    }

    /// Waits until it is so, or patience ends.
    pub(super) fn wait_until(&self, is_so: impl Fn() -> Result<bool, Stop>) -> Result<(), Stop> {
        let mut waited = Duration::ZERO;
        while !is_so()? && waited < PATIENCE {
            self.platform.sleep(INTERVAL);
            waited += INTERVAL;
        }
        Ok(())
    }

    /// Takes away what a scenario has left: that is no address that was there before.
    pub(super) fn clean_up(&self) -> Result<(), Stop> {
        let client = self.client()?;
        for entry in self.entries(&client)? {
            match client.force_delete(entry.address, self.interface) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error.into()),
                _ => {}
            }
        }
        Ok(())
    }

    pub(super) fn check_nothing_left(&self) -> Result<(), Stop> {
        self.clean_up()?;
        self.wait_until_there(&self.reader()?, &[])
    }
}

/// One request by hand, which ends in bounded time even if the driver has it pend.
pub(super) fn control(
    client: &AnyClient<'_>,
    control_code: u32,
    input: &[u8],
    output_length: usize,
) -> Result<Result<Vec<u8>, OsError>, Stop> {
    let request = match client.transport().begin(control_code, input, output_length) {
        Ok(request) => request,
        Err(error) => return Ok(Err(error)),
    };
    request.wait(Some(PATIENCE)).ok_or_else(|| Stop::Failed(format!("request {control_code:#010X} does not end")))
}

/// The patience for what a scenario waits for by itself.
pub(super) const fn patience() -> Duration {
    PATIENCE
}

pub(super) const fn code(operation: Operation) -> u32 {
    operation.definition().control_code()
}

/// Fails unless it is so.
pub(super) fn check(is_so: bool, otherwise: impl FnOnce() -> String) -> Result<(), Stop> {
    if is_so { Ok(()) } else { Err(Stop::Failed(otherwise())) }
}

/// Fails unless both are the same.
pub(super) fn same<T: PartialEq + Debug>(what: &str, found: &T, expected: &T) -> Result<(), Stop> {
    check(found == expected, || format!("{what}: {found:?} instead of {expected:?}"))
}

/// Fails unless the driver refused with this status, of which Windows makes this code.
pub(super) fn refused<T: Debug>(what: &str, result: Result<T, Error>, expected: (NtStatus, u32)) -> Result<(), Stop> {
    let (status, win32) = expected;
    match result {
        Ok(done) => Err(Stop::Failed(format!("{what}: it succeeded ({done:?}) instead of failing with {status}"))),
        Err(error) => {
            let found = (error.status(), error.win32());
            check(found == (Some(status), Some(Win32Error(win32))), || {
                format!("{what}: {error}, instead of {status} and Win32 error {win32}")
            })
        }
    }
}

/// The same for a request by hand.
pub(super) fn refused_by_hand(what: &str, result: &Result<Vec<u8>, OsError>, expected: NtStatus) -> Result<(), Stop> {
    match result {
        Ok(output) => Err(Stop::Failed(format!(
            "{what}: it succeeded with {} bytes instead of failing with {expected}",
            output.len()
        ))),
        Err(error) => check(error.status == expected, || format!("{what}: {} instead of {expected}", error.status)),
    }
}

/// What the statuses of the contract are for Windows' GetLastError.
pub(super) const EXISTS: (NtStatus, u32) = (NtStatus::OBJECTID_EXISTS, 5010);
pub(super) const NOT_FOUND: (NtStatus, u32) = (NtStatus::NOT_FOUND, 1168);
pub(super) const INVALID: (NtStatus, u32) = (NtStatus::INVALID_PARAMETER, 87);
pub(super) const DENIED: (NtStatus, u32) = (NtStatus::ACCESS_DENIED, 5);
