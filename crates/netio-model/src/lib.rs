//! NetIO's documented anycast behaviour, as a model in memory.
//!
//! The real NetIO needs Windows and network adapters, and never fails on demand. This model has neither limit: a test
//! builds the interfaces that it needs on a [`Model`], makes the next call fail as it likes ([`Fault`]) and reads afterwards
//! what was called ([`Model::calls`]), which addresses there are ([`Model::entries`]) and whether every table was freed
//! ([`Model::tables`]). It serves the engine's tests, the simulated kernel and, as a `netio.sys`, Wine; there a test
//! reaches it through the device that [`control`] describes.
//!
//! # What is documented and what is chosen
//!
//! The statuses are those that the kernel documentation of each function lists. Where the documentation says nothing, the
//! model does the following, and [`Settings`] or a [`Fault`] changes it:
//!
//! - the interface exists but the address family is not bound to it: STATUS_NOT_FOUND, as for an unknown interface;
//! - the address is not on the interface, for Delete and Get: STATUS_NOT_FOUND;
//! - LUID and index disagree: the LUID wins, which is documented, and nothing else is compared;
//! - tables come sorted in an order that is *not* the driver's, so that a caller who relies on NetIO for it is found out;
//! - bytes that have no meaning (padding, what follows an IPv4 address) are not zero in what is returned;
//! - an interface or a stack that goes takes its addresses along.
//!
//! Source: <https://learn.microsoft.com/windows-hardware/drivers/network/createanycastipaddressentry> and the pages beside it.

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod control;
mod fault;
mod function;
mod interface;
mod model;
mod settings;
mod tables;

pub use fault::Fault;
pub use function::Function;
pub use interface::{Families, Interface, TopologyError};
pub use model::Model;
pub use settings::Settings;
pub use tables::{TableMisuse, Tables};
