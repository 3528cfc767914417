//! Drivers that open each other's devices. In Wine every name leads to the same device, which is none.
//!
//! Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-iogetdeviceobjectpointer>

use alloc::boxed::Box;
use core::ffi::c_void;

use windows_sys::Wdk::Foundation::{DEVICE_OBJECT, FILE_OBJECT, PETHREAD};
use windows_sys::Wdk::Storage::FileSystem::IoGetAttachedDevice;
use windows_sys::Wdk::System::SystemServices::ObfDereferenceObject;
use windows_sys::Win32::Foundation::{
    NTSTATUS, STATUS_NO_SUCH_DEVICE, STATUS_OBJECT_NAME_NOT_FOUND, STATUS_SUCCESS, UNICODE_STRING,
};
use wine_common::irp::{FileRequest, IRP_MJ_CLEANUP, IRP_MJ_CLOSE, IRP_MJ_CREATE, send};

use crate::cleanup::CLEANUP_COMPLETE;
use crate::name::Name;
use crate::{device_names, objects, unload};

#[link(name = "ntoskrnl.exe", kind = "raw-dylib", modifiers = "+verbatim")]
unsafe extern "system" {
    safe fn KeGetCurrentThread() -> PETHREAD;
}

/// IO_TYPE_FILE.
const FILE_TYPE: i16 = 5;
#[expect(clippy::cast_possible_truncation, clippy::cast_possible_wrap, reason = "the structure has 216 bytes")]
const FILE_OBJECT_SIZE: i16 = size_of::<FILE_OBJECT>() as i16;
const KERNEL_MODE: i8 = 0;

/// IoGetDeviceObjectPointer: opens the device, and closes the handle again, so that its driver gets IRP_MJ_CREATE and
/// IRP_MJ_CLEANUP. IRP_MJ_CLOSE comes with the file object's last reference, of which the caller has one.
///
/// # Safety
/// `name` is a valid string; `file` and `device` may be written.
#[unsafe(no_mangle)]
unsafe extern "system" fn extension_IoGetDeviceObjectPointer(
    name: *const UNICODE_STRING,
    _access: u32,
    file: *mut *mut FILE_OBJECT,
    device: *mut *mut DEVICE_OBJECT,
) -> NTSTATUS {
    // SAFETY: as the caller promises.
    let name = unsafe { Name::new(name) };
    let Some(found) = name.and_then(|name| device_names::find(&name)) else { return STATUS_OBJECT_NAME_NOT_FOUND };
    // SAFETY: the device is referenced.
    if !unsafe { unload::keep(found) } {
        // SAFETY: the reference of `device_names::find`, which is given up.
        unsafe { ObfDereferenceObject(found.cast()) };
        return STATUS_NO_SUCH_DEVICE;
    }
    let opened = objects::create(Box::new(file_object(found)), end_unopened);
    // SAFETY: the device is referenced.
    let top = unsafe { IoGetAttachedDevice(found) };
    // SAFETY: device and file object are referenced.
    let status = unsafe { send(top, request(IRP_MJ_CREATE, opened)) };
    if status != STATUS_SUCCESS {
        // SAFETY: the one reference, which nobody else has got to know.
        unsafe { objects::dereference(opened.cast()) };
        return status;
    }
    objects::set_end(opened.cast(), end);
    // SAFETY: device and file object are referenced. A driver can't refuse a CLEANUP.
    let _ = unsafe { send(top, request(IRP_MJ_CLEANUP, opened)) };
    // SAFETY: the file object is referenced; between CLEANUP and CLOSE the driver does not write its flags.
    unsafe { (*opened).Flags |= CLEANUP_COMPLETE };
    // SAFETY: as the caller promises.
    unsafe { file.write(opened) };
    // SAFETY: as the caller promises.
    unsafe { device.write(top) };
    STATUS_SUCCESS
}

fn file_object(device: *mut DEVICE_OBJECT) -> FILE_OBJECT {
    FILE_OBJECT { Type: FILE_TYPE, Size: FILE_OBJECT_SIZE, DeviceObject: device, ..FILE_OBJECT::default() }
}

/// A request of the kernel's about the file object.
fn request(major_function: u8, file: *mut FILE_OBJECT) -> FileRequest {
    FileRequest { major_function, file, requestor_mode: KERNEL_MODE, thread: KeGetCurrentThread() }
}

/// The end of a file object that was opened: CLOSE.
///
/// # Safety
/// `file` is a file object of this file's, which nobody uses any more.
unsafe fn end(file: *mut c_void) {
    let opened = file.cast::<FILE_OBJECT>();
    // SAFETY: the file object is alive.
    let bottom = unsafe { (*opened).DeviceObject };
    // SAFETY: the file object has a reference to its device.
    let device = unsafe { IoGetAttachedDevice(bottom) };
    // SAFETY: as above. Nothing can be done about a failure.
    let _ = unsafe { send(device, request(IRP_MJ_CLOSE, opened)) };
    // SAFETY: as the caller promises.
    unsafe { end_unopened(file) };
}

/// The end of a file object whose device has refused CREATE.
///
/// # Safety
/// As for [`end`].
unsafe fn end_unopened(file: *mut c_void) {
    // SAFETY: `IoGetDeviceObjectPointer` made it from a box, and its end comes once.
    let opened = unsafe { Box::from_raw(file.cast::<FILE_OBJECT>()) };
    // SAFETY: the device is referenced, and its driver was kept when it was found.
    unsafe { unload::release(opened.DeviceObject) };
    // SAFETY: the reference of `device_names::find`, which is given up.
    unsafe { ObfDereferenceObject(opened.DeviceObject.cast()) };
}
