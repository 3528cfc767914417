//! A SynchronizationEvent that several own.

use core::cell::UnsafeCell;
use core::ptr::{NonNull, null_mut};
use core::sync::atomic::{AtomicUsize, Ordering, fence};

use netio_anycast_engine::Event;
use wdk_sys::_EVENT_TYPE::SynchronizationEvent;
use wdk_sys::_KWAIT_REASON::Executive;
use wdk_sys::_MODE::KernelMode;
use wdk_sys::ntddk::{KeInitializeEvent, KeSetEvent, KeWaitForSingleObject};
use wdk_sys::{CCHAR, IO_NO_INCREMENT, KEVENT};

use crate::pool_box::PoolBox;

/// What stands in pool, where it does not move.
struct Contents {
    event: UnsafeCell<KEVENT>,
    owners: AtomicUsize,
}

/// A KEVENT in non-paged pool. The last owner frees it.
pub(crate) struct KernelEvent {
    contents: NonNull<Contents>,
}

// SAFETY: a KEVENT may be set and waited for from any thread, and the count of owners is atomic.
unsafe impl Send for KernelEvent {}
// SAFETY: as above.
unsafe impl Sync for KernelEvent {}

impl KernelEvent {
    /// An event that is not set, or `None` if there is no memory. IRQL <= DISPATCH_LEVEL.
    pub(crate) fn try_new() -> Option<Self> {
        let contents = Contents { event: UnsafeCell::default(), owners: AtomicUsize::new(1) };
        let contents = PoolBox::try_new(contents).ok()?.into_raw();
        let event = Self { contents };
        // SAFETY: the event has its place in pool, which it keeps, and nobody uses it yet.
        unsafe { KeInitializeEvent(event.kevent(), SynchronizationEvent, 0) };
        Some(event)
    }

    fn contents(&self) -> &Contents {
        // SAFETY: the contents live as long as they have an owner.
        unsafe { self.contents.as_ref() }
    }

    fn kevent(&self) -> *mut KEVENT {
        self.contents().event.get()
    }
}

impl Clone for KernelEvent {
    fn clone(&self) -> Self {
        self.contents().owners.fetch_add(1, Ordering::Relaxed);
        Self { contents: self.contents }
    }
}

impl Drop for KernelEvent {
    fn drop(&mut self) {
        if self.contents().owners.fetch_sub(1, Ordering::Release) == 1 {
            // What the other owners did comes before the end.
            fence(Ordering::Acquire);
            // SAFETY: it came from `into_raw`, and this was the last owner.
            drop(unsafe { PoolBox::from_raw(self.contents) });
        }
    }
}

impl Event for KernelEvent {
    fn set(&self) {
        // SAFETY: the event is initialized; IRQL <= DISPATCH_LEVEL, and this thread does not wait next.
        let _ = unsafe { KeSetEvent(self.kevent(), IO_NO_INCREMENT.cast_signed(), 0) };
    }

    fn wait(&self) {
        // SAFETY: the event is initialized; PASSIVE_LEVEL, as the engine's callers are. In kernel mode, neither alertable nor
        // with a timeout, the wait ends when the event is set and not before.
        let _ = unsafe { KeWaitForSingleObject(self.kevent().cast(), Executive, KERNEL_MODE, 0, null_mut()) };
    }
}

#[expect(clippy::cast_possible_truncation, reason = "KernelMode is zero, and bindgen has made a wider number of it")]
const KERNEL_MODE: CCHAR = KernelMode as CCHAR;
