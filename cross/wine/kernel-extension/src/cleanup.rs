//! IRP_MJ_CLEANUP: Wine sends IRP_MJ_CLOSE when the last handle to a file object is closed, and nothing before it.
//!
//! Windows sends CLEANUP then, and CLOSE once no request refers to the file object any more. A driver that can be closed was
//! opened before, and it completes the IRP_MJ_CREATE through IofCompleteRequest: that is where the driver's routine for
//! CLOSE is replaced by [`close`], which sends CLEANUP first.
//!
//! Source: <https://learn.microsoft.com/windows-hardware/drivers/kernel/irp-mj-cleanup>

use alloc::collections::BTreeMap;
use core::ptr;

use windows_sys::Wdk::Foundation::{DEVICE_OBJECT, DRIVER_DISPATCH, DRIVER_OBJECT, IRP};
use windows_sys::Wdk::System::SystemServices::IofCompleteRequest;
use windows_sys::Win32::Foundation::{NTSTATUS, STATUS_SUCCESS};
use wine_common::irp::{FileRequest, IRP_MJ_CLEANUP, IRP_MJ_CLOSE, IRP_MJ_CREATE, current_location, send};

use crate::ended_requests;
use crate::lock::Lock;

/// What `DRIVER_DISPATCH` of windows-sys may be.
type DispatchRoutine = unsafe extern "system" fn(*const DEVICE_OBJECT, *mut IRP) -> NTSTATUS;

/// FO_CLEANUP_COMPLETE: the file object's last handle is closed.
pub(crate) const CLEANUP_COMPLETE: u32 = 0x4000;
/// The drivers whose routine for CLOSE was replaced: each driver's address, and that of its own routine.
static HOOKED: Lock<BTreeMap<usize, Routine>> = Lock::new(BTreeMap::new());

/// A driver's own routine.
#[derive(Clone, Copy)]
struct Routine(DRIVER_DISPATCH);

/// IofCompleteRequest.
///
/// # Safety
/// As for the kernel's own: the caller has the IRP, and does not touch it afterwards.
#[unsafe(no_mangle)]
unsafe extern "system" fn extension_IofCompleteRequest(irp: *mut IRP, priority_boost: i8) {
    // SAFETY: the caller has the IRP.
    let location = unsafe { current_location(irp) };
    // SAFETY: the IRP has a current location while a driver has it.
    let location = unsafe { &mut *location };
    if location.MajorFunction == IRP_MJ_CREATE && !location.DeviceObject.is_null() {
        // SAFETY: the device lives as long as requests are sent to it.
        let driver = unsafe { (*location.DeviceObject).DriverObject };
        // SAFETY: so does its driver.
        unsafe { hook(driver) };
    }
    // SAFETY: the caller has the IRP.
    let request = unsafe { &*irp };
    // SAFETY: as above, and this is its current location.
    unsafe { ended_requests::keep(request, location) };
    // SAFETY: as the caller promises.
    unsafe { IofCompleteRequest(irp, priority_boost) };
}

/// Replaces the driver's routine for CLOSE, unless that was done.
///
/// A driver object in the place of an unloaded driver's is another driver: its routine is its own again.
///
/// # Safety
/// The driver is loaded.
unsafe fn hook(driver: *mut DRIVER_OBJECT) {
    HOOKED.with(|hooked| {
        // SAFETY: the driver is loaded, and once it runs nobody writes its routines but this function, one thread at a time.
        let routine = unsafe { &mut (*driver).MajorFunction[usize::from(IRP_MJ_CLOSE)] };
        if routine.is_some_and(|routine| ptr::fn_addr_eq(routine, close as DispatchRoutine)) {
            return;
        }
        hooked.insert(driver.addr(), Routine(*routine));
        *routine = Some(close);
    });
}

/// The routine for CLOSE: sends CLEANUP, then calls the driver's own.
///
/// # Safety
/// Only the I/O manager may call it.
unsafe extern "system" fn close(device: *const DEVICE_OBJECT, irp: *mut IRP) -> NTSTATUS {
    // SAFETY: the I/O manager calls with an IRP that is the driver's until it is completed.
    let request = unsafe { cleanup_before(irp) };
    // SAFETY: the file object lives until CLOSE is completed.
    let flags = unsafe { request.file.as_ref() }.map_or(0, |file| file.Flags);
    if flags & CLEANUP_COMPLETE == 0 {
        // SAFETY: the device and the file object live until CLOSE is completed. The driver can't refuse a CLEANUP.
        let _ = unsafe { send(device, request) };
    }
    // SAFETY: the file object lives until CLOSE is completed.
    if let Some(file) = unsafe { request.file.as_mut() } {
        file.Flags |= CLEANUP_COMPLETE;
    }
    // SAFETY: the device is alive.
    let driver = unsafe { (*device).DriverObject };
    let own = HOOKED.with(|hooked| hooked.get(&driver.addr()).copied());
    if let Some(Routine(Some(own))) = own {
        // SAFETY: it is the routine that the I/O manager would have called.
        return unsafe { own(device, irp) };
    }
    // SAFETY: the IRP is still ours, since the driver has no routine for it.
    unsafe { IofCompleteRequest(irp, 0) };
    STATUS_SUCCESS
}

/// The CLEANUP that goes before a CLOSE, by the thread that closes.
///
/// # Safety
/// `close` is an IRP that the driver has.
unsafe fn cleanup_before(close: *const IRP) -> FileRequest {
    // SAFETY: as the caller promises.
    let location = unsafe { current_location(close) };
    // SAFETY: the IRP has a current location while a driver has it.
    let file = unsafe { (*location).FileObject };
    // SAFETY: the IRP is alive.
    let close = unsafe { &*close };
    // SAFETY: `Overlay` is the member in use while a driver has the IRP.
    let thread = unsafe { close.Tail.Overlay.Thread };
    FileRequest { major_function: IRP_MJ_CLEANUP, file, requestor_mode: close.RequestorMode, thread }
}
