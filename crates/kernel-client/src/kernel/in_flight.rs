//! What is under way: it is waited for before that goes which it needs.
//!
//! Source: <https://learn.microsoft.com/windows-hardware/drivers/kernel/run-down-protection>

use core::cell::UnsafeCell;

use wdk_sys::EX_RUNDOWN_REF;
use wdk_sys::ntddk::{
    ExAcquireRundownProtection, ExInitializeRundownProtection, ExReleaseRundownProtection,
    ExWaitForRundownProtectionRelease,
};

/// Counts what is under way. It may not move once it is initialized.
#[derive(Default)]
pub(super) struct InFlight {
    reference: UnsafeCell<EX_RUNDOWN_REF>,
}

// SAFETY: the kernel's functions on it may be called from any thread at once.
unsafe impl Sync for InFlight {}

impl InFlight {
    /// Makes it usable. Any IRQL.
    ///
    /// # Safety
    /// It is at the place where it stays, and nobody uses it yet.
    pub(super) unsafe fn initialize(&self) {
        // SAFETY: as the caller promises.
        unsafe { ExInitializeRundownProtection(self.reference.get()) };
    }

    /// One more is under way, unless [`wait`](Self::wait) was called. IRQL <= DISPATCH_LEVEL.
    pub(super) fn begin(&self) -> bool {
        // SAFETY: it is initialized.
        unsafe { ExAcquireRundownProtection(self.reference.get()) != 0 }
    }

    /// One that [began](Self::begin) is over. IRQL <= DISPATCH_LEVEL.
    ///
    /// # Safety
    /// It began, and ends once.
    pub(super) unsafe fn end(&self) {
        // SAFETY: it is initialized, and as the caller promises.
        unsafe { ExReleaseRundownProtection(self.reference.get()) };
    }

    /// Waits until nothing is under way any more, and lets nothing begin. IRQL <= APC_LEVEL.
    pub(super) fn wait(&self) {
        // SAFETY: it is initialized, and what this thread has begun is over.
        unsafe { ExWaitForRundownProtectionRelease(self.reference.get()) };
    }
}
