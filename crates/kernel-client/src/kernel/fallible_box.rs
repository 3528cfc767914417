//! `Box::new` that can say that there is no memory.

use alloc::alloc::alloc;
use alloc::boxed::Box;
use core::alloc::Layout;
use core::ptr::NonNull;

use netio_anycast_protocol::status::NtStatus;

/// Moves `value` into memory of the global allocator's. IRQL <= DISPATCH_LEVEL, if the allocator's memory is non-paged pool.
///
/// # Errors
/// [`NtStatus::INSUFFICIENT_RESOURCES`]: there is no memory. The value is dropped then.
pub(super) fn try_box<T>(value: T) -> Result<Box<T>, NtStatus> {
    // The pool aligns to 16 bytes on 64-bit Windows, and wdk-alloc asks it for no more.
    // https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-exallocatepool2
    const { assert!(align_of::<T>() <= 16) };
    let place = if size_of::<T>() == 0 {
        NonNull::dangling()
    } else {
        // SAFETY: the layout's size is not zero.
        let memory = unsafe { alloc(Layout::new::<T>()) };
        NonNull::new(memory.cast::<T>()).ok_or(NtStatus::INSUFFICIENT_RESOURCES)?
    };
    // SAFETY: the memory was just allocated with `T`'s layout, or `T` needs none.
    unsafe { place.write(value) };
    // SAFETY: the memory is the global allocator's, of `T`'s layout, and holds a `T`; or `T` needs none.
    Ok(unsafe { Box::from_raw(place.as_ptr()) })
}
