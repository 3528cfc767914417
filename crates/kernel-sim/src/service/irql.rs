//! The IRQL, and spin locks, which raise it.

use crate::driver_memory;
use crate::processor::{self, Irql};
use crate::schedule;
use crate::violation::Rule;

/// `KeGetCurrentIrql`.
///
/// # Safety
/// Only the driver may call it.
pub(super) unsafe extern "win64" fn current() -> u8 {
    processor::irql().0
}

/// `KfRaiseIrql`, which KeRaiseIrql is a macro for. Returns the IRQL before.
///
/// # Safety
/// Only the driver may call it.
pub(super) unsafe extern "win64" fn raise(level: u8) -> u8 {
    let before = processor::irql();
    if Irql(level) < before {
        processor::core().report(Rule::IrqlDirection, format!("raised from {before} to {}", Irql(level)));
    }
    processor::set_irql(Irql(level));
    before.0
}

/// `KeLowerIrql`.
///
/// # Safety
/// Only the driver may call it.
pub(super) unsafe extern "win64" fn lower(level: u8) {
    let before = processor::irql();
    if Irql(level) > before {
        processor::core().report(Rule::IrqlDirection, format!("lowered from {before} to {}", Irql(level)));
    }
    processor::set_irql(Irql(level));
}

/// `KeAcquireSpinLockRaiseToDpc`. Returns the IRQL before.
///
/// # Safety
/// Only the driver may call it, with the address of a spin lock.
pub(super) unsafe extern "win64" fn acquire_spin_lock(lock: usize) -> u8 {
    use std::sync::atomic::{AtomicUsize, Ordering};

    let before = processor::irql();
    processor::set_irql(before.max(Irql::DISPATCH_LEVEL));
    // SAFETY: the driver vouches for the lock, which is a pointer-sized integer that only these services touch.
    let lock = unsafe { AtomicUsize::from_ptr(lock as *mut usize) };
    while lock.compare_exchange_weak(0, 1, Ordering::Acquire, Ordering::Relaxed).is_err() {
        schedule::point();
        std::thread::yield_now();
    }
    before.0
}

/// `KeReleaseSpinLock`.
///
/// # Safety
/// Only the driver may call it, with the address of a spin lock.
pub(super) unsafe extern "win64" fn release_spin_lock(lock: usize, level: u8) {
    // SAFETY: as the driver vouches.
    unsafe { driver_memory::write(lock, 0_usize) };
    processor::set_irql(Irql(level));
}
