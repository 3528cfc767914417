//! A kernel driver that uses the netio-anycast driver: it holds an anycast address for as long as it is loaded.
//!
//! [`client`] is what there is to learn: what it does once the driver is there. The rest is what every such driver needs around
//! it: a device object for the I/O manager to keep the image by, and its interface from the registry ([`parameters`]).
//! [`raised`] shows how to ask the driver for something at DISPATCH_LEVEL.
//!
//! `docs/kernel-clients.md` tells what can go wrong.

#![no_std]
#![allow(
    rustdoc::private_intra_doc_links,
    reason = "a driver exports no items: its documentation is that of the private ones"
)]

use wdk_panic as _;

mod client;
mod parameters;
mod raised;

use core::ptr::{NonNull, null_mut};

use netio_anycast_kernel_client::protocol::status::NtStatus;
use netio_anycast_kernel_client::{Owner, WhenReady};
use wdk_sys::ntddk::{IoCreateDevice, IoDeleteDevice};
use wdk_sys::{
    DEVICE_OBJECT, DRIVER_OBJECT, FILE_DEVICE_SECURE_OPEN, FILE_DEVICE_UNKNOWN, NTSTATUS, PCUNICODE_STRING,
    UNICODE_STRING,
};

use client::AddressHolder;

/// Every allocation is made with `wdk-alloc`: non-paged pool with the tag `rust`.
#[global_allocator]
static ALLOCATOR: wdk_alloc::WdkAllocator = wdk_alloc::WdkAllocator;

/// What the device object carries.
type Extension = WhenReady<AddressHolder>;

#[expect(clippy::cast_possible_truncation, reason = "it is a few bytes")]
const EXTENSION_LENGTH: u32 = size_of::<Extension>() as u32;

/// What the I/O manager calls when the driver is loaded. IRQL: PASSIVE_LEVEL.
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
    let interface = parameters::interface_index(service)?;
    driver.DriverUnload = Some(unload);
    let device = create_device(driver)?;
    // SAFETY: the device is this driver's, and is deleted when what is made with this is gone.
    let owner = unsafe { Owner::new(device) };
    match WhenReady::start(owner, AddressHolder::new(owner, interface)) {
        Ok(when_ready) => {
            // SAFETY: the I/O manager allocated the extension with this size, and nobody else looks at it.
            unsafe { extension(device).write(when_ready) };
            Ok(())
        }
        Err(status) => {
            // SAFETY: PASSIVE_LEVEL; the device carries nothing, and is deleted once.
            unsafe { IoDeleteDevice(device.as_ptr()) };
            Err(status)
        }
    }
}

/// Creates a device object without a name: nobody can open it.
fn create_device(driver: &mut DRIVER_OBJECT) -> Result<NonNull<DEVICE_OBJECT>, NtStatus> {
    let mut device = null_mut();
    // SAFETY: PASSIVE_LEVEL; everything pointed to lives through the call.
    let status = unsafe {
        IoCreateDevice(
            driver,
            EXTENSION_LENGTH,
            null_mut(),
            FILE_DEVICE_UNKNOWN,
            FILE_DEVICE_SECURE_OPEN,
            0,
            &raw mut device,
        )
    };
    match NtStatus(status) {
        NtStatus::SUCCESS => NonNull::new(device).ok_or(NtStatus::UNSUCCESSFUL),
        failure => Err(failure),
    }
}

/// Where the device's extension is.
fn extension(device: NonNull<DEVICE_OBJECT>) -> NonNull<Extension> {
    // SAFETY: the device is alive, and not being deleted.
    let place = unsafe { device.as_ref() }.DeviceExtension;
    // SAFETY: IoCreateDevice was asked for an extension that is not empty.
    unsafe { NonNull::new_unchecked(place.cast()) }
}

/// What the I/O manager calls before the driver's image goes. IRQL: PASSIVE_LEVEL.
///
/// # Safety
/// Only the I/O manager may call it, once, after DriverEntry has succeeded.
unsafe extern "C" fn unload(driver: *mut DRIVER_OBJECT) {
    // SAFETY: the I/O manager calls with the driver object, which outlives the call.
    let device = unsafe { (*driver).DeviceObject };
    let Some(device) = NonNull::new(device) else { return };
    // What it holds is given back with it.
    // SAFETY: `load` wrote it, and this is its end.
    unsafe { extension(device).drop_in_place() };
    // SAFETY: PASSIVE_LEVEL, and the driver deletes its device once.
    unsafe { IoDeleteDevice(device.as_ptr()) };
}
