//! Timers. Wine's wait for the call of a timer that has just expired when they are set or cancelled, and so for ever if that call
//! does it; what is waited for is Wine's own object all the same, which KeInitializeTimerEx makes.
//!
//! Source: <https://learn.microsoft.com/windows-hardware/drivers/kernel/timer-objects-and-dpcs>

use core::ffi::c_void;

use windows_sys::Wdk::Foundation::KDPC;
use windows_sys::Wdk::System::SystemServices::{KeReadStateEvent, KeResetEvent};

use crate::{clock, processor};

/// The interrupt time's units in a millisecond.
const UNITS_IN_A_MILLISECOND: u64 = 10_000;

/// KeSetTimer.
///
/// # Safety
/// As for [`extension_KeSetTimerEx`].
#[unsafe(no_mangle)]
unsafe extern "system" fn extension_KeSetTimer(timer: *mut c_void, due: i64, dpc: *mut KDPC) -> u8 {
    // SAFETY: as the caller promises.
    unsafe { extension_KeSetTimerEx(timer, due, 0, dpc) }
}

/// KeSetTimerEx: 1 if the timer was set already. `due` is a system time, or, if it is negative, counted from now on.
///
/// # Safety
/// Timer and call are initialized, and live until the timer has expired or is cancelled; `dpc` may be null.
#[unsafe(no_mangle)]
unsafe extern "system" fn extension_KeSetTimerEx(timer: *mut c_void, due: i64, period: i32, dpc: *mut KDPC) -> u8 {
    let delay =
        if due < 0 { due.unsigned_abs() } else { due.saturating_sub(clock::system_time()).max(0).unsigned_abs() };
    let period = u64::from(period.max(0).unsigned_abs()) * UNITS_IN_A_MILLISECOND;
    let was_set = processor::cancel_timer(timer);
    // SAFETY: the timer is initialized, and does not expire now. For Wine it is an object like an event.
    unsafe { KeResetEvent(timer.cast()) };
    // SAFETY: as the caller promises.
    unsafe { processor::set_timer(timer, delay, period, dpc) };
    was_set.into()
}

/// KeCancelTimer: 1 if the timer was set. A call that it has queued is still made.
#[unsafe(no_mangle)]
extern "system" fn extension_KeCancelTimer(timer: *mut c_void) -> u8 {
    processor::cancel_timer(timer).into()
}

/// KeReadStateTimer: 1 if the timer has expired.
///
/// # Safety
/// The timer is initialized.
#[unsafe(no_mangle)]
unsafe extern "system" fn extension_KeReadStateTimer(timer: *const c_void) -> u8 {
    // SAFETY: as the caller promises. For Wine it is an object like an event.
    (unsafe { KeReadStateEvent(timer.cast()) } != 0).into()
}
