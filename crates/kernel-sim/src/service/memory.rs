//! Plain memory, and what else needs no state.

use std::ptr;

use crate::driver_memory;
use crate::processor;

/// `memcpy` and `memmove`: the kernel's memcpy allows overlapping too.
///
/// # Safety
/// Only the driver may call it, with memory it may read and write.
pub(super) unsafe extern "win64" fn copy(to: *mut u8, from: *const u8, length: usize) -> *mut u8 {
    if length > 0 {
        // SAFETY: as the driver vouches.
        unsafe { driver_memory::reach(from as usize) };
        // SAFETY: as the driver vouches.
        unsafe { driver_memory::reach(to as usize) };
        // SAFETY: as the driver vouches.
        unsafe { ptr::copy(from, to, length) };
    }
    to
}

/// `memset`.
///
/// # Safety
/// Only the driver may call it, with memory it may write.
pub(super) unsafe extern "win64" fn set(to: *mut u8, value: i32, length: usize) -> *mut u8 {
    if length > 0 {
        // SAFETY: as the driver vouches.
        unsafe { driver_memory::reach(to as usize) };
        // SAFETY: as the driver vouches. memset takes the lowest byte.
        unsafe { to.write_bytes(value.to_le_bytes()[0], length) };
    }
    to
}

/// `memcmp`.
///
/// # Safety
/// Only the driver may call it, with memory it may read.
pub(super) unsafe extern "win64" fn compare(one: *const u8, other: *const u8, length: usize) -> i32 {
    if length == 0 {
        return 0;
    }
    // SAFETY: as the driver vouches.
    unsafe { driver_memory::reach(one as usize) };
    // SAFETY: as the driver vouches.
    unsafe { driver_memory::reach(other as usize) };
    // SAFETY: as the driver vouches.
    let one = unsafe { std::slice::from_raw_parts(one, length) };
    // SAFETY: as the driver vouches.
    let other = unsafe { std::slice::from_raw_parts(other, length) };
    one.cmp(other) as i32
}

/// `DbgPrint`: nobody listens.
///
/// # Safety
/// Only the driver may call it.
pub(super) unsafe extern "win64" fn debug_print(_format: usize) -> i32 {
    0
}

/// `MmGetSystemRoutineAddress`: what ntoskrnl exports, or null.
///
/// # Safety
/// Only the driver may call it, with the address of a `UNICODE_STRING`.
pub(super) unsafe extern "win64" fn system_routine_address(name: usize) -> usize {
    // SAFETY: as the driver vouches.
    let name = unsafe { driver_memory::string(name) };
    processor::core().system_routine(&name).unwrap_or(0)
}
