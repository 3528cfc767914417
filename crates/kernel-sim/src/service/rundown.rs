//! Rundown protection.
//!
//! Source: <https://learn.microsoft.com/windows-hardware/drivers/kernel/run-down-protection>

use crate::driver_memory;
use crate::owner::Maker;
use crate::processor;
use crate::violation::Rule;

/// The state of an `EX_RUNDOWN_REF`, by its address.
#[derive(Debug, Default)]
pub(crate) struct Rundown {
    /// How often protection was acquired and not released.
    pub(crate) protections: usize,
    /// Somebody waits or has waited for all to be released: no more protection is granted.
    is_run_down: bool,
    /// Who acquired protection last.
    pub(crate) maker: Maker,
}

/// `ExInitializeRundownProtection`.
///
/// # Safety
/// Only the driver may call it, with the address of an `EX_RUNDOWN_REF`.
pub(super) unsafe extern "win64" fn initialize(reference: usize) {
    // SAFETY: as the driver vouches.
    unsafe { driver_memory::write(reference, 0_usize) };
    let core = processor::core();
    let before = core.change(|it| it.rundowns.insert(reference, Rundown::default()));
    if before.is_some_and(|rundown| rundown.protections > 0) {
        core.report(Rule::Rundown, "it is initialized while protection is acquired");
    }
}

/// `ExReInitializeRundownProtection`: of an object that is run down.
///
/// # Safety
/// Only the driver may call it, with the address of an `EX_RUNDOWN_REF`.
pub(super) unsafe extern "win64" fn reinitialize(reference: usize) {
    // SAFETY: as the driver vouches.
    let known = unsafe { with(reference, |rundown| std::mem::take(rundown).is_run_down) };
    if known == Some(false) {
        processor::core().report(Rule::Rundown, "it is initialized again and was not run down");
    }
}

/// `ExRundownCompleted`: the object is run down.
///
/// # Safety
/// Only the driver may call it, with the address of an `EX_RUNDOWN_REF`.
pub(super) unsafe extern "win64" fn completed(reference: usize) {
    // SAFETY: as the driver vouches.
    let protections = unsafe {
        with(reference, |rundown| {
            rundown.is_run_down = true;
            rundown.protections
        })
    };
    if protections.is_some_and(|count| count > 0) {
        processor::core().report(Rule::Rundown, "it is said to be run down while protection is acquired");
    }
}

/// `ExAcquireRundownProtection`. Returns whether it is granted.
///
/// # Safety
/// Only the driver may call it, with the address of an `EX_RUNDOWN_REF`.
pub(super) unsafe extern "win64" fn acquire(reference: usize) -> u8 {
    // SAFETY: as the driver vouches.
    unsafe { acquire_many(reference, 1) }
}

/// `ExAcquireRundownProtectionEx`. Returns whether it is granted.
///
/// # Safety
/// Only the driver may call it, with the address of an `EX_RUNDOWN_REF`.
pub(super) unsafe extern "win64" fn acquire_many(reference: usize, count: u32) -> u8 {
    let maker = processor::core().maker();
    // SAFETY: as the driver vouches.
    let granted = unsafe {
        with(reference, |rundown| {
            if !rundown.is_run_down {
                rundown.protections += count as usize;
                rundown.maker = maker;
            }
            !rundown.is_run_down
        })
    };
    u8::from(granted == Some(true))
}

/// `ExReleaseRundownProtection`.
///
/// # Safety
/// Only the driver may call it, with the address of an `EX_RUNDOWN_REF`.
pub(super) unsafe extern "win64" fn release(reference: usize) {
    // SAFETY: as the driver vouches.
    unsafe { release_many(reference, 1) };
}

/// `ExReleaseRundownProtectionEx`.
///
/// # Safety
/// Only the driver may call it, with the address of an `EX_RUNDOWN_REF`.
pub(super) unsafe extern "win64" fn release_many(reference: usize, count: u32) {
    // SAFETY: as the driver vouches.
    let left = unsafe {
        with(reference, |rundown| {
            let left = rundown.protections.checked_sub(count as usize);
            rundown.protections = left.unwrap_or(0);
            left
        })
    };
    if left == Some(None) {
        processor::core().report(Rule::Rundown, "more protection is released than was acquired");
    }
}

/// `ExWaitForRundownProtectionRelease`: grants no more, and waits until all is released.
///
/// # Safety
/// Only the driver may call it, with the address of an `EX_RUNDOWN_REF`.
pub(super) unsafe extern "win64" fn wait(reference: usize) {
    // SAFETY: as the driver vouches.
    if unsafe { with(reference, |rundown| rundown.is_run_down = true) }.is_none() {
        return;
    }
    let core = processor::core();
    let released = core.wait_until(None, |it| {
        it.rundowns.get(&reference).is_none_or(|rundown| rundown.protections == 0).then_some(())
    });
    core.judge_wait(&released, "rundown protection was not released in time");
}

/// Works on an `EX_RUNDOWN_REF`. `None`, and a violation, if it was not initialized.
///
/// # Safety
/// The driver vouches for it.
unsafe fn with<R>(reference: usize, work: impl FnOnce(&mut Rundown) -> R) -> Option<R> {
    // SAFETY: as the caller promises; one in memory that is gone is noticed here.
    let _: usize = unsafe { driver_memory::read(reference) };
    let core = processor::core();
    let result = core.change(|it| it.rundowns.get_mut(&reference).map(work));
    if result.is_none() {
        core.report(Rule::NotInitialized, "rundown protection is used, and was not initialized");
    }
    result
}
