//! The services of the kernel, as the engine asks for them.

use core::ptr::NonNull;

use netio_anycast_engine::{Kernel, TraceEvent};
use wdk_sys::ntddk::KeQueryInterruptTimePrecise;

use crate::device::Extension;
use crate::event::KernelEvent;
use crate::pool_block::PoolBlock;
use crate::push_lock::PushLock;
use crate::{change_waits, trace, trace_provider};

/// This kernel, for the engine of one device.
pub(crate) struct KernelServices {
    /// The device extension that has the engine. It is not there yet while the engine is made.
    extension: NonNull<Extension>,
}

// SAFETY: the extension may be shared, and outlives the engine that it has.
unsafe impl Send for KernelServices {}
// SAFETY: as above.
unsafe impl Sync for KernelServices {}

/// The interrupt time's unit, 100 nanoseconds, in a millisecond.
const UNITS_IN_A_MILLISECOND: u64 = 10_000;

impl KernelServices {
    /// For the engine that is to be put into this extension.
    pub(crate) const fn new(extension: NonNull<Extension>) -> Self {
        Self { extension }
    }

    fn extension(&self) -> &Extension {
        // SAFETY: the engine asks for what needs it only when it has its place there.
        unsafe { self.extension.as_ref() }
    }
}

impl Kernel for KernelServices {
    type Block<T: Default + Send> = PoolBlock<T>;
    type Lock<T: Send> = PushLock<T>;
    type Event = KernelEvent;

    fn allocate<T: Default + Send>(&self, count: usize) -> Option<PoolBlock<T>> {
        PoolBlock::try_new(count)
    }

    fn lock<T: Send>(&self, value: T) -> Option<PushLock<T>> {
        PushLock::try_new(value)
    }

    fn event(&self) -> Option<KernelEvent> {
        KernelEvent::try_new()
    }

    fn now(&self) -> u64 {
        let mut performance_counter = 0;
        // SAFETY: the place lives through the call; any IRQL.
        let time = unsafe { KeQueryInterruptTimePrecise(&raw mut performance_counter) };
        time / UNITS_IN_A_MILLISECOND
    }

    fn defer(&self, delay: u64) {
        self.extension().deferred_work.set(delay);
    }

    fn wake_waits(&self) {
        change_waits::complete_those_over(self.extension());
    }

    fn is_tracing(&self) -> bool {
        trace_provider::is_enabled()
    }

    fn trace(&self, event: &TraceEvent) {
        trace::write(event);
    }
}
