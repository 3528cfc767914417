//! MmGetSystemRoutineAddress: what a driver looks up by name must be what it would have imported.
//!
//! Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-mmgetsystemroutineaddress>

use core::ffi::c_void;
use core::ptr::null_mut;

use windows_sys::Wdk::System::SystemServices::MmGetSystemRoutineAddress;
use windows_sys::Win32::Foundation::{NTSTATUS, STATUS_SUCCESS, UNICODE_STRING};
use windows_sys::Win32::System::Kernel::STRING;

use crate::pin;

#[link(name = "ntdll", kind = "raw-dylib")]
unsafe extern "system" {
    fn LdrGetProcedureAddress(
        module: *const c_void,
        name: *const STRING,
        ordinal: u32,
        address: *mut *mut c_void,
    ) -> NTSTATUS;
    fn RtlFreeAnsiString(string: *mut STRING);
    fn RtlUnicodeStringToAnsiString(ansi: *mut STRING, unicode: *const UNICODE_STRING, allocate: u8) -> NTSTATUS;
}

/// MmGetSystemRoutineAddress: this module's exports, forwarders included, then what Wine's own finds (hal.dll).
///
/// # Safety
/// `name` is a valid string.
#[unsafe(no_mangle)]
unsafe extern "system" fn extension_MmGetSystemRoutineAddress(name: *const UNICODE_STRING) -> *mut c_void {
    // SAFETY: as the caller promises.
    let found = unsafe { export(name) };
    if !found.is_null() {
        return found;
    }
    // SAFETY: as the caller promises.
    unsafe { MmGetSystemRoutineAddress(name) }
}

/// This module's export of that name, or null.
///
/// # Safety
/// `name` is a valid string.
unsafe fn export(name: *const UNICODE_STRING) -> *mut c_void {
    let mut ansi = STRING { Length: 0, MaximumLength: 0, Buffer: null_mut() };
    // SAFETY: both strings are valid; the buffer is allocated by the call.
    if unsafe { RtlUnicodeStringToAnsiString(&raw mut ansi, name, 1) } != STATUS_SUCCESS {
        return null_mut();
    }
    let mut address = null_mut();
    // SAFETY: the module is this one, which is loaded; the string and the address live through the call.
    let status = unsafe { LdrGetProcedureAddress(pin::module().cast(), &raw const ansi, 0, &raw mut address) };
    // SAFETY: the call above allocated the string.
    unsafe { RtlFreeAnsiString(&raw mut ansi) };
    if status == STATUS_SUCCESS { address } else { null_mut() }
}
