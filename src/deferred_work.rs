//! What the engine wants to do later: one timer, whose DPC queues one work item.

use core::cell::UnsafeCell;
use core::ptr::{NonNull, from_ref, null_mut};
use core::sync::atomic::{AtomicBool, Ordering};

use netio_anycast_protocol::status::NtStatus;
use wdk_sys::_TIMER_TYPE::NotificationTimer;
use wdk_sys::ntddk::{KeCancelTimer, KeFlushQueuedDpcs, KeInitializeDpc, KeInitializeTimerEx, KeSetTimer};
use wdk_sys::{DEVICE_OBJECT, KDPC, KTIMER, LARGE_INTEGER, PVOID};

use crate::device::{self, Extension};
use crate::netio::PassiveLevel;
use crate::work_item::WorkItem;

/// The timer, its DPC and the work item. It may not move once it is initialized.
pub(crate) struct DeferredWork {
    timer: UnsafeCell<KTIMER>,
    dpc: UnsafeCell<KDPC>,
    item: WorkItem,
    /// The work item is in the queue.
    queued: AtomicBool,
}

// SAFETY: timers and DPCs may be set and queued by any thread, and `queued` lets one thread at a time queue the work item.
unsafe impl Sync for DeferredWork {}

/// `KTIMER`'s unit, 100 nanoseconds, in a millisecond. A negative time is counted from now.
const UNITS_IN_A_MILLISECOND: i64 = -10_000;

impl DeferredWork {
    /// A timer that is not set, for the device. IRQL: PASSIVE_LEVEL.
    ///
    /// # Errors
    /// [`NtStatus::INSUFFICIENT_RESOURCES`]: there is no memory.
    pub(crate) fn new(device: NonNull<DEVICE_OBJECT>) -> Result<Self, NtStatus> {
        let item = WorkItem::allocate(device).ok_or(NtStatus::INSUFFICIENT_RESOURCES)?;
        Ok(Self { timer: UnsafeCell::default(), dpc: UnsafeCell::default(), item, queued: AtomicBool::new(false) })
    }

    /// Makes it usable. Any IRQL.
    ///
    /// # Safety
    /// `extension` has this at the place where it stays, and nobody uses it yet.
    pub(crate) unsafe fn initialize(&self, extension: &Extension) {
        // SAFETY: the timer stays where it is, and is not set.
        unsafe { KeInitializeTimerEx(self.timer.get(), NotificationTimer) };
        // SAFETY: the DPC stays where it is, and is not queued; the extension outlives it (`stop`).
        unsafe { KeInitializeDpc(self.dpc.get(), Some(expired), from_ref(extension).cast_mut().cast()) };
    }

    /// Has the engine's deferred work done in so many milliseconds, instead of when it was to be done before. IRQL <=
    /// DISPATCH_LEVEL.
    pub(crate) fn set(&self, milliseconds: u64) {
        let delay = i64::try_from(milliseconds).unwrap_or(i64::MAX).saturating_mul(UNITS_IN_A_MILLISECOND);
        // SAFETY: timer and DPC are initialized.
        let _ = unsafe { KeSetTimer(self.timer.get(), LARGE_INTEGER { QuadPart: delay }, self.dpc.get()) };
    }

    /// Cancels the timer, and waits for a DPC that is under way. Nobody sets it any more. IRQL: PASSIVE_LEVEL.
    pub(crate) fn stop(&self) {
        // SAFETY: the timer is initialized.
        let _ = unsafe { KeCancelTimer(self.timer.get()) };
        // SAFETY: PASSIVE_LEVEL.
        unsafe { KeFlushQueuedDpcs() };
    }
}

/// The timer's DPC: queues the work item, unless it is in the queue already or the driver is being unloaded.
///
/// # Safety
/// Only the kernel may call it, at DISPATCH_LEVEL, with the extension.
unsafe extern "C" fn expired(_dpc: *mut KDPC, context: PVOID, _first: PVOID, _second: PVOID) {
    // SAFETY: `initialize` has given it, and it outlives the DPC.
    let extension = unsafe { &*context.cast::<Extension>() };
    let work = &extension.deferred_work;
    if work.queued.swap(true, Ordering::AcqRel) {
        return;
    }
    if let Some(share) = extension.rundown.acquire() {
        share.keep();
        // SAFETY: the flag says that it is not in the queue; the share keeps the extension.
        unsafe { work.item.queue(run, null_mut()) };
    }
}

/// The work item's routine.
///
/// # Safety
/// Only the I/O manager may call it, with the control device.
unsafe extern "C" fn run(device: *mut DEVICE_OBJECT, _context: PVOID) {
    // SAFETY: the I/O manager calls with the device that the work item is for, and the share below keeps what it carries.
    let extension = unsafe { device::extension(device) };
    // SAFETY: `expired` has kept one for this call.
    let _share = unsafe { extension.rundown.take_over() };
    // Before the work: what is asked for meanwhile is to be done, too.
    extension.deferred_work.queued.store(false, Ordering::Release);
    if let Some(level) = PassiveLevel::now() {
        extension.engine.run_deferred(level);
    }
}
