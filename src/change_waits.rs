//! WAIT_CHANGE requests that pend.

use core::mem::offset_of;
use core::ptr::from_ref;

use netio_anycast_engine::Wait;

use crate::device::Extension;
use crate::irp::{Dispatched, Irp};
use crate::irp_queue::{IrpQueue, Which};

/// Has a request pend that the engine says is to wait. IRQL: PASSIVE_LEVEL.
#[cold]
pub(crate) fn pend(extension: &Extension, wait: Wait, mut irp: Irp) -> Dispatched {
    // Once it is in the queue it may be completed, its file closed and the driver unloaded, but for this share.
    let Some(_share) = extension.rundown.acquire() else { return irp.complete(extension.engine.cancel_wait()) };
    irp.set_wait(wait);
    match extension.waits.insert(irp) {
        Err((irp, _cancelled)) => irp.complete(extension.engine.cancel_wait()),
        Ok(pended) => {
            // The change may have come before it was in the queue.
            if extension.engine.is_over(wait) {
                complete_those_over(extension);
            }
            pended
        }
    }
}

/// Completes every pending request that is over. IRQL: PASSIVE_LEVEL.
pub(crate) fn complete_those_over(extension: &Extension) {
    let which = Which::WaitingForOtherThan(extension.engine.generation());
    while let Some(mut irp) = extension.waits.remove(which) {
        let completion = extension.engine.finish_wait(irp.buffer());
        let _ = irp.complete(completion);
    }
}

/// Ends a request that was cancelled. IRQL <= DISPATCH_LEVEL.
pub(crate) fn complete_cancelled(queue: &IrpQueue, irp: Irp) {
    // SAFETY: the queue of waits is that member of an extension.
    let extension = unsafe { from_ref(queue).byte_sub(offset_of!(Extension, waits)) }.cast::<Extension>();
    // SAFETY: the extension lives while a request pends in its queue.
    let extension = unsafe { &*extension };
    let _ = irp.complete(extension.engine.cancel_wait());
}
