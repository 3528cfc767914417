//! Cancelling IRPs.
//!
//! Source: <https://learn.microsoft.com/windows-hardware/drivers/kernel/cancelling-irps>

use std::mem::offset_of;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::core::Core;
use crate::driver::LoadedDriver;
use crate::layout::Irp;
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

    /// IoCancelIrp: sets `Cancel`, and calls the cancel routine if there is one, with the lock held, which it releases.
    /// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nc-wdm-driver_cancel>
    pub(crate) fn cancel(self: &Arc<Self>, driver: &LoadedDriver, device: usize, request: &Arc<Request>) {
        let before = self.acquire_cancel_lock();
        let routine = request.with_irp(|irp| {
            irp.write(offset_of!(Irp, cancel), &1_u8);
            irp.write(offset_of!(Irp, cancel_irql), &before.0);
            irp.exchange(offset_of!(Irp, cancel_routine), 0)
        });
        if let Some(routine @ 1..) = routine {
            request.note(Event::Cancelled);
            let arguments = [device, request.address, 0, 0];
            let returned = self.call_driver(driver, routine, arguments, Irql::DISPATCH_LEVEL, Some(request));
            if returned.is_ok_and(|(_, irql)| irql != before) {
                let detail = "the cancel routine returned without releasing the cancel spin lock";
                self.report_at(Rule::CancelLock, detail, vec![driver.frame_of(routine)], Some(request));
                self.cancel_lock.store(false, Ordering::Release);
            }
        } else {
            self.cancel_lock.store(false, Ordering::Release);
        }
        processor::set_irql(before);
    }
}
