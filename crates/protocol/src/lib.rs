//! The contract between the netio-anycast driver and its callers, version 1.
//!
//! Everything that crosses the device is defined here once: the [operation table](operation::OPERATIONS), the structs that
//! travel in the buffers, and the statuses that come back. The driver's dispatch, the client, the documentation and the
//! fuzzer derive from it. `docs/protocol.md` is the same contract in prose and is checked against this crate.
//!
//! All integers are little-endian, the only byte order of Windows. Every struct is a multiple of 8 bytes with its padding
//! named, has the same layout for 32-bit and 64-bit callers, and is read and written by copying bytes: no pointer travels.
//! The one exception is [`interface`], which never leaves the kernel.

#![no_std]
#![forbid(unsafe_code)]
#![expect(
    clippy::inline_always,
    reason = "on the way of CREATE, DELETE and GET, which loses a third of its instructions by it: docs/benchmarks.md"
)]

pub mod address;
pub mod apply;
pub mod create;
pub mod explanation;
pub mod interface;
pub mod lease;
pub mod notice;
pub mod operation;
pub mod request;
pub mod row;
pub mod statistics;
pub mod status;
pub mod table;
pub mod version;
pub mod wait;
pub mod win32;

/// The control device's name in the NT namespace.
pub const DEVICE_NAME: &str = r"\Device\NetioAnycast";
/// The symbolic link through which user mode reaches the device as [`DEVICE_PATH`].
pub const SYMBOLIC_LINK_NAME: &str = r"\DosDevices\NetioAnycast";
/// What a user-mode program opens with `CreateFile`.
pub const DEVICE_PATH: &str = r"\\.\NetioAnycast";
/// The name of the driver's service, and of its key under `HKLM\SYSTEM\CurrentControlSet\Services`.
pub const SERVICE_NAME: &str = "netio_anycast";
