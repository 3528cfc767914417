//! Loading and unloading.

use netio_anycast_protocol::status::NtStatus;
use wdk::paged_code;
use wdk_sys::{DRIVER_OBJECT, NTSTATUS, PCUNICODE_STRING, UNICODE_STRING};

use crate::{device, dispatch, parameters, pool, trace_provider};

/// What the I/O manager calls when the driver is loaded. IRQL: PASSIVE_LEVEL.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nc-wdm-driver_initialize>
///
/// # Safety
/// Only the I/O manager may call it, once.
// The exported name is what the linker's /ENTRY of a driver expects.
#[unsafe(export_name = "DriverEntry")]
unsafe extern "system" fn driver_entry(driver: &mut DRIVER_OBJECT, registry_path: PCUNICODE_STRING) -> NTSTATUS {
    // SAFETY: the I/O manager calls with the path of the service's key, which lives through the call.
    let service = unsafe { &*registry_path };
    match load(driver, service) {
        Ok(()) => NtStatus::SUCCESS.0,
        Err(status) => status.0,
    }
}

fn load(driver: &mut DRIVER_OBJECT, service: &UNICODE_STRING) -> Result<(), NtStatus> {
    paged_code!();
    pool::initialize();
    let limits = parameters::read(service)?;
    dispatch::register(driver);
    driver.DriverUnload = Some(unload);
    trace_provider::register();
    device::create(driver, limits).inspect_err(|_| trace_provider::unregister())
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
    trace_provider::unregister();
}
