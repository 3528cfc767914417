//! The user-mode client of the netio-anycast driver.
//!
//! A [`Client`] has one method per operation of the driver, takes and returns addresses of the standard library, checks
//! every reply against the contract and fails with an [`Error`] that a program can decide by ([`ErrorKind`]) and a person
//! can act upon.
//!
//! On Windows a client is connected through the driver's device:
//!
//! ```no_run
//! # #[cfg(windows)]
//! # fn main() -> Result<(), netio_anycast_client::Error> {
//! use netio_anycast_client::{Access, Client, DeviceTransport, InterfaceId, Selection};
//!
//! let client = Client::connect(DeviceTransport::open(Access::ReadWrite)?)?;
//! client.create("192.0.2.1".parse().unwrap(), InterfaceId::Index(5))?;
//! for entry in client.table(Selection::ALL)?.entries {
//!     println!("{} on {}", entry.address, entry.luid);
//! }
//! # Ok(())
//! # }
//! # #[cfg(not(windows))]
//! # fn main() {}
//! ```
//!
//! The [`Transport`] can be replaced, so that a program that uses the client is tested on any host. Here the driver's own
//! engine answers, over a model of NetIO with one interface; `tests/support` shows how:
//!
//! ```
//! # #[path = "../tests/support/in_process.rs"]
//! # mod in_process;
//! use in_process::InProcessDriver;
//! use netio_anycast_client::{Client, ErrorKind, InterfaceId, Selection};
//!
//! # fn main() -> Result<(), netio_anycast_client::Error> {
//! let client = Client::connect(InProcessDriver::with_interface(5).open())?;
//! let address = "192.0.2.1".parse().unwrap();
//!
//! let entry = client.create(address, InterfaceId::Index(5))?;
//! assert_eq!(client.table(Selection::ALL)?.entries, [entry]);
//!
//! let error = client.create(address, InterfaceId::Luid(entry.luid)).unwrap_err();
//! assert_eq!(error.kind(), ErrorKind::AlreadyExists);
//! assert_eq!(error.win32().map(|code| code.0), Some(5010));
//!
//! client.delete(address, InterfaceId::Luid(entry.luid))?;
//! assert!(client.table(Selection::ALL)?.entries.is_empty());
//! # Ok(())
//! # }
//! ```
//!
//! # Unsafe code
//! The standard library has no `DeviceIoControl` and no interface aliases, so the module `windows` calls Windows itself.
//! Nothing else here may contain unsafe code.

#![cfg_attr(not(windows), forbid(unsafe_code))]
#![cfg_attr(windows, deny(unsafe_code))]

mod apply;
mod attempt;
mod client;
mod entry;
mod error;
mod explanation;
mod interface;
mod lease;
mod lease_list;
mod rows;
mod table;
mod transport;
mod wait;
#[cfg(windows)]
#[expect(unsafe_code, reason = "the standard library has no DeviceIoControl and no interface aliases")]
mod windows;

pub use netio_anycast_protocol as protocol;

pub use apply::{Atomicity, Change, Item, Outcome};
pub use client::{Client, query_version};
pub use entry::{Entry, Family, InterfaceId, Selection, Table};
pub use error::{Error, ErrorKind};
pub use interface::{InterfaceName, InterfaceNameError, Interfaces, NetworkInterface};
pub use lease::{Lease, Sharing};
pub use lease_list::{LeaseEntry, LeaseList, LeaseSelection};
pub use transport::{Access, CompletedRequest, OsError, PendingRequest, Returned, Transport};
pub use wait::ChangeWait;
#[cfg(windows)]
pub use windows::{DeviceTransport, SystemInterfaces, process_image};
