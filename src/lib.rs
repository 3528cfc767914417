//! netio-anycast: the kernel-mode driver.
//!
//! A request takes one way through these files, each named for its step:
//!
//! 1. [`driver_entry`] builds everything when the driver is loaded, in an order that it undoes when the driver is unloaded;
//! 2. [`device`] is the control device: its name, its security descriptor, its symbolic link;
//! 3. [`dispatch`] receives the I/O manager's IRPs;
//! 4. [`irp`] owns one IRP until it is completed, exactly once;
//! 5. `netio-anycast-engine` decides what is to be done, free of kernel types;
//! 6. [`netio`] calls Netio.lib at PASSIVE_LEVEL, through the [`bindings`] that build.rs makes from its header.
//!
//! [`pool`] lets the same image run on Windows before ExAllocatePool2; [`layout`] holds the sizes and offsets that the
//! driver relies on to the compiler's word.

#![no_std]
#![allow(
    rustdoc::private_intra_doc_links,
    reason = "a driver exports no items: its documentation is that of the private ones"
)]

extern crate alloc;
use wdk_panic as _;

mod bindings;
mod call_contexts;
mod change_waits;
mod deferred_work;
mod device;
mod direct_calls;
mod dispatch;
mod driver_entry;
mod event;
mod irp;
mod irp_queue;
mod kernel_services;
mod layout;
mod netio;
mod notices;
mod open_file;
mod parameters;
mod pool;
mod pool_block;
mod pool_box;
mod push_lock;
mod raised_requests;
mod request;
mod rundown;
mod table_copy;
mod trace;
mod trace_provider;
mod unicode_string;
mod work_item;

/// Every allocation is made with `wdk-alloc`: non-paged pool with the tag `rust`.
#[global_allocator]
static ALLOCATOR: wdk_alloc::WdkAllocator = wdk_alloc::WdkAllocator;
