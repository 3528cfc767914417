//! A lock around a value.

use core::cell::UnsafeCell;
use core::sync::atomic::AtomicUsize;

#[link(name = "ntdll", kind = "raw-dylib")]
unsafe extern "system" {
    fn RtlAcquireSRWLockExclusive(lock: *const AtomicUsize);
    fn RtlReleaseSRWLockExclusive(lock: *const AtomicUsize);
}

/// A value that one thread at a time uses: ntdll's slim reader/writer lock, free when zero.
#[derive(Debug)]
pub struct Lock<T> {
    lock: AtomicUsize,
    value: UnsafeCell<T>,
}

// SAFETY: the value is reached through `with` alone, by one thread at a time, so that sending it between them is all that
// happens.
unsafe impl<T: Send> Sync for Lock<T> {}

impl<T> Lock<T> {
    /// A free lock around `value`.
    pub const fn new(value: T) -> Self {
        Self { lock: AtomicUsize::new(0), value: UnsafeCell::new(value) }
    }

    /// Runs `work` on the value. It must not come back to this lock, which would wait for itself.
    pub fn with<R>(&self, work: impl FnOnce(&mut T) -> R) -> R {
        // SAFETY: the lock lives as long as `self`; a panic ends the process, so that it can't stay locked.
        unsafe { RtlAcquireSRWLockExclusive(&raw const self.lock) };
        // SAFETY: this thread has the lock, and the reference ends before the lock is released.
        let result = work(unsafe { &mut *self.value.get() });
        // SAFETY: this thread has the lock.
        unsafe { RtlReleaseSRWLockExclusive(&raw const self.lock) };
        result
    }
}
