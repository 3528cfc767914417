//! The dispatch routines: what the I/O manager calls for each IRP.

use core::ptr::NonNull;

use netio_anycast_protocol::status::NtStatus;
use wdk::paged_code;
use wdk_sys::{
    DEVICE_OBJECT, DRIVER_OBJECT, IRP, IRP_MJ_CLEANUP, IRP_MJ_CLOSE, IRP_MJ_CREATE, IRP_MJ_DEVICE_CONTROL,
    IRP_MJ_INTERNAL_DEVICE_CONTROL, NTSTATUS,
};

use crate::device::{self, Extension};
use crate::irp::{Dispatched, Irp};
use crate::irp_queue::Which;
use crate::netio::PassiveLevel;
use crate::open_file::OpenFile;
use crate::request;

/// Enters the dispatch routines into the driver object. The I/O manager answers every other major function with
/// STATUS_INVALID_DEVICE_REQUEST of its own accord.
///
/// IRQL: PASSIVE_LEVEL.
pub(crate) const fn register(driver: &mut DRIVER_OBJECT) {
    driver.MajorFunction[IRP_MJ_CREATE as usize] = Some(create);
    driver.MajorFunction[IRP_MJ_CLEANUP as usize] = Some(cleanup);
    driver.MajorFunction[IRP_MJ_CLOSE as usize] = Some(close);
    driver.MajorFunction[IRP_MJ_DEVICE_CONTROL as usize] = Some(device_control);
    driver.MajorFunction[IRP_MJ_INTERNAL_DEVICE_CONTROL as usize] = Some(internal_device_control);
}

/// IRP_MJ_CREATE: opens the device itself; there is nothing below it.
///
/// # Safety
/// Only the I/O manager may call it.
unsafe extern "C" fn create(device: *mut DEVICE_OBJECT, irp: *mut IRP) -> NTSTATUS {
    // SAFETY: this is the dispatch routine that the I/O manager called with both.
    unsafe { with_irp(device, irp, open) }
}

fn open(extension: &Extension, irp: Irp) -> Dispatched {
    paged_code!();
    let status = open_file(extension, &irp).err().unwrap_or(NtStatus::SUCCESS);
    irp.complete_with_status(status)
}

fn open_file(extension: &Extension, irp: &Irp) -> Result<(), NtStatus> {
    let file = irp.file_object().ok_or(NtStatus::INVALID_PARAMETER)?;
    if irp.file_name_length() != 0 {
        return Err(NtStatus::OBJECT_NAME_INVALID);
    }
    let handle = extension.engine.open(irp.process_id())?;
    // SAFETY: this is IRP_MJ_CREATE of the file object, and it comes once.
    unsafe { OpenFile::attach(file, handle) }.inspect_err(|_| {
        if let Some(level) = PassiveLevel::now() {
            extension.engine.close(level, handle);
        }
    })
}

/// IRP_MJ_CLEANUP: the last handle is closed. What pends ends, and what was leased goes.
///
/// # Safety
/// Only the I/O manager may call it.
unsafe extern "C" fn cleanup(device: *mut DEVICE_OBJECT, irp: *mut IRP) -> NTSTATUS {
    // SAFETY: this is the dispatch routine that the I/O manager called with both.
    unsafe { with_irp(device, irp, clean_up) }
}

fn clean_up(extension: &Extension, irp: Irp) -> Dispatched {
    paged_code!();
    if let (Some(file), Some(opened), Some(level)) = (irp.file_object(), irp.open_file(), PassiveLevel::now()) {
        // Before the queues are emptied: they take nothing of a program's any more then.
        opened.clean_up();
        while let Some(raised) = extension.raised_requests.remove(Which::OfFile(file)) {
            let _ = raised.complete_with_status(NtStatus::CANCELLED);
        }
        while let Some(waiting) = extension.waits.remove(Which::OfFile(file)) {
            let _ = waiting.complete(extension.engine.cancel_wait());
        }
        extension.engine.cleanup(level, opened.handle());
    }
    irp.complete_with_status(NtStatus::SUCCESS)
}

/// IRP_MJ_CLOSE: nobody has the file object any more. What a kernel caller has leased since the cleanup goes.
///
/// # Safety
/// Only the I/O manager may call it.
unsafe extern "C" fn close(device: *mut DEVICE_OBJECT, irp: *mut IRP) -> NTSTATUS {
    // SAFETY: this is the dispatch routine that the I/O manager called with both.
    unsafe { with_irp(device, irp, close_file) }
}

fn close_file(extension: &Extension, irp: Irp) -> Dispatched {
    paged_code!();
    if let (Some(file), Some(opened), Some(level)) = (irp.file_object(), irp.open_file(), PassiveLevel::now()) {
        extension.engine.close(level, opened.handle());
        // SAFETY: this is IRP_MJ_CLOSE of the file object, and `opened` is not used any more.
        unsafe { OpenFile::detach(file) };
    }
    irp.complete_with_status(NtStatus::SUCCESS)
}

/// IRP_MJ_DEVICE_CONTROL: an operation of the contract. IRQL <= DISPATCH_LEVEL.
///
/// # Safety
/// Only the I/O manager may call it, or a driver in its place.
unsafe extern "C" fn device_control(device: *mut DEVICE_OBJECT, irp: *mut IRP) -> NTSTATUS {
    // SAFETY: this is the dispatch routine that was called with both.
    unsafe { with_irp(device, irp, request::dispatch) }
}

/// IRP_MJ_INTERNAL_DEVICE_CONTROL: the same, for other drivers alone. IRQL <= DISPATCH_LEVEL.
///
/// The I/O manager checks the access bits of control codes for IRP_MJ_DEVICE_CONTROL only, so that nothing is done here that was
/// asked for on behalf of a program.
///
/// # Safety
/// As for [`device_control`].
unsafe extern "C" fn internal_device_control(device: *mut DEVICE_OBJECT, irp: *mut IRP) -> NTSTATUS {
    let serve = |extension: &Extension, irp: Irp| {
        if irp.is_from_kernel_mode() {
            request::dispatch_internal(extension, irp)
        } else {
            irp.complete_with_status(NtStatus::INVALID_DEVICE_REQUEST)
        }
    };
    // SAFETY: this is the dispatch routine that was called with both.
    unsafe { with_irp(device, irp, serve) }
}

/// Runs one dispatch routine's work on the IRP that it was called with.
///
/// # Safety
/// As for [`Irp::from_dispatch`], and `device` is the control device.
#[inline(always)]
#[expect(clippy::inline_always, reason = "on the way of every request: docs/benchmarks.md")]
unsafe fn with_irp(
    device: *mut DEVICE_OBJECT,
    irp: *mut IRP,
    work: impl FnOnce(&Extension, Irp) -> Dispatched,
) -> NTSTATUS {
    // SAFETY: the I/O manager calls with the control device, the only one of this driver, and keeps it alive meanwhile.
    let extension = unsafe { device::extension(device) };
    // SAFETY: the I/O manager calls with an IRP.
    let irp = unsafe { NonNull::new_unchecked(irp) };
    // SAFETY: as the caller promises.
    let irp = unsafe { Irp::from_dispatch(irp) };
    work(extension, irp).status()
}
