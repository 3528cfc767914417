//! A simulated Windows kernel that runs a driver's *shipped* image on Linux, natively, and judges it by Driver Verifier's
//! rules.
//!
//! The image is mapped and relocated as the Windows loader does; its imports are bound to ntoskrnl and NetIO written in Rust.
//! Memory that the driver allocates ends at a page that can't be touched, and can't be touched at all once it was freed; so
//! do IRPs and their buffers end with their completion. Every service that the driver calls is judged: its IRQL, its
//! parameters, what is left when the driver goes. A driver that crashes or does not come back is given up with a verdict.
//!
//! ```no_run
//! use kernel_sim::{Caller, DesiredAccess, Image, Kernel, Options};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let kernel = Kernel::new(Options::default())?;
//! let image = Image::read("target/driver/netio_anycast.sys".as_ref())?;
//! let driver = kernel.load(&image, "netio_anycast")?;
//! let handle = kernel.open(r"\DosDevices\NetioAnycast", &Caller::administrator(), DesiredAccess::READ).unwrap();
//! println!("{}", handle.control(0x8ACA_6000, &[], 40).status);
//! handle.close();
//! assert!(driver.unload());
//! kernel.assert_clean();
//! # Ok(())
//! # }
//! ```
//!
//! It is meant for x64 Linux, where the driver's code runs natively; elsewhere the crate is empty.

#![cfg(all(target_arch = "x86_64", target_os = "linux"))]

mod affinity;
mod built_requests;
mod clock;
mod completion;
mod control;
mod core;
mod coverage;
mod crash;
mod device;
mod dispatch;
mod driver;
mod driver_memory;
mod faults;
mod file;
mod image;
mod in_use;
mod io_buffers;
mod irp_memory;
mod kernel;
mod layout;
mod leaks;
mod leftovers;
mod locks;
mod major;
mod memory;
mod objects;
mod observer;
mod occasion;
mod owner;
mod paging;
mod process;
mod processor;
mod registry;
mod request;
mod schedule;
mod security;
mod service;
mod status;
mod synchronization;
mod tally;
mod tracing;
mod trampoline;
mod violation;
mod watchdog;
mod workers;

pub use crate::clock::Time;
pub use crate::core::{Options, Registry};
pub use control::Control;
pub use coverage::Coverage;
pub use driver::LoadError;
pub use faults::{Faults, Site};
pub use image::{CallSite, Image, ImageError, Place};
pub use kernel::{Driver, Handle, Kernel, Pending, Reply};
pub use observer::Observer;
pub use process::ProcessId;
pub use processor::Irql;
pub use schedule::{Interleaving, Work, interleave, interleaving};
pub use security::{Caller, DesiredAccess, descriptor};
pub use tally::{Activity, Judgement};
pub use tracing::{EventDescriptor, EventItem, Guid, Trace, TraceEvent};
pub use violation::{Frame, Rule, Violation};
