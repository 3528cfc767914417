//! Drivers that open devices.

use std::sync::Arc;

use netio_anycast_protocol::status::NtStatus;

use super::pool;
use crate::core::{Core, Object};
use crate::layout::{ObjectAttributes, StatusBlock};
use crate::objects::DEFAULT_TAG;
use crate::security::{Caller, DesiredAccess};
use crate::violation::Rule;
use crate::{crash, driver_memory, processor};

/// `FILE_OPENED`, the information of an open that has succeeded.
const OPENED: usize = 1;

/// `IoGetDeviceObjectPointer`: opens the device, refers to the file object, and closes the handle again. So IRP_MJ_CLEANUP comes
/// at once, and IRP_MJ_CLOSE when the file object is dereferenced.
///
/// # Safety
/// Only the driver may call it, with a name and room for two pointers.
pub(super) unsafe extern "win64" fn device_object_pointer(
    name: usize,
    access: u32,
    file_object: usize,
    device_object: usize,
) -> i32 {
    // SAFETY: as the driver vouches.
    let result = unsafe { open_for_pointer(name, access) };
    // SAFETY: what is here needs not be dropped.
    unsafe { crash::propagate() };
    match result {
        Ok((file, device)) => {
            // SAFETY: as the driver vouches.
            unsafe { driver_memory::write(file_object, file) };
            // SAFETY: as the driver vouches.
            unsafe { driver_memory::write(device_object, device) };
            NtStatus::SUCCESS.0
        }
        Err(status) => status.0,
    }
}

/// Opens a device by name, and returns the addresses of its file object, referenced, and of the device.
///
/// # Safety
/// The driver vouches for the name.
unsafe fn open_for_pointer(name: usize, access: u32) -> Result<(usize, usize), NtStatus> {
    let core = processor::core();
    if core.fault() {
        return Err(pool::NO_MEMORY);
    }
    // SAFETY: as the caller promises.
    let path = unsafe { driver_memory::string(name) };
    let handle = core.open(&path, &caller(), DesiredAccess::from_bits(access))?;
    core.reference_object(handle.file, DEFAULT_TAG);
    core.close_handle(handle);
    let device = core.state().file(handle.file).map_or(0, |(device, _)| device);
    Ok((handle.file, device))
}

/// A driver, in the thread in which it runs.
fn caller() -> Caller {
    Caller::driver().of(processor::context().process)
}

/// `IoGetRelatedDeviceObject`: the device of a file object.
///
/// # Safety
/// Only the driver may call it.
pub(super) unsafe extern "win64" fn related_device(file: usize) -> usize {
    let core = processor::core();
    let device = core.state().file(file).map(|(device, _)| device);
    device.unwrap_or_else(|| {
        core.report(Rule::ObjectInvalid, format!("{file:#x} is no file object"));
        0
    })
}

/// `ZwCreateFile`, for devices.
///
/// # Safety
/// Only the driver may call it, with room for a handle and an `IO_STATUS_BLOCK`, and with `OBJECT_ATTRIBUTES`.
pub(super) unsafe extern "win64" fn create_file(
    handle: usize,
    access: u32,
    attributes: usize,
    status_block: usize,
    _allocation_size: usize,
    _file_attributes: u32,
    _share_access: u32,
    _disposition: u32,
    _options: u32,
    _ea_buffer: usize,
    _ea_length: u32,
) -> i32 {
    // SAFETY: as the driver vouches.
    unsafe { open_file(handle, access, attributes, status_block, 0, 0) }
}

/// `ZwOpenFile`, for devices.
///
/// # Safety
/// As for [`create_file`].
pub(super) unsafe extern "win64" fn open_file(
    handle: usize,
    access: u32,
    attributes: usize,
    status_block: usize,
    _share_access: u32,
    _options: u32,
) -> i32 {
    // SAFETY: as the driver vouches.
    let attributes: ObjectAttributes = unsafe { driver_memory::read(attributes) };
    // SAFETY: as the driver vouches.
    let result = unsafe { open_for_handle(&processor::core(), attributes.object_name, access) };
    // SAFETY: what is here needs not be dropped.
    unsafe { crash::propagate() };
    let (status, information) = result.map_or_else(|status| (status, 0), |_| (NtStatus::SUCCESS, OPENED));
    // SAFETY: as the driver vouches.
    unsafe { driver_memory::write(status_block, StatusBlock { status: status.0, padding: 0, information }) };
    if let Ok(value) = result {
        // SAFETY: as the driver vouches.
        unsafe { driver_memory::write(handle, value) };
    }
    status.0
}

/// Opens a device by name, with a handle of the driver that calls.
///
/// # Safety
/// The driver vouches for the name.
unsafe fn open_for_handle(core: &Arc<Core>, name: usize, access: u32) -> Result<usize, NtStatus> {
    if core.fault() {
        return Err(pool::NO_MEMORY);
    }
    // SAFETY: as the caller promises.
    let path = unsafe { driver_memory::string(name) };
    let file = core.open(&path, &caller(), DesiredAccess::from_bits(access))?;
    Ok(core.new_handle(Object::File(file)))
}
