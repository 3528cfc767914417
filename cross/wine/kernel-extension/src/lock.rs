//! A lock around a value, on ntdll's slim reader/writer lock.

use core::cell::UnsafeCell;
use core::sync::atomic::AtomicUsize;

#[link(name = "ntdll", kind = "raw-dylib")]
unsafe extern "system" {
    pub(crate) fn RtlAcquireSRWLockExclusive(lock: *const AtomicUsize);
    pub(crate) fn RtlReleaseSRWLockExclusive(lock: *const AtomicUsize);
}

/// A value that one thread at a time uses.
pub(crate) struct Lock<T> {
    /// `RTL_SRWLOCK`, zero when free.
    lock: AtomicUsize,
    value: UnsafeCell<T>,
}

// SAFETY: the value is reached through `with` alone, by one thread at a time.
unsafe impl<T: Send> Sync for Lock<T> {}

impl<T> Lock<T> {
    /// A free lock around `value`.
    pub(crate) const fn new(value: T) -> Self {
        Self { lock: AtomicUsize::new(0), value: UnsafeCell::new(value) }
    }

    /// Runs `work` on the value. It must not come back to this lock, which would wait for itself, nor call a driver.
    pub(crate) fn with<R>(&self, work: impl FnOnce(&mut T) -> R) -> R {
        // SAFETY: a lock of zero is initialized, and this thread does not have it; a panic ends the process.
        unsafe { RtlAcquireSRWLockExclusive(&raw const self.lock) };
        // SAFETY: this thread has the lock, and the reference ends before it is released.
        let result = work(unsafe { &mut *self.value.get() });
        // SAFETY: this thread has the lock.
        unsafe { RtlReleaseSRWLockExclusive(&raw const self.lock) };
        result
    }
}
