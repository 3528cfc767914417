//! IRP_MJ_CLEANUP: Wine sends IRP_MJ_CLOSE when the last handle to a file object is closed, and nothing before it.
//!
//! Windows sends CLEANUP then, and CLOSE once no request refers to the file object any more. A driver that can be closed was
//! opened before, and it completes the IRP_MJ_CREATE through IofCompleteRequest: that is where the driver's routine for
//! CLOSE is replaced by [`close`], which sends CLEANUP first.
//!
//! Source: <https://learn.microsoft.com/windows-hardware/drivers/kernel/irp-mj-cleanup>

use core::ffi::c_void;
use core::mem::transmute;
use core::ptr::null_mut;
use core::sync::atomic::{AtomicPtr, Ordering};

use windows_sys::Wdk::Foundation::{DEVICE_OBJECT, DRIVER_DISPATCH, DRIVER_OBJECT, FILE_OBJECT, IRP, KEVENT};
use windows_sys::Wdk::System::SystemServices::{
    IoAllocateIrp, IoFreeIrp, IofCallDriver, IofCompleteRequest, KeInitializeEvent, KeSetEvent, KeWaitForSingleObject,
};
use windows_sys::Win32::Foundation::{
    NTSTATUS, STATUS_INSUFFICIENT_RESOURCES, STATUS_MORE_PROCESSING_REQUIRED, STATUS_PENDING,
};

use crate::irp::current_location;

const IRP_MJ_CREATE: u8 = 0x00;
const IRP_MJ_CLOSE: u8 = 0x02;
const IRP_MJ_CLEANUP: u8 = 0x12;
/// SL_INVOKE_ON_CANCEL, SL_INVOKE_ON_SUCCESS and SL_INVOKE_ON_ERROR.
const INVOKE_ALWAYS: u8 = 0xE0;
/// FO_CLEANUP_COMPLETE: the file object's last handle is closed.
const CLEANUP_COMPLETE: u32 = 0x4000;

/// `IO_COMPLETION_ROUTINE`.
type CompletionRoutine = unsafe extern "system" fn(*const DEVICE_OBJECT, *const IRP, *const c_void) -> NTSTATUS;

/// The most drivers that one kernel host holds at a time.
const MAX_DRIVERS: usize = 32;

/// A driver whose routine for CLOSE was replaced.
struct Hooked {
    driver: AtomicPtr<DRIVER_OBJECT>,
    close: AtomicPtr<c_void>,
}

static HOOKED: [Hooked; MAX_DRIVERS] =
    [const { Hooked { driver: AtomicPtr::new(null_mut()), close: AtomicPtr::new(null_mut()) } }; MAX_DRIVERS];

/// IofCompleteRequest.
///
/// # Safety
/// As for the kernel's own: the caller has the IRP, and does not touch it afterwards.
#[unsafe(no_mangle)]
unsafe extern "system" fn extension_IofCompleteRequest(irp: *mut IRP, priority_boost: i8) {
    // SAFETY: the caller has the IRP.
    let location = unsafe { current_location(irp) };
    // SAFETY: the IRP has a current location while a driver has it.
    let (major_function, device) = unsafe { ((*location).MajorFunction, (*location).DeviceObject) };
    if major_function == IRP_MJ_CREATE && !device.is_null() {
        // SAFETY: the device lives as long as requests are sent to it.
        let driver = unsafe { (*device).DriverObject };
        // SAFETY: so does its driver.
        unsafe { hook(driver) };
    }
    // SAFETY: as the caller promises.
    unsafe { IofCompleteRequest(irp, priority_boost) };
}

/// Replaces the driver's routine for CLOSE, unless that was done.
///
/// A driver object that has taken the place of an unloaded driver's is a new driver: its routine is its own again.
///
/// # Safety
/// The driver is loaded.
unsafe fn hook(driver: *mut DRIVER_OBJECT) {
    // SAFETY: the driver is loaded; Wine dispatches in one thread, so that nobody else writes its routines.
    let routine = unsafe { &mut (*driver).MajorFunction[usize::from(IRP_MJ_CLOSE)] };
    let own = routine.map_or(null_mut(), |routine| routine as *mut c_void);
    if own == close as *mut c_void {
        return;
    }
    let free_or_same = |entry: &&Hooked| {
        let claimed = entry.driver.compare_exchange(null_mut(), driver, Ordering::AcqRel, Ordering::Acquire);
        claimed.is_ok() || claimed == Err(driver)
    };
    let same = HOOKED.iter().find(|entry| entry.driver.load(Ordering::Acquire) == driver);
    if let Some(entry) = same.or_else(|| HOOKED.iter().find(free_or_same)) {
        entry.close.store(own, Ordering::Release);
        *routine = Some(close);
    }
}

/// The driver's own routine for CLOSE.
fn own_close(driver: *mut DRIVER_OBJECT) -> DRIVER_DISPATCH {
    let entry = HOOKED.iter().find(|entry| entry.driver.load(Ordering::Acquire) == driver)?;
    let routine = entry.close.load(Ordering::Acquire);
    // SAFETY: `hook` stored a routine of this type, or the null pointer, which is the type's `None`.
    unsafe { transmute::<*mut c_void, DRIVER_DISPATCH>(routine) }
}

