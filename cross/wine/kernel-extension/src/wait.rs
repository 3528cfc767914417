//! Waiting for a number to change, by ntdll's wait on addresses.

use core::ffi::c_void;
use core::ptr::{from_ref, null};
use core::sync::atomic::{AtomicUsize, Ordering};

#[link(name = "ntdll", kind = "raw-dylib")]
unsafe extern "system" {
    fn RtlWaitOnAddress(address: *const c_void, compare: *const c_void, size: usize, timeout: *const i64) -> i32;
    fn RtlWakeAddressAll(address: *const c_void);
}

/// Waits while the number is `value`; it may return early.
pub(crate) fn while_equal(number: &AtomicUsize, value: usize) {
    while_equal_for(number, value, None);
}

/// Does the same for at most so many units of 100 nanoseconds.
pub(crate) fn while_equal_for(number: &AtomicUsize, value: usize, limit: Option<u64>) {
    let address: *const AtomicUsize = number;
    // Negative: from now on.
    let limit = limit.map(|units| -i64::try_from(units).unwrap_or(i64::MAX));
    let timeout = limit.as_ref().map_or(null(), from_ref);
    // SAFETY: both addresses are of a `usize` that lives through the call, as does the timeout.
    unsafe { RtlWaitOnAddress(address.cast(), (&raw const value).cast(), size_of::<usize>(), timeout) };
}

/// Wakes whoever waits for this number, which may be gone by now.
pub(crate) fn wake(number: *const AtomicUsize) {
    // SAFETY: only the address counts; waking nobody does no harm.
    unsafe { RtlWakeAddressAll(number.cast()) };
}

/// Waits until the number is zero.
pub(crate) fn until_zero(number: &AtomicUsize) {
    loop {
        match number.load(Ordering::Acquire) {
            0 => return,
            value => while_equal(number, value),
        }
    }
}
