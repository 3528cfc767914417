//! Events, and waiting for them.
//!
//! Source: <https://learn.microsoft.com/windows-hardware/drivers/kernel/event-objects>

use std::sync::PoisonError;
use std::time::{Duration, Instant};

use netio_anycast_protocol::status::NtStatus;

use crate::core::lock;
use crate::processor::{self, Irql};
use crate::violation::Rule;
use crate::{driver_memory, schedule};

const TIMEOUT: NtStatus = NtStatus::from_bits(0x0000_0102);
/// `DISPATCHER_HEADER.SignalState`.
const SIGNAL_STATE: usize = 4;
/// `EVENT_TYPE.SynchronizationEvent`: a wait that it ends resets it.
const SYNCHRONIZATION: u8 = 1;

/// `KeInitializeEvent`.
///
/// # Safety
/// Only the driver may call it, with the address of a `KEVENT`.
pub(super) unsafe extern "win64" fn initialize(event: usize, kind: u8, state: u8) {
    // SAFETY: as the driver vouches.
    unsafe { driver_memory::write(event, kind) };
    // SAFETY: as the driver vouches.
    unsafe { driver_memory::write(event + SIGNAL_STATE, i32::from(state != 0)) };
}

/// `KeSetEvent`. Returns whether it was set before.
///
/// # Safety
/// Only the driver may call it, with the address of a `KEVENT`.
pub(super) unsafe extern "win64" fn set(event: usize, _increment: i32, _wait: u8) -> i32 {
    // SAFETY: as the driver vouches.
    unsafe { exchange(event, 1) }
}

/// `KeClearEvent` and `KeResetEvent`, which returns whether it was set before.
///
/// # Safety
/// Only the driver may call it, with the address of a `KEVENT`.
pub(super) unsafe extern "win64" fn reset(event: usize) -> i32 {
    // SAFETY: as the driver vouches.
    unsafe { exchange(event, 0) }
}

/// # Safety
/// The driver vouches for the event.
unsafe fn exchange(event: usize, state: i32) -> i32 {
    let core = processor::core();
    // Before the lock is taken: from here on the event is known to be there.
    // SAFETY: as the caller promises.
    let _: i32 = unsafe { driver_memory::read(event + SIGNAL_STATE) };
    let signals = lock(&core.signals);
    // SAFETY: as the caller promises.
    let before = unsafe { driver_memory::read(event + SIGNAL_STATE) };
    // SAFETY: as the caller promises.
    unsafe { driver_memory::write(event + SIGNAL_STATE, state) };
    drop(signals);
    core.signalled.notify_all();
    before
}

/// `KeWaitForSingleObject`, for events. A wait without a timeout that lasts longer than a driver may take is a violation.
///
/// # Safety
/// Only the driver may call it, with the address of a `KEVENT` and, perhaps, of a timeout.
pub(super) unsafe extern "win64" fn wait(event: usize, _reason: i32, _mode: i8, _alertable: u8, timeout: usize) -> i32 {
    let core = processor::core();
    // SAFETY: as the driver vouches.
    let timeout = (timeout != 0).then(|| unsafe { driver_memory::read::<i64>(timeout) });
    if timeout != Some(0) && processor::irql() > Irql::APC_LEVEL {
        core.report(Rule::IrqlTooHigh, "nothing is waited for at DISPATCH_LEVEL, unless the timeout is zero");
    }
    let limit = timeout.map_or(core.options.time_limit, |units| Duration::from_nanos(units.unsigned_abs() * 100));
    let deadline = Instant::now() + limit;
    // SAFETY: as the driver vouches; before the lock is taken.
    let kind: u8 = unsafe { driver_memory::read(event) };
    loop {
        let signals = lock(&core.signals);
        // SAFETY: as the driver vouches.
        if unsafe { driver_memory::read::<i32>(event + SIGNAL_STATE) } != 0 {
            if kind == SYNCHRONIZATION {
                // SAFETY: as the driver vouches.
                unsafe { driver_memory::write(event + SIGNAL_STATE, 0_i32) };
            }
            return NtStatus::SUCCESS.0;
        }
        let Some(left) = deadline.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) else {
            drop(signals);
            if timeout.is_none() {
                core.report(Rule::WaitForever, format!("the event was not set within {limit:?}"));
            }
            return TIMEOUT.0;
        };
        if schedule::is_taking_turns() {
            drop(signals);
            schedule::point();
        } else {
            drop(core.signalled.wait_timeout(signals, left).unwrap_or_else(PoisonError::into_inner));
        }
    }
}
