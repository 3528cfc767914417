//! Cancelling IRPs.
//!
//! Source: <https://learn.microsoft.com/windows-hardware/drivers/kernel/cancelling-irps>

use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::core::Core;
use crate::crash;
use crate::processor::{self, Irql};
use crate::request::{Event, Request};
use crate::violation::Rule;
use crate::{driver_memory, schedule};

/// `IoAcquireCancelSpinLock`.
///
/// # Safety
/// Only the driver may call it.
pub(super) unsafe extern "win64" fn acquire_lock(irql: usize) {
    let before = processor::core().acquire_cancel_lock();
    // SAFETY: as the driver vouches.
    unsafe { driver_memory::write(irql, before.0) };
}

/// `IoReleaseCancelSpinLock`.
///
/// # Safety
/// Only the driver may call it.
pub(super) unsafe extern "win64" fn release_lock(irql: u8) {
    let core = processor::core();
    if !core.cancel_lock.swap(false, Ordering::Release) {
        core.report(Rule::CancelLock, "the cancel spin lock is released, and was not held");
    }
    processor::set_irql(Irql(irql));
}

impl Core {
    /// Takes the system's one cancel spin lock. Returns the IRQL before.
    fn acquire_cancel_lock(&self) -> Irql {
        let before = processor::irql();
        processor::set_irql(before.max(Irql::DISPATCH_LEVEL));
        while self.cancel_lock.compare_exchange(false, true, Ordering::Acquire, Ordering::Relaxed).is_err() {
            schedule::point();
            std::thread::yield_now();
        }
        before
    }

    /// IoCancelIrp: sets `Cancel`, and calls the cancel routine if there is one, with the lock held, which it releases. Returns
    /// whether there was one.
    /// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nc-wdm-driver_cancel>
    pub(crate) fn cancel(self: &Arc<Self>, request: &Arc<Request>) -> bool {
        let before = self.acquire_cancel_lock();
        let (routine, device) = request.cancel(before).unwrap_or_default();
        let driver = self.driver_at(routine);
        if let Some(driver) = driver {
            request.note(Event::Cancelled);
            let arguments = [device, request.address];
            let returned = self.call_driver(&driver, routine, &arguments, Irql::DISPATCH_LEVEL, Some(request));
            if returned.is_ok_and(|(_, irql)| irql != before) {
                let detail = "the cancel routine returned without releasing the cancel spin lock";
                self.report_at(Rule::CancelLock, detail, vec![driver.frame_of(routine)], Some(request));
                self.cancel_lock.store(false, Ordering::Release);
            }
        } else {
            self.cancel_lock.store(false, Ordering::Release);
        }
        processor::set_irql(before);
        routine != 0
    }
}

/// `IoCancelIrp`.
///
/// # Safety
/// Only the driver may call it, with an IRP.
pub(super) unsafe extern "win64" fn cancel(irp: usize) -> u8 {
    let called = cancel_irp(&processor::core(), irp);
    // SAFETY: there is nothing here to be dropped.
    unsafe { crash::propagate() };
    u8::from(called)
}

fn cancel_irp(core: &Arc<Core>, irp: usize) -> bool {
    let request = core.state().requests.get(&irp).cloned();
    let Some(request) = request else {
        core.report(Rule::IrpUnknown, format!("{irp:#x} is cancelled, and is no IRP"));
        return false;
    };
    request.touch();
    core.cancel(&request)
}
