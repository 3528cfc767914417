//! netio-anycast: the kernel-mode driver.
//!
//! A request takes one way through these files, each named for its step:
//!
//! 1. [`dispatch`] receives the I/O manager's IRPs;
//! 2. [`irp`] owns one IRP until it is completed, exactly once; [`open_file`] is what its file object stands for;
//! 3. [`request`] serves it at once, or lets [`raised_requests`] pend it for a work item if it came above PASSIVE_LEVEL;
//! 4. `netio-anycast-engine` decides what is to be done, free of kernel types;
//! 5. [`netio`] calls Netio.lib at PASSIVE_LEVEL, through the [`bindings`] that build.rs makes from its header;
//! 6. [`change_waits`] keeps those that wait for a change.
//!
//! Other drivers have a second way in, without IRPs: [`direct_calls`], with [`call_contexts`] and [`table_copy`]; [`notices`] tells
//! them that the driver is there.
//!
//! Around that: [`driver_entry`] builds everything when the driver is loaded, in an order that it undoes when it is unloaded;
//! [`device`] is the control device with all that lives as long as it does; [`parameters`] are the registry's; [`deferred_work`] is
//! what the driver does of its own accord; [`trace`] and [`trace_provider`] tell of it to whoever records.
//!
//! The rest are the kernel's services, one a file, each in the safe form that the driver needs: [`event`], [`irp_queue`],
//! [`push_lock`], [`rundown`], [`work_item`], [`pool`] (which lets the same image run on Windows before ExAllocatePool2) with
//! [`pool_block`] and [`pool_box`], [`unicode_string`]; [`kernel_services`] hands the engine those that it asks for. [`layout`] holds the
//! sizes and offsets that the driver relies on to the compiler's word.

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
