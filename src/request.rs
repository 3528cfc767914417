//! A device control: served at once at PASSIVE_LEVEL, by a work item otherwise.

use netio_anycast_protocol::interface::QUERY_INTERFACE;

use crate::device::Extension;
use crate::irp::{Dispatched, Irp};
use crate::netio::PassiveLevel;
use crate::{change_waits, direct_calls, raised_requests};

/// Takes a request at the IRQL at which it came. IRQL <= DISPATCH_LEVEL.
#[inline(always)]
#[expect(clippy::inline_always, reason = "on the way of every request: docs/benchmarks.md")]
pub(crate) fn dispatch(extension: &Extension, irp: Irp) -> Dispatched {
    match PassiveLevel::now() {
        Some(level) => serve(extension, level, irp),
        None => raised_requests::pend(extension, irp),
    }
}

/// The same for a request that came from another driver by IRP_MJ_INTERNAL_DEVICE_CONTROL, which alone carries QUERY_INTERFACE.
pub(crate) fn dispatch_internal(extension: &Extension, irp: Irp) -> Dispatched {
    match PassiveLevel::now() {
        Some(level) => serve_internal(extension, level, irp),
        None => raised_requests::pend(extension, irp),
    }
}

/// Serves a request, whichever way it came.
pub(crate) fn serve_either(extension: &Extension, level: PassiveLevel, irp: Irp) -> Dispatched {
    if irp.is_internal() { serve_internal(extension, level, irp) } else { serve(extension, level, irp) }
}

fn serve_internal(extension: &Extension, level: PassiveLevel, mut irp: Irp) -> Dispatched {
    if irp.control_code() == QUERY_INTERFACE {
        let completion = direct_calls::query(extension, &mut irp);
        return irp.complete(completion);
    }
    serve(extension, level, irp)
}

/// Has the engine serve a request.
#[inline(always)]
#[expect(clippy::inline_always, reason = "on the way of every request: docs/benchmarks.md")]
fn serve(extension: &Extension, level: PassiveLevel, mut irp: Irp) -> Dispatched {
    let (handle, control_code) = (irp.handle(), irp.control_code());
    let completion = extension.engine.serve(level, handle, control_code, irp.buffer());
    match completion.pending() {
        None => irp.complete(completion),
        Some(wait) => change_waits::pend(extension, wait, irp),
    }
}
