//! The kernel extension: a module in front of Wine's ntoskrnl.exe.
//!
//! Wine runs Windows drivers in user mode with a kernel of its own, and that kernel has gaps. This module has every export
//! of Wine's ntoskrnl.exe, forwarded to it (build.rs), and besides implements what is missing there or does not do what
//! Windows documents. A driver comes to it when the name `ntoskrnl.exe` in the import table of its *deployed copy* is
//! replaced by `ntoswine.exe`, which is as long; its code is not touched.
//!
//! Each file is one gap. Everything runs at PASSIVE_LEVEL in a user-mode process, so that the locks of ntdll do.

#![no_std]

mod cleanup;
mod irp;
mod lookup;
mod pool;
mod previous_mode;
mod push_lock;
mod rundown;
mod security;
mod tracing;
mod work_item;

use core::panic::PanicInfo;

use windows_sys::Wdk::System::SystemServices::KeBugCheckEx;

/// MANUALLY_INITIATED_CRASH1: ends this kernel host; the standard error of Wine shows it.
const BUG_CHECK_CODE: u32 = 0xDEAD_DEAD;

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    // SAFETY: KeBugCheckEx may be called at any IRQL and does not return.
    unsafe { KeBugCheckEx(BUG_CHECK_CODE, 0, 0, 0, 0) };
    loop {
        core::hint::spin_loop();
    }
}

/// What the C runtime defines, and compiler_builtins refers to for its floating-point functions.
#[unsafe(no_mangle)]
#[expect(non_upper_case_globals, reason = "the name is the compiler's")]
static _fltused: i32 = 0;
