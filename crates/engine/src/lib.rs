//! What the netio-anycast driver does with a request, free of kernel types so that it is tested and fuzzed on any host.
//!
//! A request goes one way: [`Engine::serve`] looks its control code up in the operation table, decodes it, validates the
//! row, calls Netio through the [`Netio`] trait and maps what Netio said. Nothing in here can panic or allocate.

#![no_std]
#![forbid(unsafe_code)]

mod engine;
mod netio;
mod reply;
mod rows;
mod sort;
mod statistics;
pub mod status_map;
mod table;
mod validate;
mod version;

pub use engine::{Completion, Engine, SystemBuffer};
pub use netio::Netio;
