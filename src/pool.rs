//! ExAllocatePool2 for every Windows that the driver supports.
//!
//! `wdk-alloc` calls ExAllocatePool2, which ntoskrnl exports since Windows 10 version 2004 only. An image that imports it
//! does not load on Windows Server 2019. This module defines a function of that name, which the linker prefers to the
//! import library's, looks the kernel's own up when the driver is loaded, and falls back to the older function.
//!
//! Source: <https://learn.microsoft.com/windows-hardware/drivers/kernel/updating-deprecated-exallocatepool-calls>

use core::ffi::c_void;
use core::mem::transmute;
use core::ptr::null_mut;
use core::sync::atomic::{AtomicPtr, Ordering};

use wdk_sys::_POOL_TYPE::NonPagedPoolNx;
use wdk_sys::ntddk::MmGetSystemRoutineAddress;
use wdk_sys::{POOL_FLAGS, PVOID, SIZE_T, ULONG};

use crate::bindings::ExAllocatePoolWithTag;
use crate::unicode_string::{unicode_string, utf16};

/// The kernel's ExAllocatePool2, or null if it has none or [`initialize`] has not run.
static KERNEL_ALLOCATE_POOL2: AtomicPtr<c_void> = AtomicPtr::new(null_mut());

type AllocatePool2 = unsafe extern "C" fn(POOL_FLAGS, SIZE_T, ULONG) -> PVOID;

/// Looks the kernel's ExAllocatePool2 up. IRQL: PASSIVE_LEVEL, as MmGetSystemRoutineAddress asks.
pub(crate) fn initialize() {
    static NAME: [u16; 15] = utf16("ExAllocatePool2");
    let mut name = unicode_string(&NAME);
    // SAFETY: PASSIVE_LEVEL; the name lives through the call.
    let routine = unsafe { MmGetSystemRoutineAddress(&raw mut name) };
    KERNEL_ALLOCATE_POOL2.store(routine, Ordering::Relaxed);
}

/// ExAllocatePool2 as `wdk-alloc` calls it: zeroed non-paged pool.
///
/// The fallback serves the one pool that `wdk-alloc` asks for, POOL_FLAG_NON_PAGED.
///
/// # Safety
/// As for the kernel's own: IRQL <= DISPATCH_LEVEL.
#[unsafe(no_mangle)]
unsafe extern "C" fn ExAllocatePool2(flags: POOL_FLAGS, bytes: SIZE_T, tag: ULONG) -> PVOID {
    let routine = KERNEL_ALLOCATE_POOL2.load(Ordering::Relaxed);
    if routine.is_null() {
        // SAFETY: as the caller promises.
        return unsafe { allocate_zeroed_non_paged(bytes, tag) };
    }
    // SAFETY: the kernel exports a function of this type under the name that was looked up.
    let allocate_pool2 = unsafe { transmute::<*mut c_void, AllocatePool2>(routine) };
    // SAFETY: as the caller promises.
    unsafe { allocate_pool2(flags, bytes, tag) }
}

/// What ExAllocatePool2 does for POOL_FLAG_NON_PAGED, on a kernel that lacks it.
///
/// # Safety
/// IRQL <= DISPATCH_LEVEL.
unsafe fn allocate_zeroed_non_paged(bytes: SIZE_T, tag: ULONG) -> PVOID {
    // SAFETY: IRQL <= DISPATCH_LEVEL, as the caller promises, is what non-paged pool asks for.
    let memory = unsafe { ExAllocatePoolWithTag(NonPagedPoolNx, bytes, tag) };
    if !memory.is_null() {
        #[expect(clippy::cast_possible_truncation, reason = "SIZE_T is as wide as a pointer")]
        let length = bytes as usize;
        // SAFETY: the memory was just allocated with this length.
        unsafe { memory.cast::<u8>().write_bytes(0, length) };
    }
    memory
}
