//! A copy of a driver's stack, as it was when a call was given up: from then on the simulator uses that stack itself.

use std::cell::{Cell, UnsafeCell};

/// As much of the stack is kept.
const LENGTH: usize = 32 << 10;

thread_local! {
    /// Where the copied stack begins. Const and without a destructor, as the copy, so that a signal handler may use it.
    static START: Cell<usize> = const { Cell::new(0) };
    static COPY: UnsafeCell<[u8; LENGTH]> = const { UnsafeCell::new([0; LENGTH]) };
}

/// Copies this thread's stack from `start` to `end`, or as much as is kept.
///
/// # Safety
/// It is this thread's stack, and readable.
pub(super) unsafe fn keep(start: usize, end: usize) {
    let length = end.saturating_sub(start).min(LENGTH);
    START.set(start);
    COPY.with(|copy| {
        let place = copy.get().cast::<u8>();
        // SAFETY: the copy is as long, and nobody else's; the stack is as the caller promises.
        unsafe { place.copy_from_nonoverlapping(start as *const u8, length) };
    });
}

/// The word that stood at an address of the stack; `None` if it was not kept.
pub(crate) fn word(address: usize) -> Option<usize> {
    let offset = address.checked_sub(START.get()).filter(|offset| offset + size_of::<usize>() <= LENGTH)?;
    COPY.with(|copy| {
        // SAFETY: nobody writes to the copy but this thread, in `keep`.
        let bytes = unsafe { &*copy.get() };
        bytes.get(offset..)?.first_chunk().map(|bytes| usize::from_ne_bytes(*bytes))
    })
}
