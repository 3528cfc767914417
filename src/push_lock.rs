//! A push lock with what it protects.
//!
//! Source: <https://learn.microsoft.com/windows-hardware/drivers/kernel/introduction-to-push-locks>

use core::cell::UnsafeCell;

use netio_anycast_engine::Lock;
use wdk_sys::EX_PUSH_LOCK;
use wdk_sys::ntddk::{
    ExAcquirePushLockExclusiveEx, ExInitializePushLock, ExReleasePushLockExclusiveEx, KeEnterCriticalRegion,
    KeLeaveCriticalRegion,
};

use crate::pool_box::PoolBox;

/// `EX_DEFAULT_PUSH_LOCK_FLAGS` of `wdm.h`, as the macro ExAcquirePushLockExclusive has it.
const DEFAULT_FLAGS: u32 = 0;

/// A value that one thread at a time reaches, at an IRQL of no more than APC_LEVEL. In pool, since a push lock may not move.
pub(crate) struct PushLock<T> {
    contents: PoolBox<Contents<T>>,
}

struct Contents<T> {
    lock: UnsafeCell<EX_PUSH_LOCK>,
    value: UnsafeCell<T>,
}

// SAFETY: the lock lets one thread at a time to the value, which may be sent from one to the other.
unsafe impl<T: Send> Sync for Contents<T> {}

impl<T> PushLock<T> {
    /// A lock around `value`, or `None` if there is no memory. IRQL: PASSIVE_LEVEL.
    pub(crate) fn try_new(value: T) -> Option<Self> {
        let contents = Contents { lock: UnsafeCell::default(), value: UnsafeCell::new(value) };
        let contents = PoolBox::try_new(contents).ok()?;
        // SAFETY: the lock has its place in pool, which it keeps, and nobody uses it yet.
        unsafe { ExInitializePushLock(contents.lock.get()) };
        Some(Self { contents })
    }
}

impl<T: Send> Lock<T> for PushLock<T> {
    #[inline]
    fn with<R>(&self, section: impl FnOnce(&mut T) -> R) -> R {
        let contents = &*self.contents;
        // SAFETY: IRQL <= APC_LEVEL: the engine runs at PASSIVE_LEVEL. The region is left below, since nothing unwinds.
        unsafe { KeEnterCriticalRegion() };
        // SAFETY: the lock is initialized, normal kernel APCs are disabled, and sections do not nest.
        unsafe { ExAcquirePushLockExclusiveEx(contents.lock.get(), DEFAULT_FLAGS) };
        // SAFETY: the lock is held, so that nobody else has a reference.
        let result = section(unsafe { &mut *contents.value.get() });
        // SAFETY: this thread has acquired it above.
        unsafe { ExReleasePushLockExclusiveEx(contents.lock.get(), DEFAULT_FLAGS) };
        // SAFETY: this thread has entered it above.
        unsafe { KeLeaveCriticalRegion() };
        result
    }
}
