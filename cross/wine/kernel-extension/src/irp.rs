//! Where things are in an IRP.

use windows_sys::Wdk::Foundation::{IO_STACK_LOCATION, IRP};

/// The stack location of the driver that has the IRP, as the inline function IoGetCurrentIrpStackLocation finds it.
///
/// # Safety
/// `irp` is an IRP that a driver has.
pub(crate) unsafe fn current_location(irp: *const IRP) -> *mut IO_STACK_LOCATION {
    // SAFETY: the IRP is alive, as the caller promises.
    let tail = unsafe { &(*irp).Tail };
    // SAFETY: `Overlay` is the member in use while a driver has the IRP.
    let overlay = unsafe { &tail.Overlay };
    // SAFETY: `PacketType`, which is beside it, is used after the completion only.
    unsafe { overlay.Anonymous2.Anonymous.CurrentStackLocation }
}
