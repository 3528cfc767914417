//! Events, semaphores and mutexes.
//!
//! Source: <https://learn.microsoft.com/windows-hardware/drivers/kernel/event-objects>

use super::dispatcher::{self, Kind, SIGNAL_STATE};
use crate::core::Core;
use crate::driver_memory;
use crate::locks::Kind as Lock;
use crate::processor;
use crate::violation::Rule;

/// `KSEMAPHORE.Limit`, and the lengths of the objects.
const LIMIT: usize = 0x18;
const SEMAPHORE: usize = 0x20;
const EVENT: usize = 0x18;
const MUTEX: usize = 0x38;
/// `EVENT_TYPE.SynchronizationEvent`: a wait that it ends resets it.
const SYNCHRONIZATION: u8 = 1;

/// `KeInitializeEvent`.
///
/// # Safety
/// Only the driver may call it, with the address of a `KEVENT`.
pub(super) unsafe extern "win64" fn initialize(event: usize, kind: u8, state: u8) {
    let kind = if kind == SYNCHRONIZATION { Kind::SynchronizationEvent } else { Kind::NotificationEvent };
    // SAFETY: as the driver vouches.
    unsafe { dispatcher::initialize(event, kind, EVENT, i32::from(state != 0)) };
}

/// `KeSetEvent`. Returns whether it was set before.
///
/// # Safety
/// Only the driver may call it, with the address of a `KEVENT`.
pub(super) unsafe extern "win64" fn set(event: usize, _increment: i32, _wait: u8) -> i32 {
    // SAFETY: as the driver vouches.
    unsafe { exchange(event, 1) }
}

/// Sets an event, as the kernel itself does.
///
/// # Safety
/// A driver vouches for the event.
pub(crate) unsafe fn set_event(core: &Core, event: usize) {
    // Before the lock is taken.
    // SAFETY: as the caller promises.
    let _: i32 = unsafe { driver_memory::read(event + SIGNAL_STATE) };
    core.change(|_| {
        // SAFETY: as the caller promises.
        unsafe { driver_memory::write(event + SIGNAL_STATE, 1_i32) };
    });
}

/// `KeClearEvent` and `KeResetEvent`, which returns whether it was set before.
///
/// # Safety
/// Only the driver may call it, with the address of a `KEVENT`.
pub(super) unsafe extern "win64" fn reset(event: usize) -> i32 {
    // SAFETY: as the driver vouches.
    unsafe { exchange(event, 0) }
}

/// `KeReadStateEvent`, and `KeReadStateSemaphore`, which returns the count.
///
/// # Safety
/// Only the driver may call it, with the address of such an object.
pub(super) unsafe extern "win64" fn state(object: usize) -> i32 {
    // SAFETY: as the driver vouches.
    unsafe { driver_memory::read(object + SIGNAL_STATE) }
}

/// # Safety
/// The driver vouches for the event.
unsafe fn exchange(event: usize, state: i32) -> i32 {
    let core = processor::core();
    // Before the lock is taken: from here on the event is known to be there.
    // SAFETY: as the caller promises.
    unsafe { dispatcher::kind(&core, event) };
    core.change(|_| {
        // SAFETY: as the caller promises.
        let before = unsafe { driver_memory::read(event + SIGNAL_STATE) };
        // SAFETY: as the caller promises.
        unsafe { driver_memory::write(event + SIGNAL_STATE, state) };
        before
    })
}

/// `KeInitializeSemaphore`.
///
/// # Safety
/// Only the driver may call it, with the address of a `KSEMAPHORE`.
pub(super) unsafe extern "win64" fn initialize_semaphore(semaphore: usize, count: i32, limit: i32) {
    // SAFETY: as the driver vouches.
    unsafe { dispatcher::initialize(semaphore, Kind::Semaphore, SEMAPHORE, count) };
    // SAFETY: as the driver vouches.
    unsafe { driver_memory::write(semaphore + LIMIT, limit) };
}

/// `KeReleaseSemaphore`. Returns the count before. More than its limit raises an exception on Windows.
///
/// # Safety
/// Only the driver may call it, with the address of a `KSEMAPHORE`.
pub(super) unsafe extern "win64" fn release_semaphore(
    semaphore: usize,
    _boost: i32,
    adjustment: i32,
    _wait: u8,
) -> i32 {
    let core = processor::core();
    // SAFETY: as the driver vouches.
    unsafe { dispatcher::kind(&core, semaphore) };
    // SAFETY: as the driver vouches.
    let limit: i32 = unsafe { driver_memory::read(semaphore + LIMIT) };
    let (before, fits) = core.change(|_| {
        // SAFETY: as the driver vouches.
        let before: i32 = unsafe { driver_memory::read(semaphore + SIGNAL_STATE) };
        let after = before.checked_add(adjustment).filter(|after| adjustment > 0 && *after <= limit);
        // SAFETY: as the driver vouches.
        unsafe { driver_memory::write(semaphore + SIGNAL_STATE, after.unwrap_or(before)) };
        (before, after.is_some())
    });
    if !fits {
        core.report(Rule::SemaphoreLimit, format!("{before} and {adjustment} more, of {limit}"));
    }
    before
}

/// `KeInitializeMutex`.
///
/// # Safety
/// Only the driver may call it, with the address of a `KMUTEX`.
pub(super) unsafe extern "win64" fn initialize_mutex(mutex: usize, _level: u32) {
    // SAFETY: as the driver vouches.
    unsafe { driver_memory::write_bytes(mutex, &[0; MUTEX]) };
    // SAFETY: as the driver vouches.
    unsafe { dispatcher::initialize(mutex, Kind::Mutex, MUTEX, 1) };
}

/// `KeReleaseMutex`. Returns zero if it is free now.
///
/// # Safety
/// Only the driver may call it, with the address of a `KMUTEX`.
pub(super) unsafe extern "win64" fn release_mutex(mutex: usize, _wait: u8) -> i32 {
    let core = processor::core();
    // SAFETY: as the driver vouches.
    unsafe { dispatcher::kind(&core, mutex) };
    core.release(mutex, Lock::Mutex).map_or(0, |hold| -i32::try_from(hold.count).unwrap_or(i32::MAX))
}

/// `KeReadStateMutex`. Returns one if it is free.
///
/// # Safety
/// Only the driver may call it, with the address of a `KMUTEX`.
pub(super) unsafe extern "win64" fn mutex_state(mutex: usize) -> i32 {
    let core = processor::core();
    // SAFETY: as the driver vouches.
    unsafe { dispatcher::kind(&core, mutex) };
    core.look(|it| 1 - it.locks.of(mutex).map(|hold| i32::try_from(hold.count).unwrap_or(i32::MAX)).sum::<i32>())
}
