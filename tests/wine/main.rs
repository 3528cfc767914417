//! The driver at work: the shipped image in a kernel host, driven by this Windows program through DeviceIoControl.
//!
//! `cargo xtask test` deploys the driver through its INF into Wine's kernel, with the model of NetIO as `netio.sys`, and runs
//! this program there. Each test says through the model's control device which interfaces there are and what NetIO is to
//! answer, and checks every refusal by its NTSTATUS *and* by GetLastError.

#![cfg(windows)]
#![forbid(unsafe_code)]

mod access;
mod agreement;
mod bench;
mod command_line;
mod concurrency;
mod cost;
mod ending;
mod events;
mod kernel_services;
mod lifecycle;
mod linux;
mod malformed;
mod many;
mod netio_failures;
mod operations;
mod probe;
mod processes;
mod sample_drivers;
mod served_handle;
mod statistics;
mod table;
mod tracing;
mod watching;
mod wine_alone;
