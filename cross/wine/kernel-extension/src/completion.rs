//! Completion routines that the I/O manager protects. Wine has a stub for the function.
//!
//! Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-iosetcompletionroutineex>

use alloc::boxed::Box;
use core::ffi::c_void;
use core::mem::transmute;

use windows_sys::Wdk::Foundation::{DEVICE_OBJECT, IRP};
use windows_sys::Wdk::System::SystemServices::{ObfDereferenceObject, ObfReferenceObject};
use windows_sys::Win32::Foundation::{NTSTATUS, STATUS_SUCCESS};
use wine_common::irp::{CompletionRoutine, current_location};

/// SL_INVOKE_ON_CANCEL, SL_INVOKE_ON_SUCCESS and SL_INVOKE_ON_ERROR.
const ON_CANCEL: u8 = 0x20;
const ON_SUCCESS: u8 = 0x40;
const ON_ERROR: u8 = 0x80;

/// What a protected routine is called with, and what is kept until it has returned.
struct Protected {
    device: *const DEVICE_OBJECT,
    routine: CompletionRoutine,
    context: *mut c_void,
}

/// IoSetCompletionRoutineEx: keeps the device until the routine has returned.
///
/// # Safety
/// The device is the caller's own; the IRP has a next location, and is sent next.
#[unsafe(no_mangle)]
unsafe extern "system" fn extension_IoSetCompletionRoutineEx(
    device: *const DEVICE_OBJECT,
    irp: *mut IRP,
    routine: CompletionRoutine,
    context: *mut c_void,
    on_success: bool,
    on_error: bool,
    on_cancel: bool,
) -> NTSTATUS {
    let protected = Box::into_raw(Box::new(Protected { device, routine, context }));
    // SAFETY: the device is alive, and released in `call`.
    let _ = unsafe { ObfReferenceObject(device.cast()) };
    // SAFETY: the caller has the IRP.
    let current = unsafe { current_location(irp) };
    // SAFETY: the IRP has a next location, as the caller promises.
    let next = unsafe { current.sub(1) };
    // SAFETY: the location is the caller's to fill in.
    let next = unsafe { &mut *next };
    let wanted = [(on_success, ON_SUCCESS), (on_error, ON_ERROR), (on_cancel, ON_CANCEL)];
    next.Control = wanted.iter().filter(|(wanted, _)| *wanted).fold(0, |control, (_, flag)| control | flag);
    // SAFETY: the type that windows-sys declares stands for this one.
    let call = unsafe { transmute::<CompletionRoutine, unsafe extern "system" fn() -> NTSTATUS>(call) };
    next.CompletionRoutine = Some(call);
    next.Context = protected.cast();
    STATUS_SUCCESS
}

/// Calls a protected routine, and releases what it was protected with.
///
/// # Safety
/// `protected` is what [`extension_IoSetCompletionRoutineEx`] has made, and comes once.
unsafe extern "system" fn call(device: *const DEVICE_OBJECT, irp: *const IRP, protected: *mut c_void) -> NTSTATUS {
    // SAFETY: it came out of a box, and is put back once.
    let protected = unsafe { Box::from_raw(protected.cast::<Protected>()) };
    // SAFETY: these are the arguments that the driver's routine would have been called with.
    let status = unsafe { (protected.routine)(device, irp, protected.context) };
    // SAFETY: the device was referenced, and is released once.
    let _ = unsafe { ObfDereferenceObject(protected.device.cast()) };
    status
}
