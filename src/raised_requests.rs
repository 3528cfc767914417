//! Requests of kernel callers above PASSIVE_LEVEL: they pend, and a work item serves each.

use netio_anycast_protocol::status::NtStatus;
use wdk_sys::{DEVICE_OBJECT, PVOID};

use crate::device::{self, Extension};
use crate::irp::{Dispatched, Irp};
use crate::irp_queue::{IrpQueue, Which};
use crate::netio::PassiveLevel;
use crate::request;
use crate::work_item::WorkItem;

/// Has a request pend until a work item serves it. IRQL <= DISPATCH_LEVEL.
#[cold]
pub(crate) fn pend(extension: &Extension, irp: Irp) -> Dispatched {
    let Some(share) = extension.rundown.acquire() else {
        return irp.complete_with_status(NtStatus::DEVICE_NOT_READY);
    };
    let Some(item) = WorkItem::allocate(extension.device) else {
        return irp.complete_with_status(NtStatus::INSUFFICIENT_RESOURCES);
    };
    match extension.raised_requests.insert(irp) {
        Err((irp, status)) => irp.complete_with_status(status),
        Ok(pended) => {
            share.keep();
            // SAFETY: the share keeps what the routine needs.
            unsafe { item.queue_itself(serve_one) };
            pended
        }
    }
}

/// The work item's routine: serves one request, unless it was cancelled.
///
/// # Safety
/// Only the I/O manager may call it, with the control device and the work item.
unsafe extern "C" fn serve_one(device: *mut DEVICE_OBJECT, item: PVOID) {
    // SAFETY: the I/O manager calls with the device that the work item is for, and the share below keeps what it carries.
    let extension = unsafe { device::extension(device) };
    // SAFETY: `pend` has kept one for this call.
    let _share = unsafe { extension.rundown.take_over() };
    // SAFETY: `pend` has queued it for itself with this routine.
    let _item = unsafe { WorkItem::from_raw(item) };
    let Some(irp) = extension.raised_requests.remove(Which::First) else { return };
    let _ = match PassiveLevel::now() {
        Some(level) => request::serve_either(extension, level, irp),
        None => irp.complete_with_status(NtStatus::INVALID_DEVICE_STATE),
    };
}

/// Ends a request that was cancelled.
pub(crate) fn complete_cancelled(_queue: &IrpQueue, irp: Irp) {
    let _ = irp.complete_with_status(NtStatus::CANCELLED);
}
