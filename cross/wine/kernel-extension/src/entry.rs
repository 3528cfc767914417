//! The module's entry. Wine takes a module that imports from ntdll.dll, as this one does, for one of user mode, and calls it as
//! `DllMain` before the driver's own.

use core::ffi::c_void;

use crate::{pin, task_priority};

const PROCESS_ATTACH: u32 = 1;

/// What Wine's loader calls.
#[unsafe(no_mangle)]
extern "system" fn DllMain(_module: *const c_void, reason: u32, _reserved: *const c_void) -> i32 {
    if reason == PROCESS_ATTACH {
        pin::pin();
        task_priority::emulate();
    }
    1
}
