//! Drivers in this process.

mod batch;
pub(crate) mod in_process;
pub(crate) mod leasing;
mod waiting;

#[allow(unused_imports, reason = "not every program that is tested over them has leases")]
pub(crate) use leasing::LeasingDriver;
