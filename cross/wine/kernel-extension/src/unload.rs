//! Keeping drivers loaded while other drivers have their devices open.
//!
//! Windows calls the unload routine of a driver that was stopped when the last file object of its devices is closed, and nobody can
//! open them any more meanwhile. Wine calls it at once. So a routine of this module's takes its place while another driver has a device
//! open: it has the driver object and the image stay, and the driver's own routine is called when the device is closed. The service
//! manager takes the driver for stopped all the time, and the image then stays mapped, since nobody knows when its last code has run.
//!
//! Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nc-wdm-driver_unload>

use alloc::collections::BTreeMap;
use core::ffi::c_void;
use core::ptr;

use windows_sys::Wdk::Foundation::{DEVICE_OBJECT, DRIVER_OBJECT, DRIVER_UNLOAD};
use windows_sys::Wdk::System::SystemServices::{ObfDereferenceObject, ObfReferenceObject};

use crate::lock::Lock;
use crate::{pin, thread};

/// What `DRIVER_UNLOAD` of windows-sys may be.
type UnloadRoutine = unsafe extern "system" fn(*const DRIVER_OBJECT);

/// A driver whose devices other drivers have opened.
#[derive(Clone, Copy)]
struct Driver {
    /// The file objects that are open.
    open: usize,
    /// Its own unload routine.
    unload: DRIVER_UNLOAD,
    /// It is to be unloaded when none is open any more.
    stopped: bool,
}

static DRIVERS: Lock<BTreeMap<usize, Driver>> = Lock::new(BTreeMap::new());

/// Keeps the driver of a device loaded until [`release`] is called as often: whether it is not being unloaded already.
///
/// # Safety
/// The device is alive.
pub(crate) unsafe fn keep(device: *const DEVICE_OBJECT) -> bool {
    // SAFETY: as the caller promises.
    let driver = unsafe { (*device).DriverObject };
    DRIVERS.with(|drivers| {
        // SAFETY: a driver lives as long as its devices, and once it runs only this module writes the routine, under the lock.
        let routine = unsafe { &mut (*driver).DriverUnload };
        let is_ours = routine.is_some_and(|routine| ptr::fn_addr_eq(routine, postpone as UnloadRoutine));
        if !is_ours {
            // A driver that has none can't be unloaded.
            drivers.insert(driver.addr(), Driver { open: 0, unload: *routine, stopped: false });
            *routine = routine.map(|_| postpone as UnloadRoutine);
        }
        let Some(entry) = drivers.get_mut(&driver.addr()).filter(|entry| !entry.stopped) else { return false };
        entry.open += 1;
        true
    })
}

/// Ends what [`keep`] began.
///
/// # Safety
/// The device is alive, and its driver was kept.
pub(crate) unsafe fn release(device: *const DEVICE_OBJECT) {
    // SAFETY: as the caller promises.
    let driver = unsafe { (*device).DriverObject };
    let is_to_go = DRIVERS.with(|drivers| {
        let Some(entry) = drivers.get_mut(&driver.addr()) else { return false };
        entry.open -= 1;
        if entry.open == 0 && !entry.stopped {
            // SAFETY: the driver is loaded, since it was kept, and the lock is held.
            unsafe { (*driver).DriverUnload = entry.unload };
        }
        entry.open == 0 && entry.stopped
    });
    if is_to_go {
        // Not here: the driver's own code may be on this thread's stack.
        // SAFETY: the routine takes the driver object for what it is.
        unsafe { thread::start(unload, driver.cast()) };
    }
}

/// The unload routine of a driver whose devices are open.
///
/// # Safety
/// Only the I/O manager may call it.
unsafe extern "system" fn postpone(driver: *const DRIVER_OBJECT) {
    let entry = DRIVERS.with(|drivers| {
        let entry = drivers.get_mut(&driver.addr())?;
        entry.stopped = entry.open > 0;
        Some(*entry)
    });
    let Some(Driver { unload, stopped, .. }) = entry else { return };
    if stopped {
        // SAFETY: the driver object is alive during its unload routine.
        unsafe { ObfReferenceObject(driver.cast()) };
        // SAFETY: as above.
        pin::keep_image(unsafe { (*driver).DriverStart });
    } else if let Some(own) = unload {
        // The device was closed just now.
        // SAFETY: it is the routine that the I/O manager would have called.
        unsafe { own(driver) };
    }
}

/// Unloads a driver that was stopped, and whose devices are closed.
///
/// # Safety
/// `driver` is such a driver, and this is done once.
unsafe extern "system" fn unload(driver: *mut c_void) {
    let driver = driver.cast::<DRIVER_OBJECT>();
    let entry = DRIVERS.with(|drivers| drivers.remove(&driver.addr()));
    if let Some(own) = entry.and_then(|entry| entry.unload) {
        // SAFETY: the driver object and the image were kept for this.
        unsafe { own(driver) };
    }
    // SAFETY: the reference of `postpone`.
    unsafe { ObfDereferenceObject(driver.cast()) };
}
