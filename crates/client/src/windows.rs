//! The client on Windows: the device, and the system's interfaces.

mod device;
mod interfaces;
mod last_error;
mod pending;
mod processes;

pub use device::DeviceTransport;
pub use interfaces::SystemInterfaces;
pub use processes::process_image;
