//! Event tracing: every provider registers, and nobody listens.
//!
//! Source: <https://learn.microsoft.com/windows-hardware/drivers/devtest/adding-event-tracing-to-kernel-mode-drivers>

use core::ffi::c_void;

use windows_sys::Win32::Foundation::{NTSTATUS, STATUS_INVALID_HANDLE, STATUS_SUCCESS};

/// The handle of every registration.
const REGISTRATION: u64 = 1;

/// Whether a registration handle is one.
fn registered(registration: u64) -> NTSTATUS {
    if registration == REGISTRATION { STATUS_SUCCESS } else { STATUS_INVALID_HANDLE }
}

/// EtwRegister. The callback is never called, since no session enables the provider.
#[unsafe(no_mangle)]
extern "system" fn extension_EtwRegister(
    _provider: *const c_void,
    _callback: *const c_void,
    _context: *const c_void,
    registration: &mut u64,
) -> NTSTATUS {
    *registration = REGISTRATION;
    STATUS_SUCCESS
}

/// EtwUnregister.
#[unsafe(no_mangle)]
extern "system" fn extension_EtwUnregister(registration: u64) -> NTSTATUS {
    registered(registration)
}

/// EtwSetInformation.
#[unsafe(no_mangle)]
extern "system" fn extension_EtwSetInformation(
    registration: u64,
    _class: i32,
    _information: *const c_void,
    _length: u32,
) -> NTSTATUS {
    registered(registration)
}

/// EtwEventEnabled.
#[unsafe(no_mangle)]
extern "system" fn extension_EtwEventEnabled(_registration: u64, _event: *const c_void) -> u8 {
    0
}

/// EtwProviderEnabled.
#[unsafe(no_mangle)]
extern "system" fn extension_EtwProviderEnabled(_registration: u64, _level: u8, _keyword: u64) -> u8 {
    0
}

/// EtwActivityIdControl.
#[unsafe(no_mangle)]
extern "system" fn extension_EtwActivityIdControl(_code: u32, _activity: *mut c_void) -> NTSTATUS {
    STATUS_SUCCESS
}

/// EtwWrite.
#[unsafe(no_mangle)]
extern "system" fn extension_EtwWrite(
    registration: u64,
    _event: *const c_void,
    _activity: *const c_void,
    _count: u32,
    _data: *const c_void,
) -> NTSTATUS {
    registered(registration)
}

/// EtwWriteTransfer.
#[unsafe(no_mangle)]
extern "system" fn extension_EtwWriteTransfer(
    registration: u64,
    _event: *const c_void,
    _activity: *const c_void,
    _related_activity: *const c_void,
    _count: u32,
    _data: *const c_void,
) -> NTSTATUS {
    registered(registration)
}