/// The routine for CLOSE: sends CLEANUP, then calls the driver's own.
///
/// # Safety
/// Only the I/O manager may call it.
unsafe extern "system" fn close(device: *const DEVICE_OBJECT, irp: *mut IRP) -> NTSTATUS {
    // SAFETY: the I/O manager calls with an IRP that is the driver's until it is completed.
    let location = unsafe { current_location(irp) };
    // SAFETY: as above.
    let file = unsafe { (*location).FileObject };
    // SAFETY: the device and the file object live until CLOSE is completed.
    unsafe { send_cleanup(device, file, irp) };
    // SAFETY: the device is alive.
    let driver = unsafe { (*device).DriverObject };
    match own_close(driver) {
        // SAFETY: it is the routine that the I/O manager would have called.
        Some(own) => unsafe { own(device, irp) },
        None => {
            // SAFETY: the IRP is ours, since no driver took it.
            unsafe { IofCompleteRequest(irp, 0) };
            0
        }
    }
}

/// Sends CLEANUP to the driver and waits until it is completed.
///
/// # Safety
/// All three are alive; `close_irp` is the CLOSE that follows.
unsafe fn send_cleanup(device: *const DEVICE_OBJECT, file: *mut FILE_OBJECT, close_irp: *const IRP) -> NTSTATUS {
    // SAFETY: the device is alive.
    let stack_size = unsafe { (*device).StackSize };
    // SAFETY: any stack size is allowed.
    let irp = unsafe { IoAllocateIrp(stack_size, false) };
    if irp.is_null() {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    // SAFETY: all zeros are a valid value of the structure, which the next call initializes.
    let mut completed: KEVENT = unsafe { core::mem::zeroed() };
    // SAFETY: the event lives until the wait below is over, or the request is completed without waiting.
    unsafe { KeInitializeEvent(&raw mut completed, 0, false) };
    // SAFETY: the IRP was just allocated, and the event outlives it.
    unsafe { fill_in_cleanup(irp, file, close_irp, &raw mut completed) };
    // SAFETY: the IRP's next location is filled in.
    let status = unsafe { IofCallDriver(device, irp) };
    if status == STATUS_PENDING {
        // SAFETY: PASSIVE_LEVEL; the completion routine sets the event.
        unsafe { KeWaitForSingleObject((&raw const completed).cast(), 0, 0, false, core::ptr::null()) };
    }
    // SAFETY: the completion routine has kept the IRP from being freed.
    unsafe { IoFreeIrp(irp) };
    if !file.is_null() {
        // SAFETY: the file object is alive until CLOSE is completed.
        unsafe { (*file).Flags |= CLEANUP_COMPLETE };
    }
    status
}

/// Makes a new IRP a CLEANUP by the thread that closes.
///
/// # Safety
/// `irp` was just allocated; the rest is alive.
unsafe fn fill_in_cleanup(irp: *mut IRP, file: *mut FILE_OBJECT, close_irp: *const IRP, completed: *mut KEVENT) {
    // SAFETY: `Overlay` is the member in use while a driver has the IRP.
    let closing = unsafe { (*close_irp).Tail.Overlay };
    // SAFETY: the IRP is ours.
    let irp = unsafe { &mut *irp };
    // SAFETY: the CLOSE is ours as well.
    irp.RequestorMode = unsafe { (*close_irp).RequestorMode };
    // SAFETY: `Overlay` is the member in use.
    let overlay = unsafe { &mut irp.Tail.Overlay };
    overlay.Thread = closing.Thread;
    overlay.OriginalFileObject = file;
    // SAFETY: as above.
    let current = unsafe { overlay.Anonymous2.Anonymous.CurrentStackLocation };
    // SAFETY: the next location is the one below the current, as the inline function IoGetNextIrpStackLocation finds it; a
    // new IRP has at least one.
    let next = unsafe { &mut *current.sub(1) };
    next.MajorFunction = IRP_MJ_CLEANUP;
    next.FileObject = file;
    next.Control = INVOKE_ALWAYS;
    // SAFETY: it is an `IO_COMPLETION_ROUTINE`; windows-sys declares the type without its parameters.
    next.CompletionRoutine =
        Some(unsafe { transmute::<CompletionRoutine, unsafe extern "system" fn() -> NTSTATUS>(cleanup_completed) });
    next.Context = completed.cast();
}

/// The completion routine of CLEANUP: wakes the sender, and keeps the IRP for it.
///
/// # Safety
/// `completed` is the event of [`send_cleanup`].
unsafe extern "system" fn cleanup_completed(
    _: *const DEVICE_OBJECT,
    _: *const IRP,
    completed: *const c_void,
) -> NTSTATUS {
    // SAFETY: the event lives until the wait for it is over.
    unsafe { KeSetEvent(completed.cast_mut().cast(), 0, false) };
    STATUS_MORE_PROCESSING_REQUIRED
}
