//! The module as a driver of its own: the control device of `netio_model::control`.

use core::ptr::null_mut;

use netio_anycast_protocol::status::NtStatus;
use netio_model::control::wire::OpenNameReply;
use netio_model::control::{self, Command, Completion, DEVICE_NAME, DEVICE_TYPE, SYMBOLIC_LINK_NAME};
use windows_sys::Wdk::Foundation::{DEVICE_OBJECT, DRIVER_OBJECT, IRP};
use windows_sys::Wdk::System::SystemServices::{
    IoCreateDevice, IoCreateSymbolicLink, IoDeleteDevice, IoDeleteSymbolicLink, IofCompleteRequest,
};
use windows_sys::Win32::Foundation::{NTSTATUS, UNICODE_STRING};
use wine_common::irp::{
    DeviceControl, IRP_MJ_CLEANUP, IRP_MJ_CLOSE, IRP_MJ_CREATE, IRP_MJ_DEVICE_CONTROL, current_location,
};

use crate::unicode_string::{unicode_string, utf16};
use crate::{gate, open_name, with_model};

static DEVICE_NAME_UTF16: [u16; DEVICE_NAME.len()] = utf16(DEVICE_NAME);
static LINK_NAME_UTF16: [u16; SYMBOLIC_LINK_NAME.len()] = utf16(SYMBOLIC_LINK_NAME);

/// What Wine calls when the module is started as a driver. IRQL: PASSIVE_LEVEL.
///
/// # Safety
/// Only the I/O manager may call it, once.
#[unsafe(no_mangle)]
unsafe extern "system" fn DriverEntry(driver: &mut DRIVER_OBJECT, _registry_path: *const UNICODE_STRING) -> NTSTATUS {
    for major_function in [IRP_MJ_CREATE, IRP_MJ_CLEANUP, IRP_MJ_CLOSE] {
        driver.MajorFunction[usize::from(major_function)] = Some(accept);
    }
    driver.MajorFunction[usize::from(IRP_MJ_DEVICE_CONTROL)] = Some(device_control);
    driver.DriverUnload = Some(unload);
    create_device(driver).err().unwrap_or(NtStatus::SUCCESS).0
}

fn create_device(driver: &DRIVER_OBJECT) -> Result<(), NtStatus> {
    let name = unicode_string(&DEVICE_NAME_UTF16);
    let link = unicode_string(&LINK_NAME_UTF16);
    let mut device = null_mut();
    // SAFETY: PASSIVE_LEVEL; everything pointed to lives through the call.
    let status = unsafe { IoCreateDevice(driver, 0, &raw const name, DEVICE_TYPE.into(), 0, false, &raw mut device) };
    succeeded(status)?;
    // SAFETY: PASSIVE_LEVEL; both strings live through the call.
    let status = unsafe { IoCreateSymbolicLink(&raw const link, &raw const name) };
    succeeded(status).inspect_err(|_| {
        // SAFETY: the device was created above, and nobody can have opened it.
        unsafe { IoDeleteDevice(device) };
    })
}

/// What Wine calls before the module goes as a driver. It stays loaded as long as the driver imports it.
///
/// # Safety
/// Only the I/O manager may call it, once.
unsafe extern "system" fn unload(driver: *const DRIVER_OBJECT) {
    gate::disarm();
    let link = unicode_string(&LINK_NAME_UTF16);
    // SAFETY: PASSIVE_LEVEL; the string lives through the call. Nothing can be done about a failure while unloading.
    let _ = unsafe { IoDeleteSymbolicLink(&raw const link) };
    // SAFETY: the I/O manager calls with the driver object.
    let device = unsafe { (*driver).DeviceObject };
    if !device.is_null() {
        // SAFETY: the device is the one that `create_device` made.
        unsafe { IoDeleteDevice(device) };
    }
}

/// CREATE, CLEANUP and CLOSE: anybody may open the device, and a handle holds nothing.
///
/// # Safety
/// Only the I/O manager may call it.
unsafe extern "system" fn accept(_device: *const DEVICE_OBJECT, irp: *mut IRP) -> NTSTATUS {
    // SAFETY: the I/O manager calls with an IRP that is ours until it is completed.
    unsafe { complete(irp, Completion::of(NtStatus::SUCCESS)) }
}

/// DEVICE_CONTROL.
///
/// # Safety
/// Only the I/O manager may call it.
unsafe extern "system" fn device_control(_device: *const DEVICE_OBJECT, irp: *mut IRP) -> NTSTATUS {
    // SAFETY: the I/O manager calls with an IRP that is ours until it is completed.
    let completion = unsafe { serve(irp) };
    // SAFETY: as above; the buffer is not used any more.
    unsafe { complete(irp, completion) }
}

/// Does what the request asks.
///
/// # Safety
/// `irp` is a DEVICE_CONTROL that this driver has.
unsafe fn serve(irp: *mut IRP) -> Completion {
    // SAFETY: as the caller promises.
    let location = unsafe { current_location(irp) };
    // SAFETY: the IRP has a current location while a driver has it.
    let parameters = unsafe { &raw const (*location).Parameters };
    // SAFETY: for DEVICE_CONTROL the parameters are these.
    let parameters = unsafe { &*parameters.cast::<DeviceControl>() };
    let Some(command) = Command::from_control_code(parameters.control_code) else {
        return Completion::of(NtStatus::INVALID_DEVICE_REQUEST);
    };
    let (input_length, output_length) = (parameters.input_length as usize, parameters.output_length as usize);
    // SAFETY: the IRP is ours.
    let irp = unsafe { &*irp };
    // SAFETY: with METHOD_BUFFERED this is the member in use.
    let buffer = unsafe { irp.AssociatedIrp.SystemBuffer }.cast::<u8>();
    let buffer = if buffer.is_null() {
        &mut []
    } else {
        // SAFETY: the I/O manager's buffer is as long as the longer of input and output, and ours until the completion.
        unsafe { core::slice::from_raw_parts_mut(buffer, input_length.max(output_length)) }
    };
    run(command, buffer, input_length, output_length)
}

fn run(command: Command, buffer: &mut [u8], input_length: usize, output_length: usize) -> Completion {
    let input = buffer.get(..input_length).unwrap_or_default();
    match command {
        Command::SetGate => {
            let armed = control::read(input).and_then(|request| gate::arm(&request));
            Completion::of(armed.err().unwrap_or(NtStatus::SUCCESS))
        }
        Command::OpenName => match control::read(input).and_then(|name| open_name::open(&name)) {
            Ok(status) => control::reply(buffer, output_length, &OpenNameReply { status, reserved: 0 }),
            Err(status) => Completion::of(status),
        },
        _ => {
            if command == Command::Reset {
                gate::disarm();
            }
            with_model(|model| control::serve(model, command, buffer, input_length, output_length))
        }
    }
}

/// Completes the request.
///
/// # Safety
/// `irp` is an IRP that this driver has, and is not touched afterwards.
unsafe fn complete(irp: *mut IRP, completion: Completion) -> NTSTATUS {
    // SAFETY: the IRP is ours.
    let io_status = unsafe { &mut (*irp).IoStatus };
    io_status.Anonymous.Status = completion.status.0;
    io_status.Information = completion.information;
    // SAFETY: the IRP is ours, its status is set, and the caller does not touch it afterwards.
    unsafe { IofCompleteRequest(irp, 0) };
    completion.status.0
}

fn succeeded(status: NTSTATUS) -> Result<(), NtStatus> {
    match NtStatus(status) {
        NtStatus::SUCCESS => Ok(()),
        failure => Err(failure),
    }
}
