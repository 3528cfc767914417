//! The modules' memory: the pool of the kernel host.

use core::alloc::{GlobalAlloc, Layout};
use core::ptr::null_mut;

use windows_sys::Wdk::Foundation::NonPagedPoolNx;
use windows_sys::Wdk::System::SystemServices::{ExAllocatePoolWithTag, ExFreePoolWithTag};

/// The pool tag, "NaWi" read as bytes.
pub const TAG: u32 = u32::from_le_bytes(*b"NaWi");
/// How pool memory is aligned on 64-bit systems.
const POOL_ALIGNMENT: usize = 16;

struct Pool;

// SAFETY: the pool's memory has the size asked for, is aligned to 16 bytes, which is checked, and is nobody else's.
unsafe impl GlobalAlloc for Pool {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if layout.align() > POOL_ALIGNMENT {
            return null_mut();
        }
        // SAFETY: any size and tag are allowed.
        unsafe { ExAllocatePoolWithTag(NonPagedPoolNx, layout.size(), TAG) }.cast()
    }

    unsafe fn dealloc(&self, memory: *mut u8, _layout: Layout) {
        // SAFETY: the memory came from `alloc`.
        unsafe { ExFreePoolWithTag(memory.cast(), TAG) };
    }
}

#[global_allocator]
static ALLOCATOR: Pool = Pool;
