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

use windows_sys::Wdk::Foundation::{DEVICE_OBJECT, DRIVER_DISPATCH, DRIVER_OBJECT, IRP};
use windows_sys::Wdk::System::SystemServices::IofCompleteRequest;
use windows_sys::Win32::Foundation::{NTSTATUS, STATUS_SUCCESS};
use wine_common::irp::{FileRequest, IRP_MJ_CLEANUP, IRP_MJ_CLOSE, IRP_MJ_CREATE, current_location, send};

/// FO_CLEANUP_COMPLETE: the file object's last handle is closed.
const CLEANUP_COMPLETE: u32 = 0x4000;
/// The most drivers that one kernel host holds at a time.
const MAX_DRIVERS: usize = 32;

/// A driver whose routine for CLOSE was replaced.
struct Hooked {
    driver: AtomicPtr<DRIVER_OBJECT>,
    /// The driver's own routine.
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
    let location = unsafe { &*location };
    if location.MajorFunction == IRP_MJ_CREATE && !location.DeviceObject.is_null() {
        // SAFETY: the device lives as long as requests are sent to it.
        let driver = unsafe { (*location.DeviceObject).DriverObject };
        // SAFETY: so does its driver.
        unsafe { hook(driver) };
    }
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
    // SAFETY: the driver is loaded; Wine dispatches in one thread, so that nobody else writes its routines.
    let routine = unsafe { &mut (*driver).MajorFunction[usize::from(IRP_MJ_CLOSE)] };
    let own = routine.map_or(null_mut(), |routine| routine as *mut c_void);
    if own == close as *mut c_void {
        return;
    }
    let claim = |entry: &&Hooked| {
        entry.driver.compare_exchange(null_mut(), driver, Ordering::AcqRel, Ordering::Acquire).is_ok()
    };
    if let Some(entry) = entry_of(driver).or_else(|| HOOKED.iter().find(claim)) {
        entry.close.store(own, Ordering::Release);
        *routine = Some(close);
    }
}

fn entry_of(driver: *mut DRIVER_OBJECT) -> Option<&'static Hooked> {
    HOOKED.iter().find(|entry| entry.driver.load(Ordering::Acquire) == driver)
}

/// The driver's own routine for CLOSE.
fn own_close(driver: *mut DRIVER_OBJECT) -> DRIVER_DISPATCH {
    let routine = entry_of(driver)?.close.load(Ordering::Acquire);
    // SAFETY: `hook` stored a routine of this type, or the null pointer, which is the type's `None`.
    unsafe { transmute::<*mut c_void, DRIVER_DISPATCH>(routine) }
}

/// The routine for CLOSE: sends CLEANUP, then calls the driver's own.
///
/// # Safety
/// Only the I/O manager may call it.
unsafe extern "system" fn close(device: *const DEVICE_OBJECT, irp: *mut IRP) -> NTSTATUS {
    // SAFETY: the I/O manager calls with an IRP that is the driver's until it is completed.
    let request = unsafe { cleanup_before(irp) };
    // SAFETY: the device and the file object live until CLOSE is completed. The driver can't refuse a CLEANUP.
    let _ = unsafe { send(device, request) };
    // SAFETY: the file object lives until CLOSE is completed.
    if let Some(file) = unsafe { request.file.as_mut() } {
        file.Flags |= CLEANUP_COMPLETE;
    }
    // SAFETY: the device is alive.
    let driver = unsafe { (*device).DriverObject };
    if let Some(own) = own_close(driver) {
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
