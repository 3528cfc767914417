//! What the driver does, told by tests against the model of NetIO.

mod addresses;
mod batch;
mod concurrency;
mod leases;
mod listing;
mod malformed;
mod order;
mod reference;
mod statistics;
mod status_map;
mod system;
mod tracing;
mod waits;
