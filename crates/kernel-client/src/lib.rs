//! The netio-anycast driver as other kernel drivers use it.
//!
//! There are two ways of calling it, and a driver may use both at once:
//!
//! - **By IRPs.** `Device` is the driver's device. [`Client`] asks it for every operation and waits for the end, at PASSIVE_LEVEL.
//!   `Request` is a request that was sent and not waited for: at up to DISPATCH_LEVEL, with a routine that is called at its end.
//! - **Directly.** `DirectCalls` are functions of the driver's, without an IRP, at PASSIVE_LEVEL.
//!
//! [`Lease`] is an address that goes with who holds it, whichever way it was asked for. `WhenReady` calls a driver back when the
//! netio-anycast driver is there, for drivers that are loaded first. `samples/kernel-client-rust` is a whole driver, and
//! `docs/kernel-clients.md` tells what can go wrong.
//!
//! Memory is the global allocator's, which has to give non-paged pool, as `wdk-alloc` does. Nothing here panics.
//!
//! The names without a link exist on Windows only. The rest of the crate builds anywhere, so that what uses it can be tested without
//! a kernel, over a [`Transport`] of its own.

#![no_std]
#![cfg_attr(not(windows), forbid(unsafe_code))]

extern crate alloc;

mod batch;
mod client;
mod error;
#[cfg_attr(not(windows), allow(dead_code, reason = "it is called in the kernel only"))]
mod functions;
#[cfg(windows)]
mod kernel;
mod lease;
mod rows;
mod transport;

pub use netio_anycast_protocol as protocol;

pub use batch::Outcomes;
pub use client::Client;
pub use error::Error;
#[cfg(windows)]
pub use kernel::{Device, DirectCalls, DirectTable, Outcome, Owner, Ready, Request, WhenReady};
pub use lease::{Addresses, Lease, Sharing};
pub use rows::Rows;
pub use transport::{Reply, Transport};
