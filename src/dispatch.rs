//! The dispatch routines: what the I/O manager calls for each IRP.

use core::ptr::NonNull;

use netio_anycast_protocol::status::NtStatus;
use wdk::paged_code;
use wdk_sys::{
    DEVICE_OBJECT, DRIVER_OBJECT, IRP, IRP_MJ_CLEANUP, IRP_MJ_CLOSE, IRP_MJ_CREATE, IRP_MJ_DEVICE_CONTROL, NTSTATUS,
};

use crate::device;
use crate::irp::{Completed, Irp};

/// Enters the dispatch routines into the driver object. The I/O manager answers every other major function with
/// STATUS_INVALID_DEVICE_REQUEST of its own accord.
///
/// IRQL: PASSIVE_LEVEL.
pub(crate) const fn register(driver: &mut DRIVER_OBJECT) {
    driver.MajorFunction[IRP_MJ_CREATE as usize] = Some(create);
    driver.MajorFunction[IRP_MJ_CLEANUP as usize] = Some(cleanup_or_close);
    driver.MajorFunction[IRP_MJ_CLOSE as usize] = Some(cleanup_or_close);
    driver.MajorFunction[IRP_MJ_DEVICE_CONTROL as usize] = Some(device_control);
}

/// IRP_MJ_CREATE: opens the device itself; there is nothing below it.
///
/// # Safety
/// Only the I/O manager may call it.
unsafe extern "C" fn create(_device: *mut DEVICE_OBJECT, irp: *mut IRP) -> NTSTATUS {
    // SAFETY: this is the dispatch routine that the I/O manager called with the IRP.
    unsafe { with_irp(irp, open) }
}

fn open(irp: Irp) -> Completed {
    paged_code!();
    let status = match irp.file_name_length() {
        0 => NtStatus::SUCCESS,
        _ => NtStatus::OBJECT_NAME_INVALID,
    };
    irp.complete_with_status(status)
}

/// IRP_MJ_CLEANUP and IRP_MJ_CLOSE: a handle holds nothing, so there is nothing to give back.
///
/// # Safety
/// Only the I/O manager may call it.
unsafe extern "C" fn cleanup_or_close(_device: *mut DEVICE_OBJECT, irp: *mut IRP) -> NTSTATUS {
    // SAFETY: this is the dispatch routine that the I/O manager called with the IRP.
    unsafe { with_irp(irp, |irp| irp.complete_with_status(NtStatus::SUCCESS)) }
}

/// IRP_MJ_DEVICE_CONTROL: an operation of the contract.
///
/// # Safety
/// Only the I/O manager may call it.
unsafe extern "C" fn device_control(device: *mut DEVICE_OBJECT, irp: *mut IRP) -> NTSTATUS {
    // SAFETY: the I/O manager calls with the control device, the only one of this driver, and keeps it alive meanwhile.
    let engine = unsafe { device::engine(device) };
    let serve = |mut irp: Irp| {
        let completion = engine.serve(irp.control_code(), irp.buffer());
        irp.complete(completion)
    };
    // SAFETY: this is the dispatch routine that the I/O manager called with the IRP.
    unsafe { with_irp(irp, serve) }
}

/// Runs one dispatch routine's work on the IRP that it was called with.
///
/// # Safety
/// As for [`Irp::from_dispatch`].
unsafe fn with_irp(irp: *mut IRP, work: impl FnOnce(Irp) -> Completed) -> NTSTATUS {
    // SAFETY: the I/O manager calls with an IRP.
    let irp = unsafe { NonNull::new_unchecked(irp) };
    // SAFETY: as the caller promises.
    let irp = unsafe { Irp::from_dispatch(irp) };
    work(irp).dispatch_status()
}
