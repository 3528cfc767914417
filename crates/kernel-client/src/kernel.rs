//! Everything that calls the kernel, and the only unsafe code of the crate.

mod device;
mod direct;
mod event;
mod fallible_box;
mod in_flight;
mod irp;
mod irql;
mod owner;
mod registration;
mod request;
mod unicode_string;
mod when_ready;
mod work_item;

pub use device::Device;
pub use direct::{DirectCalls, DirectTable};
pub use owner::Owner;
pub use request::{Outcome, Request};
pub use when_ready::{Ready, WhenReady};
