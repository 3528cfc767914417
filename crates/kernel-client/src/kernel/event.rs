//! Events: what a thread waits for.

use core::cell::UnsafeCell;
use core::ptr::{from_mut, null_mut};
use core::time::Duration;

use netio_anycast_protocol::status::NtStatus;
use wdk_sys::_EVENT_TYPE::NotificationEvent;
use wdk_sys::_KWAIT_REASON::Executive;
use wdk_sys::_MODE::KernelMode;
use wdk_sys::ntddk::{KeInitializeEvent, KeSetEvent, KeWaitForSingleObject};
use wdk_sys::{CCHAR, IO_NO_INCREMENT, KEVENT, LARGE_INTEGER};

#[expect(clippy::cast_possible_truncation, reason = "KernelMode is zero, and bindgen has made a wider number of it")]
const KERNEL_MODE: CCHAR = KernelMode as CCHAR;

/// A NotificationEvent: once it is set it stays so. It may not move once it is initialized.
#[derive(Default)]
pub(super) struct Event {
    event: UnsafeCell<KEVENT>,
}

// SAFETY: the kernel's functions on an event may be called from any thread at once.
unsafe impl Sync for Event {}

impl Event {
    /// Makes it usable, not set. Any IRQL.
    ///
    /// # Safety
    /// It is at the place where it stays, and nobody uses it yet.
    pub(super) unsafe fn initialize(&self) {
        // SAFETY: as the caller promises.
        unsafe { KeInitializeEvent(self.event.get(), NotificationEvent, 0) };
    }

    /// The event itself, for functions that set it.
    pub(super) const fn as_ptr(&self) -> *mut KEVENT {
        self.event.get()
    }

    /// Sets it. IRQL <= DISPATCH_LEVEL.
    pub(super) fn set(&self) {
        // SAFETY: it is initialized, and this thread does not wait next.
        let _ = unsafe { KeSetEvent(self.event.get(), IO_NO_INCREMENT.cast_signed(), 0) };
    }

    /// Waits until it is set, at most for `timeout`; whether it is. IRQL <= APC_LEVEL, or DISPATCH_LEVEL with a timeout of zero.
    pub(super) fn wait(&self, timeout: Option<Duration>) -> bool {
        // Negative: from now on, in units of 100 nanoseconds.
        let mut interval = timeout.map(|timeout| LARGE_INTEGER { QuadPart: relative(timeout) });
        let interval = interval.as_mut().map_or(null_mut(), from_mut);
        // SAFETY: it is initialized; the interval lives through the call; the IRQL is as the caller promises. In kernel mode and not
        // alertable, the wait ends when the event is set or the time is over.
        let status = unsafe { KeWaitForSingleObject(self.event.get().cast(), Executive, KERNEL_MODE, 0, interval) };
        NtStatus(status) == NtStatus::SUCCESS
    }
}

fn relative(timeout: Duration) -> i64 {
    let units = timeout.as_nanos().div_ceil(100);
    i64::try_from(units).map_or(i64::MIN, |units| -units)
}
