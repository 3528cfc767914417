//! What the netio-anycast driver does with a request, free of kernel types so that it is tested and fuzzed on any host.
//!
//! A request goes one way: [`Engine::serve`] looks its control code up in the operation table, decodes it, validates the
//! row, calls Netio through the [`Netio`] trait and maps what Netio said. Nothing in here can panic or allocate.

#![no_std]
#![forbid(unsafe_code)]
#![expect(
    clippy::inline_always,
    reason = "on the way of CREATE, DELETE and GET, which loses a third of its instructions by it: docs/benchmarks.md"
)]

mod buffer;
#[allow(dead_code, reason = "the operations on leases are not built on it yet")]
mod claims;
mod engine;
#[cfg(any(test, feature = "host"))]
pub mod host_kernel;
mod kernel;
#[allow(dead_code, reason = "the operations on leases are not built on it yet")]
mod key;
#[allow(dead_code, reason = "the operations on leases are not built on it yet")]
mod leases;
#[allow(dead_code, reason = "the operations on leases are not built on it yet")]
mod limits;
mod netio;
mod reply;
mod rows;
mod slab;
mod sort;
mod statistics;
pub mod status_map;
mod table;
mod tree;
mod validate;
mod version;

pub use buffer::{Buffer, SystemBuffer};
pub use engine::{Completion, Engine};
pub use kernel::{Event, Kernel, Lock};
pub use limits::{Limits, Settings};
pub use netio::Netio;
