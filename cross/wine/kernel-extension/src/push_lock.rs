//! Push locks, on ntdll's slim reader/writer locks: both are one pointer, zero when free.
//!
//! Source: <https://learn.microsoft.com/windows-hardware/drivers/kernel/introduction-to-push-locks> and the pages of
//! `ExAcquirePushLockExclusive` and its siblings, which are macros over the functions below.

use core::sync::atomic::{AtomicUsize, Ordering};

use crate::lock::{RtlAcquireSRWLockExclusive, RtlReleaseSRWLockExclusive};

/// `EX_PUSH_LOCK`, and `RTL_SRWLOCK` at the same time.
type PushLock = AtomicUsize;

#[link(name = "ntdll", kind = "raw-dylib")]
unsafe extern "system" {
    fn RtlAcquireSRWLockShared(lock: *const PushLock);
    fn RtlReleaseSRWLockShared(lock: *const PushLock);
}

/// ExInitializePushLock.
#[unsafe(no_mangle)]
extern "system" fn extension_ExInitializePushLock(lock: &PushLock) {
    lock.store(0, Ordering::Relaxed);
}

/// ExAcquirePushLockExclusiveEx.
///
/// # Safety
/// The lock is initialized, and the calling thread does not have it.
#[unsafe(no_mangle)]
unsafe extern "system" fn extension_ExAcquirePushLockExclusiveEx(lock: &PushLock, _flags: u32) {
    // SAFETY: as the caller promises.
    unsafe { RtlAcquireSRWLockExclusive(lock) };
}

/// ExAcquirePushLockSharedEx.
///
/// # Safety
/// The lock is initialized, and the calling thread does not have it.
#[unsafe(no_mangle)]
unsafe extern "system" fn extension_ExAcquirePushLockSharedEx(lock: &PushLock, _flags: u32) {
    // SAFETY: as the caller promises.
    unsafe { RtlAcquireSRWLockShared(lock) };
}

/// ExReleasePushLockExclusiveEx.
///
/// # Safety
/// The calling thread has the lock exclusively.
#[unsafe(no_mangle)]
unsafe extern "system" fn extension_ExReleasePushLockExclusiveEx(lock: &PushLock, _flags: u32) {
    // SAFETY: as the caller promises.
    unsafe { RtlReleaseSRWLockExclusive(lock) };
}

/// ExReleasePushLockSharedEx.
///
/// # Safety
/// The calling thread has the lock shared.
#[unsafe(no_mangle)]
unsafe extern "system" fn extension_ExReleasePushLockSharedEx(lock: &PushLock, _flags: u32) {
    // SAFETY: as the caller promises.
    unsafe { RtlReleaseSRWLockShared(lock) };
}
