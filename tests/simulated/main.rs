//! The driver's image, as `cargo xtask build` made it, at work in the simulated kernel.
//!
//! Whatever a test asks of the driver, the simulated kernel judges all it does by Driver Verifier's rules, until after it is
//! unloaded. `NETIO_ANYCAST_IMAGE` names another image.

#![cfg(all(target_arch = "x86_64", target_os = "linux"))]
#![forbid(unsafe_code)]

mod access;
mod agreement;
mod batches;
mod bench;
mod call_sites;
mod client;
mod concurrency;
mod controls;
mod coverage;
mod driver_to_driver;
mod faults;
mod fuzzing;
mod irql;
mod kernel_clients;
mod leases;
mod loading;
mod malformed;
mod operations;
mod paging;
mod pending;
mod pool;
mod report;
mod schedules;
mod services;
mod tracing;
mod waiting;
mod waits;
