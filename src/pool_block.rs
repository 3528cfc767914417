//! Several values in pool, allocated fallibly: what `Vec` would be if it could say that there is no memory.

use alloc::alloc::{alloc, dealloc};
use core::alloc::Layout;
use core::ptr::NonNull;

/// Values in non-paged pool, freed when they are dropped.
pub(crate) struct PoolBlock<T> {
    first: NonNull<T>,
    count: usize,
}

// SAFETY: the block owns its values, as a `Vec` does.
unsafe impl<T: Send> Send for PoolBlock<T> {}
// SAFETY: a shared block gives out shared references to its values only.
unsafe impl<T: Sync> Sync for PoolBlock<T> {}

impl<T: Default> PoolBlock<T> {
    /// `count` values, each the default. `None` if there is no memory, or if `count` is zero. IRQL <= DISPATCH_LEVEL.
    pub(crate) fn try_new(count: usize) -> Option<Self> {
        let layout = layout::<T>(count)?;
        // SAFETY: the layout's size is not zero (`layout` sees to it).
        let memory = unsafe { alloc(layout) };
        let first = NonNull::new(memory.cast::<T>())?;
        for position in 0..count {
            // SAFETY: the memory was allocated for `count` values.
            let place = unsafe { first.add(position) };
            // SAFETY: as above, and the place is aligned as the layout asks.
            unsafe { place.write(T::default()) };
        }
        Some(Self { first, count })
    }
}

impl<T> PoolBlock<T> {
    /// Takes over values whose block was forgotten.
    ///
    /// # Safety
    /// `first` is the first of the `count` values of a block that was forgotten, and is taken over once.
    pub(crate) const unsafe fn from_raw(first: *mut T, count: usize) -> Self {
        // SAFETY: as the caller promises, it is that of a block.
        Self { first: unsafe { NonNull::new_unchecked(first) }, count }
    }
}

/// The layout of `count` values, if it is one that the pool gives: not empty, and aligned to no more than 16 bytes.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-exallocatepool2>
fn layout<T>(count: usize) -> Option<Layout> {
    const { assert!(align_of::<T>() <= 16) };
    Layout::array::<T>(count).ok().filter(|layout| layout.size() != 0)
}

impl<T> AsRef<[T]> for PoolBlock<T> {
    fn as_ref(&self) -> &[T] {
        // SAFETY: the block has `count` values, and lives as long as it is borrowed.
        unsafe { core::slice::from_raw_parts(self.first.as_ptr(), self.count) }
    }
}

impl<T> AsMut<[T]> for PoolBlock<T> {
    fn as_mut(&mut self) -> &mut [T] {
        // SAFETY: as in `as_ref`, and the block is borrowed mutably.
        unsafe { core::slice::from_raw_parts_mut(self.first.as_ptr(), self.count) }
    }
}

impl<T> Drop for PoolBlock<T> {
    fn drop(&mut self) {
        let values = core::ptr::slice_from_raw_parts_mut(self.first.as_ptr(), self.count);
        // SAFETY: the block owns the values, and this is their end.
        unsafe { values.drop_in_place() };
        if let Some(layout) = layout::<T>(self.count) {
            // SAFETY: allocated in `try_new` with the same layout, and freed once.
            unsafe { dealloc(self.first.as_ptr().cast(), layout) };
        }
    }
}
