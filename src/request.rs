//! A device control: served at once at PASSIVE_LEVEL, by a work item otherwise.

use netio_anycast_engine::Answer;
use netio_anycast_protocol::interface::QUERY_INTERFACE;

use crate::device::Extension;
use crate::irp::{Dispatched, Irp};
use crate::netio::PassiveLevel;
use crate::{change_waits, direct_calls, raised_requests};

/// Takes a request at the IRQL at which it came. IRQL <= DISPATCH_LEVEL.
#[inline]
pub(crate) fn dispatch(extension: &Extension, irp: Irp) -> Dispatched {
    match PassiveLevel::now() {
        Some(level) => serve(extension, level, irp),
        None => raised_requests::pend(extension, irp),
    }
}

/// Has the engine serve a request.
#[inline]
pub(crate) fn serve(extension: &Extension, level: PassiveLevel, mut irp: Irp) -> Dispatched {
    let (handle, control_code) = (irp.handle(), irp.control_code());
    if control_code == QUERY_INTERFACE && irp.is_internal() {
        let completion = direct_calls::query(extension, &mut irp);
        return irp.complete(completion);
    }
    match extension.engine.serve(level, handle, control_code, &mut irp.buffer()) {
        Answer::Complete(completion) => irp.complete(completion),
        Answer::Pend(wait) => change_waits::pend(extension, wait, irp),
    }
}
