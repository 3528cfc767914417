//! The kernel extension: a module in front of Wine's ntoskrnl.exe.
//!
//! Wine runs Windows drivers in user mode with a kernel of its own, and that kernel has gaps. This module has every export
//! of Wine's ntoskrnl.exe, forwarded to it (build.rs), and besides implements what is missing there or does not do what
//! Windows documents. A driver comes to it when the name `ntoskrnl.exe` in the import table of its *deployed copy* is
//! replaced by `ntoswine.exe`, which is as long; its code is not touched.
//!
//! Each file is one gap. Everything runs in a user-mode process, so that the locks of ntdll do.

#![no_std]

extern crate alloc;

mod callback;
mod cancel_safe_queue;
mod cleanup;
mod clock;
mod completion_routine;
mod device_control;
mod device_names;
mod device_pointer;
mod dpc;
mod ended_requests;
mod entry;
mod irql;
mod lock;
mod lookup;
mod name;
mod objects;
mod pin;
mod pool;
mod previous_mode;
mod processor;
mod push_lock;
mod rundown;
mod task_priority;
mod thread;
mod timer;
mod tracing;
mod unload;
mod wait;
mod work_item;
