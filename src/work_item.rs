//! Work items: routines that run later, on a system thread at PASSIVE_LEVEL.
//!
//! Source: <https://learn.microsoft.com/windows-hardware/drivers/kernel/system-worker-threads>

use core::ptr::NonNull;

use wdk_sys::_WORK_QUEUE_TYPE::DelayedWorkQueue;
use wdk_sys::ntddk::{IoAllocateWorkItem, IoFreeWorkItem, IoQueueWorkItem};
use wdk_sys::{_IO_WORKITEM, DEVICE_OBJECT, PVOID};

/// What a work item calls: with the device that it is for, and what it was queued with.
pub(crate) type Routine = unsafe extern "C" fn(*mut DEVICE_OBJECT, PVOID);

/// A work item, freed when it is dropped.
pub(crate) struct WorkItem {
    item: NonNull<_IO_WORKITEM>,
}

// SAFETY: a work item may be queued and freed by any thread.
unsafe impl Send for WorkItem {}
// SAFETY: it is queued by one thread at a time, as `queue` asks.
unsafe impl Sync for WorkItem {}

impl WorkItem {
    /// A work item for the device, or `None` if there is no memory. IRQL <= DISPATCH_LEVEL.
    ///
    /// The I/O manager keeps the device, and with it the driver's image, while the item's routine is to run or runs.
    pub(crate) fn allocate(device: NonNull<DEVICE_OBJECT>) -> Option<Self> {
        // SAFETY: the device is the driver's own and alive.
        let item = unsafe { IoAllocateWorkItem(device.as_ptr()) };
        NonNull::new(item).map(|item| Self { item })
    }

    /// Has `routine` called with `context`. IRQL <= DISPATCH_LEVEL.
    ///
    /// # Safety
    /// The item is not in the queue already, and neither it nor what `context` points to goes before the routine runs.
    pub(crate) unsafe fn queue(&self, routine: Routine, context: PVOID) {
        // SAFETY: as the caller promises.
        unsafe { IoQueueWorkItem(self.item.as_ptr(), Some(routine), DelayedWorkQueue, context) };
    }

    /// Has `routine` called with the item itself as its context, which it [takes back](Self::from_raw). IRQL <= DISPATCH_LEVEL.
    ///
    /// # Safety
    /// What the routine needs besides is there when it runs.
    pub(crate) unsafe fn queue_itself(self, routine: Routine) {
        let item = self.into_raw();
        // SAFETY: the item was not in the queue, and nobody frees it before its routine does.
        unsafe { IoQueueWorkItem(item.cast(), Some(routine), DelayedWorkQueue, item) };
    }

    /// Gives the item up to whoever takes it back with [`WorkItem::from_raw`].
    pub(crate) const fn into_raw(self) -> PVOID {
        let item = self.item;
        core::mem::forget(self);
        item.as_ptr().cast()
    }

    /// Takes an item back. An item's own routine may do so, and free it.
    ///
    /// # Safety
    /// `item` came from [`WorkItem::into_raw`], is not in the queue, and is taken back once.
    pub(crate) const unsafe fn from_raw(item: PVOID) -> Self {
        // SAFETY: as the caller promises, it is the item.
        Self { item: unsafe { NonNull::new_unchecked(item.cast()) } }
    }
}

impl Drop for WorkItem {
    fn drop(&mut self) {
        // SAFETY: the item was allocated and is freed once; it is not in the queue.
        unsafe { IoFreeWorkItem(self.item.as_ptr()) };
    }
}
