//! Other drivers as clients: the samples as they are shipped, and `kernel_clients/proxy.c`, which does what a test tells it.

mod build;
pub(crate) mod calls;
pub(crate) mod proxy;
mod raised;
mod samples;
