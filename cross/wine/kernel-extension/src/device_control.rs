//! Device controls of a driver's own. Wine gives the driver that is called the caller's input buffer, however long the output may
//! be, and copies nothing to the caller's output buffer.
//!
//! Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-iobuilddeviceiocontrolrequest> and
//! <https://learn.microsoft.com/windows-hardware/drivers/kernel/buffer-descriptions-for-i-o-control-codes>

use core::ffi::c_void;
use core::mem::transmute;
use core::ptr::null_mut;

use windows_sys::Wdk::Foundation::{DEVICE_OBJECT, IRP, KEVENT, NonPagedPoolNx, PETHREAD};
use windows_sys::Wdk::System::SystemServices::{
    ExAllocatePoolWithTag, ExFreePoolWithTag, IoAllocateIrp, IoBuildDeviceIoControlRequest, IoFreeIrp, KeSetEvent,
};
use windows_sys::Win32::Foundation::{NTSTATUS, STATUS_MORE_PROCESSING_REQUIRED};
use windows_sys::Win32::System::IO::IO_STATUS_BLOCK;
use wine_common::allocator::TAG;
use wine_common::irp::{
    CompletionRoutine, DeviceControl, INVOKE_ALWAYS, IRP_MJ_DEVICE_CONTROL, IRP_MJ_INTERNAL_DEVICE_CONTROL,
    next_location,
};

#[link(name = "ntoskrnl.exe", kind = "raw-dylib", modifiers = "+verbatim")]
unsafe extern "system" {
    safe fn KeGetCurrentThread() -> PETHREAD;
}

/// The method in the lowest bits of a control code, and METHOD_BUFFERED.
const METHOD: u32 = 3;
const BUFFERED: u32 = 0;

/// IoBuildDeviceIoControlRequest.
///
/// # Safety
/// The device is alive; buffers, event and status block are valid until the request has ended, and any of them may be null.
#[unsafe(no_mangle)]
unsafe extern "system" fn extension_IoBuildDeviceIoControlRequest(
    code: u32,
    device: *const DEVICE_OBJECT,
    input: *const c_void,
    input_length: u32,
    output: *mut c_void,
    output_length: u32,
    internal: bool,
    event: *mut KEVENT,
    ended: *mut IO_STATUS_BLOCK,
) -> *mut IRP {
    if code & METHOD != BUFFERED {
        // SAFETY: as the caller promises.
        return unsafe {
            IoBuildDeviceIoControlRequest(
                code,
                device,
                input,
                input_length,
                output,
                output_length,
                internal,
                event,
                ended,
            )
        };
    }
    // SAFETY: the input has this length.
    let Ok(buffer) = (unsafe { system_buffer(input, input_length, output_length) }) else { return null_mut() };
    // SAFETY: the device is alive.
    let irp = unsafe { allocate(device) };
    // SAFETY: it is null or a new IRP, which nobody else has.
    let Some(request) = (unsafe { irp.as_mut() }) else {
        // SAFETY: the buffer came from the pool, and is not used.
        unsafe { free(buffer) };
        return null_mut();
    };
    request.AssociatedIrp.SystemBuffer = buffer;
    request.UserBuffer = output;
    request.UserEvent = event;
    request.Anonymous.UserIosb = ended;
    // SAFETY: `allocate` has left a location for the driver.
    let next = unsafe { next_location(irp) };
    // SAFETY: the location is the IRP's, which nobody else has.
    let next = unsafe { &mut *next };
    next.MajorFunction = if internal { IRP_MJ_INTERNAL_DEVICE_CONTROL } else { IRP_MJ_DEVICE_CONTROL };
    let parameters = DeviceControl::new(code, input_length, output_length);
    // SAFETY: these are the parameters of a device control, and there is room for them.
    unsafe { (&raw mut next.Parameters).cast::<DeviceControl>().write(parameters) };
    irp
}

