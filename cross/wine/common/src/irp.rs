//! Requests: where things are in them, and how one is sent.

use core::ffi::c_void;
use core::mem::transmute;
use core::ptr::null;

use windows_sys::Wdk::Foundation::{DEVICE_OBJECT, FILE_OBJECT, IO_STACK_LOCATION, IRP, KEVENT, PETHREAD};
use windows_sys::Wdk::System::SystemServices::{
    IoAllocateIrp, IoFreeIrp, IofCallDriver, KeInitializeEvent, KeSetEvent, KeWaitForSingleObject,
};
use windows_sys::Win32::Foundation::{
    NTSTATUS, STATUS_INSUFFICIENT_RESOURCES, STATUS_MORE_PROCESSING_REQUIRED, STATUS_PENDING,
};

/// A file is opened.
pub const IRP_MJ_CREATE: u8 = 0x00;
/// No request refers to a file object any more.
pub const IRP_MJ_CLOSE: u8 = 0x02;
/// A control code.
pub const IRP_MJ_DEVICE_CONTROL: u8 = 0x0E;
/// A control code that only drivers send.
pub const IRP_MJ_INTERNAL_DEVICE_CONTROL: u8 = 0x0F;
/// The last handle to a file object is closed.
pub const IRP_MJ_CLEANUP: u8 = 0x12;

/// SL_INVOKE_ON_CANCEL, SL_INVOKE_ON_SUCCESS and SL_INVOKE_ON_ERROR.
pub const INVOKE_ALWAYS: u8 = 0xE0;

/// `IO_COMPLETION_ROUTINE`, which windows-sys declares without its parameters.
pub type CompletionRoutine = unsafe extern "system" fn(*const DEVICE_OBJECT, *const IRP, *mut c_void) -> NTSTATUS;

/// `IO_STACK_LOCATION.Parameters.DeviceIoControl`. windows-sys declares it without the alignment of the lengths to 8 bytes.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct DeviceControl {
    /// The room for output, in bytes.
    pub output_length: u32,
    _padding: u32,
    /// The length of the input, in bytes.
    pub input_length: u32,
    _padding2: u32,
    /// What is asked.
    pub control_code: u32,
}

impl DeviceControl {
    /// A request with buffers of these lengths.
    #[must_use]
    pub const fn new(control_code: u32, input_length: u32, output_length: u32) -> Self {
        Self { output_length, _padding: 0, input_length, _padding2: 0, control_code }
    }
}

/// The stack location of the driver that has the IRP, as the inline function IoGetCurrentIrpStackLocation finds it.
///
/// # Safety
/// `irp` is an IRP that a driver has.
#[must_use]
pub unsafe fn current_location(irp: *const IRP) -> *mut IO_STACK_LOCATION {
    // SAFETY: the IRP is alive, as the caller promises.
    let tail = unsafe { &(*irp).Tail };
    // SAFETY: `Overlay` is the member in use while a driver has the IRP.
    let overlay = unsafe { &tail.Overlay };
    // SAFETY: `PacketType`, which is beside it, is used after the completion only.
    unsafe { overlay.Anonymous2.Anonymous.CurrentStackLocation }
}

/// The stack location of the driver that is called next, as the inline function IoGetNextIrpStackLocation finds it.
///
/// # Safety
/// `irp` is an IRP with a location left.
#[must_use]
pub unsafe fn next_location(irp: *const IRP) -> *mut IO_STACK_LOCATION {
    // SAFETY: as the caller promises, and the location above it is the current one.
    let current = unsafe { current_location(irp) };
    // SAFETY: as the caller promises.
    unsafe { current.sub(1) }
}

/// A request about a file object, without buffers.
#[derive(Clone, Copy, Debug)]
pub struct FileRequest {
    /// One of the `IRP_MJ_` constants.
    pub major_function: u8,
    /// The file object.
    pub file: *mut FILE_OBJECT,
    /// KernelMode (0) or UserMode (1).
    pub requestor_mode: i8,
    /// The thread on whose behalf it is sent, or zero.
    pub thread: PETHREAD,
}

/// Sends a request to a driver and waits until it is completed: STATUS_INSUFFICIENT_RESOURCES, or what it is completed with.
/// IRQL: PASSIVE_LEVEL.
///
/// # Safety
/// The device and the file object live until the call returns, and the file object is one of that device's.
#[must_use]
pub unsafe fn send(device: *const DEVICE_OBJECT, request: FileRequest) -> NTSTATUS {
    // SAFETY: the device is alive.
    let stack_size = unsafe { (*device).StackSize };
    // SAFETY: any stack size is allowed.
    let irp = unsafe { IoAllocateIrp(stack_size, false) };
    // SAFETY: it is null or a new IRP, which nobody else has.
    let Some(irp) = (unsafe { irp.as_mut() }) else {
        return STATUS_INSUFFICIENT_RESOURCES;
    };
    // SAFETY: all zeros are a value of the structure, which the next call initializes.
    let mut completed: KEVENT = unsafe { core::mem::zeroed() };
    // SAFETY: the event lives until the request is completed: that is waited for below.
    unsafe { KeInitializeEvent(&raw mut completed, 0, false) };
    // SAFETY: the IRP was just allocated, and the event outlives it.
    unsafe { fill_in(irp, request, &raw mut completed) };
    // SAFETY: the IRP's next location is filled in.
    if unsafe { IofCallDriver(device, irp) } == STATUS_PENDING {
        // SAFETY: PASSIVE_LEVEL; the completion routine sets the event.
        unsafe { KeWaitForSingleObject((&raw const completed).cast(), 0, 0, false, null()) };
    }
    // SAFETY: the driver has set the status; this member of the union is always the one in use.
    let status = unsafe { irp.IoStatus.Anonymous.Status };
    // SAFETY: the completion routine has kept the IRP from being freed.
    unsafe { IoFreeIrp(irp) };
    status
}

/// Fills a new IRP in for its first driver.
///
/// # Safety
/// `irp` was just allocated with at least one stack location; `completed` outlives it.
unsafe fn fill_in(irp: &mut IRP, request: FileRequest, completed: *mut KEVENT) {
    irp.RequestorMode = request.requestor_mode;
    // SAFETY: `Overlay` is the member in use.
    let overlay = unsafe { &mut irp.Tail.Overlay };
    overlay.Thread = request.thread;
    overlay.OriginalFileObject = request.file;
    // SAFETY: a new IRP has at least one location.
    let next = unsafe { next_location(irp) };
    // SAFETY: the location is the IRP's, which is ours.
    let next = unsafe { &mut *next };
    next.MajorFunction = request.major_function;
    next.FileObject = request.file;
    next.Control = INVOKE_ALWAYS;
    // SAFETY: the type that windows-sys declares stands for this one.
    let routine = unsafe { transmute::<CompletionRoutine, unsafe extern "system" fn() -> NTSTATUS>(wake_sender) };
    next.CompletionRoutine = Some(routine);
    next.Context = completed.cast();
}

/// The completion routine: wakes the sender, and keeps the IRP for it.
///
/// # Safety
/// `completed` is the event of [`send`].
unsafe extern "system" fn wake_sender(_: *const DEVICE_OBJECT, _: *const IRP, completed: *mut c_void) -> NTSTATUS {
    // SAFETY: the event lives until the wait for it is over. Should the driver complete the request before it returns, the
    // sender does not wait, but it is still in IofCallDriver.
    unsafe { KeSetEvent(completed.cast(), 0, false) };
    STATUS_MORE_PROCESSING_REQUIRED
}
