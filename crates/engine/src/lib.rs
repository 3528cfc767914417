//! What the netio-anycast driver does with a request, free of kernel types so that it is tested and fuzzed on any host.
//!
//! A request goes one way: [`Engine::serve`] looks its control code up in the operation table, decodes it, validates the
//! row, claims the address, calls NetIO through the [`Netio`] trait, enters what came of it into the table of leases and maps
//! what NetIO said. Nothing in here can panic, and memory is asked for in ways that may fail.

#![no_std]
#![forbid(unsafe_code)]
#![expect(
    clippy::inline_always,
    reason = "on the way of CREATE, DELETE and GET, which loses a third of its instructions by it: docs/benchmarks.md"
)]

#[cfg(any(test, feature = "host"))]
extern crate std;

mod apply;
mod buffer;
mod change;
mod claims;
mod engine;
mod handles;
#[cfg(feature = "host")]
pub mod host_driver;
#[cfg(any(test, feature = "host"))]
pub mod host_kernel;
mod index;
mod kernel;
mod key;
mod lease_list;
mod leases;
mod limits;
mod netio;
mod reply;
mod rows;
mod schedule;
mod slab;
mod sort;
mod state;
mod statistics;
pub mod status_map;
mod table;
mod trace;
mod validate;
mod version;
mod waits;
mod watch;

pub use buffer::{Buffer, SystemBuffer};
pub use engine::{Completion, Engine, HandleId, Wait};
pub use kernel::{Event, Kernel, Lock};
pub use limits::Limits;
pub use netio::Netio;
pub use trace::TraceEvent;
