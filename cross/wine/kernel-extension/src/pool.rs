//! Pool allocation as Windows 10 version 2004 introduced it.
//!
//! Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-exallocatepool2>

use core::ffi::c_void;
use core::ptr::null_mut;

use windows_sys::Wdk::Foundation::NonPagedPoolNx;
use windows_sys::Wdk::System::SystemServices::ExAllocatePoolWithTag;
use windows_sys::Win32::Foundation::STATUS_INSUFFICIENT_RESOURCES;

/// POOL_FLAG_UNINITIALIZED: the memory need not be zeroed.
const UNINITIALIZED: u64 = 0x02;
/// POOL_FLAG_RAISE_ON_FAILURE: failure is an exception instead of a null pointer.
const RAISE_ON_FAILURE: u64 = 0x20;
/// What POOL_FLAG_UNINITIALIZED leaves uninitialized: not zero, so that a driver that relies on zeros is found out.
const PATTERN: u8 = 0xC5;

#[link(name = "ntdll", kind = "raw-dylib")]
unsafe extern "system" {
    fn RtlRaiseStatus(status: i32) -> !;
}

/// ExAllocatePool2. Wine has one pool, so that the kind of pool in `flags` does not matter.
///
/// # Safety
/// As for any foreign function; any arguments are allowed.
#[unsafe(no_mangle)]
unsafe extern "system" fn extension_ExAllocatePool2(flags: u64, bytes: usize, tag: u32) -> *mut c_void {
    let memory = if bytes == 0 || tag == 0 {
        // Both are documented as not allowed.
        null_mut()
    } else {
        // SAFETY: any size and tag are allowed.
        unsafe { ExAllocatePoolWithTag(NonPagedPoolNx, bytes, tag) }
    };
    if !memory.is_null() {
        let fill = if flags & UNINITIALIZED == 0 { 0 } else { PATTERN };
        // SAFETY: the memory was just allocated with this length.
        unsafe { memory.cast::<u8>().write_bytes(fill, bytes) };
    } else if flags & RAISE_ON_FAILURE != 0 {
        // SAFETY: the caller asked for an exception.
        unsafe { RtlRaiseStatus(STATUS_INSUFFICIENT_RESOURCES) };
    }
    memory
}
