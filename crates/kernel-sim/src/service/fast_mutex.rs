//! Fast mutexes and guarded mutexes.
//!
//! A fast mutex is initialized by code inlined into the driver: its count is one while it is free, and zero while it is held.
//! Source: <https://learn.microsoft.com/windows-hardware/drivers/kernel/fast-mutexes-and-guarded-mutexes>

use crate::driver_memory;
use crate::locks::{Held, Kind};
use crate::processor::{self, Irql};
use crate::violation::Rule;

/// `FAST_MUTEX` and `KGUARDED_MUTEX` begin with their count.
const FREE: i32 = 1;
/// The length of `KGUARDED_MUTEX`.
const GUARDED_MUTEX: usize = 0x38;

/// `ExAcquireFastMutex`: raises the IRQL to APC_LEVEL.
///
/// # Safety
/// Only the driver may call it, with the address of a fast mutex.
pub(super) unsafe extern "win64" fn acquire(mutex: usize) {
    let before = processor::irql();
    processor::set_irql(before.max(Irql::APC_LEVEL));
    // SAFETY: as the driver vouches.
    unsafe { take(mutex, Kind::FastMutex, Some(before)) };
}

/// `ExTryToAcquireFastMutex`. Returns whether it was free.
///
/// # Safety
/// Only the driver may call it, with the address of a fast mutex.
pub(super) unsafe extern "win64" fn try_acquire(mutex: usize) -> u8 {
    let before = processor::irql();
    // SAFETY: as the driver vouches.
    let taken = unsafe { try_take(mutex, Kind::FastMutex, Some(before)) };
    if taken {
        processor::set_irql(before.max(Irql::APC_LEVEL));
    }
    u8::from(taken)
}

/// `ExReleaseFastMutex`: at APC_LEVEL, and back to the IRQL before.
///
/// # Safety
/// Only the driver may call it, with the address of a fast mutex.
pub(super) unsafe extern "win64" fn release(mutex: usize) {
    if processor::irql() < Irql::APC_LEVEL {
        processor::core().report(Rule::IrqlTooLow, format!("a fast mutex is released at {}", Irql::APC_LEVEL));
    }
    // SAFETY: as the driver vouches.
    if let Some(irql) = unsafe { give(mutex, Kind::FastMutex) } {
        processor::set_irql(irql);
    }
}

/// `ExAcquireFastMutexUnsafe`: leaves the IRQL, and wants APCs disabled by the driver.
///
/// # Safety
/// Only the driver may call it, with the address of a fast mutex.
pub(super) unsafe extern "win64" fn acquire_unsafe(mutex: usize) {
    processor::core().judge_apcs(Kind::FastMutex);
    // SAFETY: as the driver vouches.
    unsafe { take(mutex, Kind::FastMutex, None) };
}

/// `ExReleaseFastMutexUnsafe`.
///
/// # Safety
/// Only the driver may call it, with the address of a fast mutex.
pub(super) unsafe extern "win64" fn release_unsafe(mutex: usize) {
    // SAFETY: as the driver vouches.
    unsafe { give(mutex, Kind::FastMutex) };
}

/// `KeInitializeGuardedMutex`.
///
/// # Safety
/// Only the driver may call it, with the address of a guarded mutex.
pub(super) unsafe extern "win64" fn initialize_guarded(mutex: usize) {
    // SAFETY: as the driver vouches.
    unsafe { driver_memory::write_bytes(mutex, &[0; GUARDED_MUTEX]) };
    // SAFETY: as the driver vouches.
    unsafe { driver_memory::write(mutex, FREE) };
}

/// `KeAcquireGuardedMutex`: enters a guarded region.
///
/// # Safety
/// Only the driver may call it, with the address of a guarded mutex.
pub(super) unsafe extern "win64" fn acquire_guarded(mutex: usize) {
    processor::change_guarded_regions(1);
    // SAFETY: as the driver vouches.
    unsafe { take(mutex, Kind::GuardedMutex, None) };
}

/// `KeTryToAcquireGuardedMutex`. Returns whether it was free.
///
/// # Safety
/// Only the driver may call it, with the address of a guarded mutex.
pub(super) unsafe extern "win64" fn try_acquire_guarded(mutex: usize) -> u8 {
    // SAFETY: as the driver vouches.
    let taken = unsafe { try_take(mutex, Kind::GuardedMutex, None) };
    processor::change_guarded_regions(isize::from(taken));
    u8::from(taken)
}

/// `KeReleaseGuardedMutex`.
///
/// # Safety
/// Only the driver may call it, with the address of a guarded mutex.
pub(super) unsafe extern "win64" fn release_guarded(mutex: usize) {
    // SAFETY: as the driver vouches.
    unsafe { give(mutex, Kind::GuardedMutex) };
    if processor::guarded_regions() > 0 {
        processor::change_guarded_regions(-1);
    }
}

/// `KeAcquireGuardedMutexUnsafe`: wants a guarded region entered by the driver.
///
/// # Safety
/// Only the driver may call it, with the address of a guarded mutex.
pub(super) unsafe extern "win64" fn acquire_guarded_unsafe(mutex: usize) {
    if !processor::are_all_apcs_disabled() {
        processor::core().report(Rule::CriticalRegion, "a guarded mutex is taken outside of a guarded region");
    }
    // SAFETY: as the driver vouches.
    unsafe { take(mutex, Kind::GuardedMutex, None) };
}

/// `KeReleaseGuardedMutexUnsafe`.
///
/// # Safety
/// Only the driver may call it, with the address of a guarded mutex.
pub(super) unsafe extern "win64" fn release_guarded_unsafe(mutex: usize) {
    // SAFETY: as the driver vouches.
    unsafe { give(mutex, Kind::GuardedMutex) };
}

/// # Safety
/// The driver vouches for the mutex.
unsafe fn take(mutex: usize, kind: Kind, raised_from: Option<Irql>) {
    // SAFETY: as the caller promises.
    let _: i32 = unsafe { driver_memory::read(mutex) };
    if processor::core().acquire(mutex, kind, Held::Exclusive, raised_from) {
        // SAFETY: as the caller promises.
        unsafe { mark(mutex, kind) };
    }
}

/// # Safety
/// The driver vouches for the mutex.
unsafe fn try_take(mutex: usize, kind: Kind, raised_from: Option<Irql>) -> bool {
    // SAFETY: as the caller promises.
    let _: i32 = unsafe { driver_memory::read(mutex) };
    let taken = processor::core().try_acquire(mutex, kind, Held::Exclusive, raised_from);
    if taken {
        // SAFETY: as the caller promises.
        unsafe { mark(mutex, kind) };
    }
    taken
}

/// Puts into a mutex that it is held: who has it knows that it must say it is free.
///
/// # Safety
/// The driver vouches for the mutex.
unsafe fn mark(mutex: usize, kind: Kind) {
    // SAFETY: as the caller promises.
    let before: i32 = unsafe { driver_memory::read(mutex) };
    // SAFETY: as the caller promises.
    unsafe { driver_memory::write(mutex, 0_i32) };
    if before != FREE {
        processor::core().report(Rule::NotInitialized, format!("the {kind} is not held, and its count is {before}"));
    }
}

/// Returns the IRQL that taking it had raised.
///
/// # Safety
/// The driver vouches for the mutex.
unsafe fn give(mutex: usize, kind: Kind) -> Option<Irql> {
    // Before the next has it, who expects it so.
    // SAFETY: as the caller promises.
    unsafe { driver_memory::write(mutex, FREE) };
    processor::core().release(mutex, kind)?.raised_from
}
