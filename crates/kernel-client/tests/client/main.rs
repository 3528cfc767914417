//! The portable part of the client: over the driver's own engine, and over a driver that lies.

mod driver;
mod lying_driver;
mod operations;
