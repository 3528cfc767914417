//! Completion routines that keep their driver loaded, which Wine lacks.
//!
//! Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-iosetcompletionroutineex>

use alloc::boxed::Box;
use core::ffi::c_void;
use core::mem::transmute;

use windows_sys::Wdk::Foundation::{DEVICE_OBJECT, IRP};
use windows_sys::Wdk::System::SystemServices::{ObfDereferenceObject, ObfReferenceObject};
use windows_sys::Win32::Foundation::{NTSTATUS, STATUS_SUCCESS};
use wine_common::irp::{CompletionRoutine, INVOKE_ALWAYS, current_location, next_location};

/// What the routine of this module is called with.
struct Protected {
    /// The driver's device, which is referenced.
    device: *mut DEVICE_OBJECT,
    routine: CompletionRoutine,
    context: *mut c_void,
    on_success: bool,
    on_error: bool,
    on_cancel: bool,
}

/// IoSetCompletionRoutineEx.
///
/// # Safety
/// The device is the caller's own, the IRP is one that the caller sends on, and `routine` may be called with `context`.
#[unsafe(no_mangle)]
unsafe extern "system" fn extension_IoSetCompletionRoutineEx(
    device: *mut DEVICE_OBJECT,
    irp: *mut IRP,
    routine: CompletionRoutine,
    context: *mut c_void,
    on_success: bool,
    on_error: bool,
    on_cancel: bool,
) -> NTSTATUS {
    // SAFETY: the device is alive.
    unsafe { ObfReferenceObject(device.cast()) };
    let protected = Box::new(Protected { device, routine, context, on_success, on_error, on_cancel });
    // SAFETY: whoever sends an IRP on has a location left.
    let next = unsafe { next_location(irp) };
    // SAFETY: as above, and nobody else has the IRP.
    let next = unsafe { &mut *next };
    // SAFETY: the type that windows-sys declares stands for this one.
    let own = unsafe { transmute::<CompletionRoutine, unsafe extern "system" fn() -> NTSTATUS>(call) };
    next.CompletionRoutine = Some(own);
    next.Context = Box::into_raw(protected).cast();
    next.Control = INVOKE_ALWAYS;
    STATUS_SUCCESS
}

/// The routine in the IRP: calls the driver's, then lets its device go.
///
/// # Safety
/// `context` is what [`extension_IoSetCompletionRoutineEx`] has put beside it, and it is called once.
unsafe extern "system" fn call(device: *const DEVICE_OBJECT, irp: *const IRP, context: *mut c_void) -> NTSTATUS {
    // SAFETY: it came from a box.
    let protected = unsafe { Box::from_raw(context.cast::<Protected>()) };
    // SAFETY: the IRP is alive.
    let request = unsafe { &*irp };
    // SAFETY: this member is always the one in use.
    let succeeded = unsafe { request.IoStatus.Anonymous.Status } >= 0;
    let cancelled = request.Cancel;
    let is_wanted =
        if succeeded { protected.on_success } else { protected.on_error } || cancelled && protected.on_cancel;
    let status = if is_wanted {
        // SAFETY: the driver has set it for this IRP, and its device keeps it loaded.
        unsafe { (protected.routine)(device, irp, protected.context) }
    } else {
        // SAFETY: the IRP is alive.
        unsafe { pass_on_pending(irp) };
        STATUS_SUCCESS
    };
    // SAFETY: the reference that was taken when the routine was set.
    unsafe { ObfDereferenceObject(protected.device.cast()) };
    status
}

/// Does what the I/O manager does where there is no completion routine: tells the driver above that the IRP was pending.
///
/// # Safety
/// The IRP is being completed.
unsafe fn pass_on_pending(irp: *const IRP) {
    const PENDING_RETURNED: u8 = 0x01;
    // SAFETY: as the caller promises.
    let Some(request) = (unsafe { irp.as_ref() }) else { return };
    if request.PendingReturned && request.CurrentLocation <= request.StackCount {
        // SAFETY: the IRP has a current location, since it is not above the last one.
        let location = unsafe { current_location(irp) };
        // SAFETY: as above.
        unsafe { (*location).Control |= PENDING_RETURNED };
    }
}
