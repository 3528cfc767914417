//! Work items: routines that run later, on a system thread at PASSIVE_LEVEL.
//!
//! Source: <https://learn.microsoft.com/windows-hardware/drivers/kernel/system-worker-threads>

use core::ptr::NonNull;

use wdk_sys::_WORK_QUEUE_TYPE::DelayedWorkQueue;
use wdk_sys::ntddk::{IoAllocateWorkItem, IoFreeWorkItem, IoQueueWorkItem};
use wdk_sys::{_IO_WORKITEM, DEVICE_OBJECT, PVOID};

use super::owner::Owner;

/// What a work item calls: with the owner's device, and what it was queued with.
pub(super) type Routine = unsafe extern "C" fn(*mut DEVICE_OBJECT, PVOID);

/// A work item, freed when it is dropped.
pub(super) struct WorkItem {
    item: NonNull<_IO_WORKITEM>,
}

// SAFETY: a work item may be queued and freed by any thread.
unsafe impl Send for WorkItem {}
// SAFETY: it is queued by one thread at a time, as `queue` asks.
unsafe impl Sync for WorkItem {}

impl WorkItem {
    /// A work item, or `None` if there is no memory. IRQL <= DISPATCH_LEVEL.
    pub(super) fn allocate(owner: Owner) -> Option<Self> {
        // SAFETY: the device is the owner's and alive.
        let item = unsafe { IoAllocateWorkItem(owner.as_ptr()) };
        NonNull::new(item).map(|item| Self { item })
    }

    /// Has `routine` called with `context`. IRQL <= DISPATCH_LEVEL.
    ///
    /// # Safety
    /// The item is not in the queue already, and neither it nor what `context` points to goes before the routine runs.
    pub(super) unsafe fn queue(&self, routine: Routine, context: PVOID) {
        // SAFETY: as the caller promises.
        unsafe { IoQueueWorkItem(self.item.as_ptr(), Some(routine), DelayedWorkQueue, context) };
    }
}

impl Drop for WorkItem {
    fn drop(&mut self) {
        // SAFETY: the item was allocated, is not in the queue, and is freed once.
        unsafe { IoFreeWorkItem(self.item.as_ptr()) };
    }
}
