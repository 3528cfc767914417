//! A value in pool, allocated fallibly: what `Box` would be if its constructor could say that there is no memory.

use alloc::alloc::{alloc, dealloc};
use core::alloc::Layout;
use core::ops::Deref;
use core::ptr::NonNull;

use netio_anycast_protocol::status::NtStatus;

/// A `T` in non-paged pool, freed when it is dropped.
pub(crate) struct PoolBox<T> {
    value: NonNull<T>,
}

// SAFETY: the box owns its value, as `Box` does.
unsafe impl<T: Send> Send for PoolBox<T> {}
// SAFETY: a shared box gives out shared references only.
unsafe impl<T: Sync> Sync for PoolBox<T> {}

impl<T> PoolBox<T> {
    const LAYOUT: Layout = {
        // The pool aligns to 16 bytes on 64-bit Windows, and wdk-alloc asks it for no more.
        // https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-exallocatepool2
        assert!(size_of::<T>() != 0 && align_of::<T>() <= 16);
        Layout::new::<T>()
    };

    /// Moves `value` into pool. IRQL <= DISPATCH_LEVEL.
    ///
    /// # Errors
    /// [`NtStatus::INSUFFICIENT_RESOURCES`]: there is no memory. The value is dropped then.
    pub(crate) fn try_new(value: T) -> Result<Self, NtStatus> {
        // SAFETY: the layout's size is not zero (asserted above).
        let memory = unsafe { alloc(Self::LAYOUT) };
        let place = NonNull::new(memory.cast::<T>()).ok_or(NtStatus::INSUFFICIENT_RESOURCES)?;
        // SAFETY: the memory was just allocated with `T`'s layout.
        unsafe { place.write(value) };
        Ok(Self { value: place })
    }

    /// Gives the value up to whoever turns the pointer back with [`PoolBox::from_raw`].
    pub(crate) const fn into_raw(self) -> NonNull<T> {
        let value = self.value;
        core::mem::forget(self);
        value
    }

    /// Takes back what [`PoolBox::into_raw`] gave up.
    ///
    /// # Safety
    /// `value` came from [`PoolBox::into_raw`], nothing uses it any more, and it is taken back once.
    pub(crate) const unsafe fn from_raw(value: NonNull<T>) -> Self {
        Self { value }
    }
}

impl<T> Deref for PoolBox<T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: the box owns the value, which lives as long as it.
        unsafe { self.value.as_ref() }
    }
}

impl<T> Drop for PoolBox<T> {
    fn drop(&mut self) {
        // SAFETY: the box owns the value, and this is its end.
        unsafe { self.value.drop_in_place() };
        // SAFETY: allocated in `try_new` with the same layout, and freed once.
        unsafe { dealloc(self.value.as_ptr().cast(), Self::LAYOUT) };
    }
}
