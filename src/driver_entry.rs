//! Loading and unloading.

use netio_anycast_engine::Engine;
use netio_anycast_protocol::status::NtStatus;
use wdk::paged_code;
use wdk_sys::{DRIVER_OBJECT, NTSTATUS, PCUNICODE_STRING};

use crate::netio::KernelNetio;
use crate::pool_box::PoolBox;
use crate::{device, dispatch, pool};

/// What the I/O manager calls when the driver is loaded. IRQL: PASSIVE_LEVEL.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nc-wdm-driver_initialize>
///
/// # Safety
/// Only the I/O manager may call it, once.
// The exported name is what the linker's /ENTRY of a driver expects.
#[unsafe(export_name = "DriverEntry")]
unsafe extern "system" fn driver_entry(driver: &mut DRIVER_OBJECT, _registry_path: PCUNICODE_STRING) -> NTSTATUS {
    match load(driver) {
        Ok(()) => NtStatus::SUCCESS.0,
        Err(status) => status.0,
    }
}

fn load(driver: &mut DRIVER_OBJECT) -> Result<(), NtStatus> {
    paged_code!();
    pool::initialize();
    let engine = PoolBox::try_new(Engine::new(KernelNetio))?;
    dispatch::register(driver);
    driver.DriverUnload = Some(unload);
    device::create(driver, engine)
}

/// What the I/O manager calls before the driver's image goes. IRQL: PASSIVE_LEVEL.
///
/// # Safety
/// Only the I/O manager may call it, once, after DriverEntry has succeeded.
unsafe extern "C" fn unload(driver: *mut DRIVER_OBJECT) {
    paged_code!();
    // SAFETY: the I/O manager calls with the driver object, which outlives the call. No reference to it is made, since
    // IoDeleteDevice takes the device out of it.
    let device = unsafe { (*driver).DeviceObject };
    device::delete(device);
}
