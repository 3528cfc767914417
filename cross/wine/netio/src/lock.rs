//! A lock around a value.

use core::cell::UnsafeCell;

use windows_sys::Wdk::Foundation::FAST_MUTEX;
use windows_sys::Wdk::System::SystemServices::{ExAcquireFastMutex, ExReleaseFastMutex};

/// A value that one thread at a time uses, behind a fast mutex.
pub(crate) struct Lock<T> {
    mutex: UnsafeCell<FAST_MUTEX>,
    value: UnsafeCell<T>,
}

// SAFETY: the value is reached through `with` alone, by one thread at a time, so that sending it between them is all that
// happens; the mutex is made for several threads.
unsafe impl<T: Send> Sync for Lock<T> {}

impl<T> Lock<T> {
    /// A free lock around `value`.
    pub(crate) const fn new(value: T) -> Self {
        Self { mutex: UnsafeCell::new(free_mutex()), value: UnsafeCell::new(value) }
    }

    /// Runs `work` on the value. It must not come back to this lock, which would wait for itself.
    pub(crate) fn with<R>(&self, work: impl FnOnce(&mut T) -> R) -> R {
        // SAFETY: the mutex is initialized and lives as long as `self`; a panic ends the process, so that it can't stay
        // acquired.
        unsafe { ExAcquireFastMutex(self.mutex.get()) };
        // SAFETY: this thread has the mutex, and the reference ends before the mutex is released.
        let result = work(unsafe { &mut *self.value.get() });
        // SAFETY: this thread has the mutex.
        unsafe { ExReleaseFastMutex(self.mutex.get()) };
        result
    }
}

/// What the inline function ExInitializeFastMutex makes, at compile time: count 1, and an event that releases one waiter at a
/// time. Wine's events need nothing that is not constant.
const fn free_mutex() -> FAST_MUTEX {
    const SYNCHRONIZATION_EVENT: i32 = 1;
    // SAFETY: all zeros are a value of the structure: numbers and null pointers.
    let mut mutex: FAST_MUTEX = unsafe { core::mem::zeroed() };
    mutex.Count = 1;
    // The type is the lowest byte of the word.
    mutex.Event.Header.Anonymous.Anonymous1.Lock = SYNCHRONIZATION_EVENT;
    mutex
}
