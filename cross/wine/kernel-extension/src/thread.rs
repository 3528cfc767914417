//! System threads of this module's own.

use core::ffi::c_void;
use core::ptr::{null, null_mut};

use windows_sys::Win32::Foundation::{HANDLE, NTSTATUS};

#[link(name = "ntdll", kind = "raw-dylib")]
unsafe extern "system" {
    fn NtClose(handle: HANDLE) -> NTSTATUS;
}

#[link(name = "ntoskrnl.exe", kind = "raw-dylib", modifiers = "+verbatim")]
unsafe extern "system" {
    fn PsCreateSystemThread(
        thread: *mut HANDLE,
        access: u32,
        attributes: *const c_void,
        process: HANDLE,
        client_id: *mut c_void,
        routine: unsafe extern "system" fn(*mut c_void),
        context: *mut c_void,
    ) -> NTSTATUS;
}

/// Starts a thread that runs `routine`.
///
/// # Safety
/// The routine may be called with this context.
pub(crate) unsafe fn start(routine: unsafe extern "system" fn(*mut c_void), context: *mut c_void) {
    let mut handle = null_mut();
    // SAFETY: the handle may be written, and this module stays; as the caller promises.
    let status = unsafe { PsCreateSystemThread(&raw mut handle, 0, null(), null_mut(), null_mut(), routine, context) };
    assert!(status >= 0, "the kernel host has no thread left");
    // SAFETY: the handle was just opened, and the thread runs on without it.
    unsafe { NtClose(handle) };
}
