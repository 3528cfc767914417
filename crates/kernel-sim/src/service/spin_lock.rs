//! Spin locks, which raise the IRQL or need it raised.
//!
//! A driver may initialize one by writing zero to it, as the inlined KeInitializeSpinLock does; here it holds one while it is
//! held.
//! Source: <https://learn.microsoft.com/windows-hardware/drivers/kernel/introduction-to-spin-locks>

use std::sync::Arc;

use crate::core::Core;
use crate::driver_memory;
use crate::locks::{Held, Kind};
use crate::processor::{self, Irql};
use crate::violation::Rule;

/// `KLOCK_QUEUE_HANDLE`: the address of its lock, and the IRQL before.
const QUEUE_LOCK: usize = 8;
const QUEUE_IRQL: usize = 16;

/// `KeAcquireSpinLockRaiseToDpc`. Returns the IRQL before.
///
/// # Safety
/// Only the driver may call it, with the address of a spin lock.
pub(super) unsafe extern "win64" fn acquire_raise(lock: usize) -> u8 {
    // SAFETY: as the driver vouches.
    unsafe { raise_and_acquire(lock, Held::Exclusive) }.0
}

/// `KeReleaseSpinLock`.
///
/// # Safety
/// Only the driver may call it, with the address of a spin lock.
pub(super) unsafe extern "win64" fn release_lower(lock: usize, level: u8) {
    // SAFETY: as the driver vouches.
    unsafe { release(lock) };
    processor::set_irql(Irql(level));
}

/// `KeAcquireSpinLockAtDpcLevel`.
///
/// # Safety
/// Only the driver may call it, with the address of a spin lock.
pub(super) unsafe extern "win64" fn acquire_raised(lock: usize) {
    judge_raised(&processor::core());
    // SAFETY: as the driver vouches.
    unsafe { acquire(lock, Held::Exclusive, None) };
}

/// `KeReleaseSpinLockFromDpcLevel`.
///
/// # Safety
/// Only the driver may call it, with the address of a spin lock.
pub(super) unsafe extern "win64" fn release_raised(lock: usize) {
    judge_raised(&processor::core());
    // SAFETY: as the driver vouches.
    unsafe { release(lock) };
}

/// `KeTryToAcquireSpinLockAtDpcLevel`. Returns whether it was free.
///
/// # Safety
/// Only the driver may call it, with the address of a spin lock.
pub(super) unsafe extern "win64" fn try_acquire_raised(lock: usize) -> u8 {
    let core = processor::core();
    judge_raised(&core);
    // SAFETY: as the driver vouches.
    let _: usize = unsafe { driver_memory::read(lock) };
    let taken = core.try_acquire(lock, Kind::Spin, Held::Exclusive, None);
    if taken {
        // SAFETY: as the driver vouches.
        unsafe { mark(&core, lock) };
    }
    u8::from(taken)
}

/// `KeTestSpinLock`. Returns whether it is free.
///
/// # Safety
/// Only the driver may call it, with the address of a spin lock.
pub(super) unsafe extern "win64" fn test(lock: usize) -> u8 {
    // SAFETY: as the driver vouches.
    u8::from(unsafe { driver_memory::read::<usize>(lock) } == 0)
}

/// `KeAcquireInStackQueuedSpinLock`.
///
/// # Safety
/// Only the driver may call it, with the addresses of a spin lock and of a `KLOCK_QUEUE_HANDLE`.
pub(super) unsafe extern "win64" fn acquire_queued(lock: usize, queue: usize) {
    // SAFETY: as the driver vouches.
    let before = unsafe { raise_and_acquire(lock, Held::Exclusive) };
    // SAFETY: as the driver vouches.
    unsafe { driver_memory::write(queue + QUEUE_LOCK, lock) };
    // SAFETY: as the driver vouches.
    unsafe { driver_memory::write(queue + QUEUE_IRQL, before.0) };
}

/// `KeReleaseInStackQueuedSpinLock`.
///
/// # Safety
/// Only the driver may call it, with the address of a `KLOCK_QUEUE_HANDLE`.
pub(super) unsafe extern "win64" fn release_queued(queue: usize) {
    // SAFETY: as the driver vouches.
    let lock = unsafe { driver_memory::read(queue + QUEUE_LOCK) };
    // SAFETY: as the driver vouches.
    let level = unsafe { driver_memory::read(queue + QUEUE_IRQL) };
    // SAFETY: as the driver vouches.
    unsafe { release_lower(lock, level) };
}

/// `KeAcquireInStackQueuedSpinLockAtDpcLevel`.
///
/// # Safety
/// Only the driver may call it, with the addresses of a spin lock and of a `KLOCK_QUEUE_HANDLE`.
pub(super) unsafe extern "win64" fn acquire_queued_raised(lock: usize, queue: usize) {
    // SAFETY: as the driver vouches.
    unsafe { acquire_raised(lock) };
    // SAFETY: as the driver vouches.
    unsafe { driver_memory::write(queue + QUEUE_LOCK, lock) };
}

/// `KeReleaseInStackQueuedSpinLockFromDpcLevel`.
///
/// # Safety
/// Only the driver may call it, with the address of a `KLOCK_QUEUE_HANDLE`.
pub(super) unsafe extern "win64" fn release_queued_raised(queue: usize) {
    // SAFETY: as the driver vouches.
    let lock = unsafe { driver_memory::read(queue + QUEUE_LOCK) };
    // SAFETY: as the driver vouches.
    unsafe { release_raised(lock) };
}

/// # Safety
/// The driver vouches for the lock.
unsafe fn raise_and_acquire(lock: usize, how: Held) -> Irql {
    let before = processor::irql();
    processor::set_irql(before.max(Irql::DISPATCH_LEVEL));
    // SAFETY: as the caller promises.
    unsafe { acquire(lock, how, Some(before)) };
    before
}

/// # Safety
/// The driver vouches for the lock.
unsafe fn acquire(lock: usize, how: Held, raised_from: Option<Irql>) {
    // Before it is waited for: from here on the lock is known to be there.
    // SAFETY: as the caller promises.
    let _: usize = unsafe { driver_memory::read(lock) };
    let core = processor::core();
    if core.acquire(lock, Kind::Spin, how, raised_from) {
        // SAFETY: as the caller promises.
        unsafe { mark(&core, lock) };
    }
}

/// Puts into a spin lock that it is held: whoever has it knows that it must be zero.
///
/// # Safety
/// The driver vouches for the lock.
unsafe fn mark(core: &Arc<Core>, lock: usize) {
    // SAFETY: as the caller promises.
    let before: usize = unsafe { driver_memory::read(lock) };
    // SAFETY: as the caller promises.
    unsafe { driver_memory::write(lock, 1_usize) };
    if before != 0 {
        core.report(Rule::NotInitialized, format!("the spin lock is free and holds {before:#x}"));
    }
}

/// # Safety
/// The driver vouches for the lock.
unsafe fn release(lock: usize) {
    // Before the next has it, who expects zero.
    // SAFETY: as the caller promises.
    unsafe { driver_memory::write(lock, 0_usize) };
    processor::core().release(lock, Kind::Spin);
}

fn judge_raised(core: &Core) {
    if processor::irql() < Irql::DISPATCH_LEVEL {
        core.report(Rule::IrqlTooLow, format!("it is called at {} and up", Irql::DISPATCH_LEVEL));
    }
}
