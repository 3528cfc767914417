//! The IRQL of the processor.

use wdk_sys::ntddk::KeGetCurrentIrql;
use wdk_sys::{DISPATCH_LEVEL, PASSIVE_LEVEL};

/// Whether everything may be called now.
pub(super) fn is_passive_level() -> bool {
    current() == PASSIVE_LEVEL
}

/// Whether a thread may wait now.
pub(super) fn may_wait() -> bool {
    current() < DISPATCH_LEVEL
}

fn current() -> u32 {
    // SAFETY: KeGetCurrentIrql may be called at any IRQL and changes nothing.
    u32::from(unsafe { KeGetCurrentIrql() })
}
