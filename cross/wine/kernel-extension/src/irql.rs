//! The IRQL, for each thread: Wine runs everything at PASSIVE_LEVEL, so it is kept here what a driver has raised it to.
//!
//! Nothing is kept from running by it. It is there for drivers that ask, and that behave otherwise above PASSIVE_LEVEL.
//!
//! Source: <https://learn.microsoft.com/windows-hardware/drivers/kernel/managing-hardware-priorities>

use core::ptr::without_provenance;
use core::sync::atomic::{AtomicU32, Ordering};

#[link(name = "kernel32", kind = "raw-dylib")]
unsafe extern "system" {
    safe fn TlsAlloc() -> u32;
    safe fn TlsFree(index: u32) -> i32;
    safe fn TlsGetValue(index: u32) -> *const u8;
    safe fn TlsSetValue(index: u32, value: *const u8) -> i32;
}

#[link(name = "ntoskrnl.exe", kind = "raw-dylib", modifiers = "+verbatim")]
unsafe extern "system" {
    fn KeAcquireSpinLockRaiseToDpc(lock: *mut usize) -> u8;
    fn KeReleaseSpinLock(lock: *mut usize, level: u8);
}

/// The level of who has a spin lock, and of deferred procedure calls.
pub(crate) const DISPATCH_LEVEL: u8 = 2;

/// TLS_OUT_OF_INDEXES.
const NONE: u32 = u32::MAX;

/// The slot of each thread that has its IRQL, once there is one.
static SLOT: AtomicU32 = AtomicU32::new(NONE);

fn slot() -> u32 {
    let known = SLOT.load(Ordering::Acquire);
    if known != NONE {
        return known;
    }
    let new = TlsAlloc();
    match SLOT.compare_exchange(NONE, new, Ordering::AcqRel, Ordering::Acquire) {
        Ok(_) => new,
        // Another thread was first.
        Err(slot) => {
            TlsFree(new);
            slot
        }
    }
}

/// The calling thread's IRQL.
pub(crate) fn current() -> u8 {
    // It was put there, so that it fits.
    u8::try_from(TlsGetValue(slot()).addr()).unwrap_or(u8::MAX)
}

/// Changes the calling thread's IRQL: what it was.
pub(crate) fn set(level: u8) -> u8 {
    let before = current();
    TlsSetValue(slot(), without_provenance(usize::from(level)));
    before
}

/// KeGetCurrentIrql. A real x64 kernel exports it for code that is not built with the WDK's inline version.
#[unsafe(no_mangle)]
extern "system" fn extension_KeGetCurrentIrql() -> u8 {
    current()
}

/// KeAcquireSpinLockRaiseToDpc, which raises the IRQL besides.
///
/// # Safety
/// As for the kernel's own.
#[unsafe(no_mangle)]
unsafe extern "system" fn extension_KeAcquireSpinLockRaiseToDpc(lock: *mut usize) -> u8 {
    let before = set(DISPATCH_LEVEL);
    // SAFETY: as the caller promises.
    unsafe { KeAcquireSpinLockRaiseToDpc(lock) };
    before
}

/// KeReleaseSpinLock, which lowers the IRQL besides.
///
/// # Safety
/// As for the kernel's own.
#[unsafe(no_mangle)]
unsafe extern "system" fn extension_KeReleaseSpinLock(lock: *mut usize, level: u8) {
    // SAFETY: as the caller promises.
    unsafe { KeReleaseSpinLock(lock, level) };
    set(level);
}