/// What the driver reads the input from and writes the output to: null if there is neither.
///
/// # Safety
/// `input` has this length.
unsafe fn system_buffer(input: *const c_void, input_length: u32, output_length: u32) -> Result<*mut c_void, ()> {
    let length = input_length.max(output_length) as usize;
    if length == 0 {
        return Ok(null_mut());
    }
    // SAFETY: any size and tag are allowed.
    let buffer = unsafe { ExAllocatePoolWithTag(NonPagedPoolNx, length, TAG) };
    if buffer.is_null() {
        return Err(());
    }
    if !input.is_null() {
        // SAFETY: both have this length, and the buffer is new.
        unsafe { buffer.cast::<u8>().copy_from_nonoverlapping(input.cast(), input_length as usize) };
    }
    Ok(buffer)
}

/// An IRP with a location more than the device needs, whose completion routine is the last to be called.
///
/// # Safety
/// The device is alive.
unsafe fn allocate(device: *const DEVICE_OBJECT) -> *mut IRP {
    // SAFETY: as the caller promises.
    let stack_size = unsafe { (*device).StackSize };
    // SAFETY: any stack size is allowed.
    let irp = unsafe { IoAllocateIrp(stack_size + 1, false) };
    // SAFETY: it is null or a new IRP, which nobody else has.
    let Some(request) = (unsafe { irp.as_mut() }) else { return null_mut() };
    // SAFETY: there is one location more than the device needs.
    let place = unsafe { next_location(irp) };
    // SAFETY: the location is the IRP's, which nobody else has.
    let own = unsafe { &mut *place };
    own.Control = INVOKE_ALWAYS;
    // SAFETY: the type that windows-sys declares stands for this one.
    let routine = unsafe { transmute::<CompletionRoutine, unsafe extern "system" fn() -> NTSTATUS>(finish) };
    own.CompletionRoutine = Some(routine);
    // SAFETY: `Overlay` is the member in use while an IRP is built.
    let overlay = unsafe { &mut request.Tail.Overlay };
    overlay.Thread = KeGetCurrentThread();
    overlay.Anonymous2.Anonymous.CurrentStackLocation = place;
    request.CurrentLocation -= 1;
    irp
}

/// The last completion routine: gives the caller what the driver has written, and frees the IRP.
///
/// # Safety
/// `irp` is one of [`extension_IoBuildDeviceIoControlRequest`]'s, completed.
unsafe extern "system" fn finish(_device: *const DEVICE_OBJECT, irp: *const IRP, _context: *mut c_void) -> NTSTATUS {
    // SAFETY: the IRP is alive until it is freed below.
    let request = unsafe { &*irp };
    // SAFETY: with METHOD_BUFFERED this is the member in use.
    let buffer = unsafe { request.AssociatedIrp.SystemBuffer };
    // SAFETY: this member is always the one in use.
    let status = unsafe { request.IoStatus.Anonymous.Status };
    // Success, information and warnings come with output; the severity of an error is 3.
    if status.cast_unsigned() >> 30 != 3 && !request.UserBuffer.is_null() {
        // SAFETY: the driver's Information is within both buffers.
        unsafe {
            request.UserBuffer.cast::<u8>().copy_from_nonoverlapping(buffer.cast(), request.IoStatus.Information);
        };
    }
    // SAFETY: this member is always the one in use for such a request.
    let ended = unsafe { request.Anonymous.UserIosb };
    if !ended.is_null() {
        // SAFETY: the caller's status block lives until the request has ended.
        unsafe { ended.write(request.IoStatus) };
    }
    let event = request.UserEvent;
    // SAFETY: the driver does not touch the buffer after the completion.
    unsafe { free(buffer) };
    // SAFETY: nobody touches an IRP of this kind after its completion.
    unsafe { IoFreeIrp(irp) };
    if !event.is_null() {
        // SAFETY: the caller's event lives until the request has ended.
        unsafe { KeSetEvent(event, 0, false) };
    }
    STATUS_MORE_PROCESSING_REQUIRED
}

/// # Safety
/// `buffer` is null or [`system_buffer`]'s, and not used any more.
unsafe fn free(buffer: *mut c_void) {
    if !buffer.is_null() {
        // SAFETY: as the caller promises.
        unsafe { ExFreePoolWithTag(buffer, TAG) };
    }
}
