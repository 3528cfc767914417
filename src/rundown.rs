//! Rundown protection: the driver is not unloaded while somebody has a share of it.
//!
//! Source: <https://learn.microsoft.com/windows-hardware/drivers/kernel/run-down-protection>

use core::cell::UnsafeCell;

use wdk_sys::EX_RUNDOWN_REF;
use wdk_sys::ntddk::{
    ExAcquireRundownProtection, ExInitializeRundownProtection, ExReleaseRundownProtection,
    ExWaitForRundownProtectionRelease,
};

/// What keeps the driver loaded. It may not move once it is initialized.
#[derive(Default)]
pub(crate) struct Rundown {
    reference: UnsafeCell<EX_RUNDOWN_REF>,
}

// SAFETY: the kernel's functions on it may be called from any thread at once.
unsafe impl Sync for Rundown {}

/// A share, given up when it is dropped.
#[must_use]
pub(crate) struct RundownShare<'a> {
    rundown: &'a Rundown,
}

impl Rundown {
    /// Makes it usable. Any IRQL.
    ///
    /// # Safety
    /// It is at the place where it stays, and nobody uses it yet.
    pub(crate) unsafe fn initialize(&self) {
        // SAFETY: as the caller promises.
        unsafe { ExInitializeRundownProtection(self.reference.get()) };
    }

    /// A share, or `None` if the driver is being unloaded. IRQL <= DISPATCH_LEVEL.
    pub(crate) fn acquire(&self) -> Option<RundownShare<'_>> {
        // SAFETY: it is initialized.
        let acquired = unsafe { ExAcquireRundownProtection(self.reference.get()) } != 0;
        acquired.then(|| RundownShare { rundown: self })
    }

    /// Takes over a share that was [kept](RundownShare::keep). IRQL <= DISPATCH_LEVEL.
    ///
    /// # Safety
    /// One was kept, and is taken over once.
    pub(crate) const unsafe fn take_over(&self) -> RundownShare<'_> {
        RundownShare { rundown: self }
    }

    /// Waits until every share is given up, and gives out none any more. IRQL: PASSIVE_LEVEL.
    pub(crate) fn wait(&self) {
        // SAFETY: it is initialized; PASSIVE_LEVEL, and this thread has no share.
        unsafe { ExWaitForRundownProtectionRelease(self.reference.get()) };
    }
}

impl RundownShare<'_> {
    /// Keeps the share for whoever [takes it over](Rundown::take_over).
    pub(crate) const fn keep(self) {
        core::mem::forget(self);
    }
}

impl Drop for RundownShare<'_> {
    fn drop(&mut self) {
        // SAFETY: this share was acquired, and is given up once.
        unsafe { ExReleaseRundownProtection(self.rundown.reference.get()) };
    }
}
