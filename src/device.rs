//! The control device: its name, who may open it, its symbolic link, and the engine that it carries.

use core::ptr::{NonNull, null_mut};

use netio_anycast_engine::Engine;
use netio_anycast_protocol::status::NtStatus;
use netio_anycast_protocol::{DEVICE_NAME, SYMBOLIC_LINK_NAME};
use wdk_sys::ntddk::{IoCreateSymbolicLink, IoDeleteDevice, IoDeleteSymbolicLink};
use wdk_sys::{
    DEVICE_OBJECT, DO_DEVICE_INITIALIZING, DRIVER_OBJECT, FILE_DEVICE_SECURE_OPEN, GUID, NTSTATUS, PDEVICE_OBJECT,
};

use crate::bindings::WdmlibIoCreateDeviceSecure;
use crate::netio::KernelNetio;
use crate::pool_box::PoolBox;
use crate::unicode_string::{unicode_string, utf16};

/// SYSTEM and the Administrators may do everything, nobody else anything, and nothing is inherited.
const SECURITY_DESCRIPTOR: &str = "D:P(A;;GA;;;SY)(A;;GA;;;BA)";

/// The class under which an administrator may put another security descriptor into the registry.
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/wdmsec/nf-wdmsec-wdmlibiocreatedevicesecure>
static DEVICE_CLASS: GUID =
    GUID { Data1: 0xD8F2_4BD5, Data2: 0xFD53, Data3: 0x43D8, Data4: [0xBC, 0x2B, 0x77, 0x0D, 0x5A, 0xEA, 0x70, 0x7A] };

static DEVICE_NAME_UTF16: [u16; DEVICE_NAME.len()] = utf16(DEVICE_NAME);
static LINK_NAME_UTF16: [u16; SYMBOLIC_LINK_NAME.len()] = utf16(SYMBOLIC_LINK_NAME);
static SECURITY_DESCRIPTOR_UTF16: [u16; SECURITY_DESCRIPTOR.len()] = utf16(SECURITY_DESCRIPTOR);

/// What the device carries.
pub(crate) type DeviceEngine = Engine<KernelNetio>;

/// Dispatch routines run on several processors at once, all with the one engine.
const _: () = {
    const fn shareable<T: Sync>() {}
    shareable::<DeviceEngine>();
};

/// The device extension: the I/O manager allocates it with the device object, zeroed.
struct Extension {
    engine: NonNull<DeviceEngine>,
}

#[expect(clippy::cast_possible_truncation, reason = "it is a few bytes")]
const EXTENSION_LENGTH: u32 = size_of::<Extension>() as u32;

/// Creates the control device with its link, and hands it the engine. IRQL: PASSIVE_LEVEL.
///
/// The link comes last: once it is there, requests can come.
///
/// # Errors
/// Whatever the I/O manager says, for instance that the name is taken. Nothing is left then.
pub(crate) fn create(driver: &mut DRIVER_OBJECT, engine: PoolBox<DeviceEngine>) -> Result<(), NtStatus> {
    let mut device = create_device(driver)?;
    let extension = Extension { engine: engine.into_raw() };
    // SAFETY: the device was just created and lives until it is deleted.
    let place = unsafe { device.as_ref() }.DeviceExtension.cast::<Extension>();
    // SAFETY: the I/O manager allocated the extension with this size, and nobody can reach the device before it has
    // finished initializing.
    unsafe { place.write(extension) };
    if let Err(status) = create_link() {
        delete_device(device);
        return Err(status);
    }
    // SAFETY: the device lives until it is deleted, and nobody else writes its flags during DriverEntry.
    unsafe { device.as_mut() }.Flags &= !DO_DEVICE_INITIALIZING;
    Ok(())
}

fn create_device(driver: &mut DRIVER_OBJECT) -> Result<NonNull<DEVICE_OBJECT>, NtStatus> {
    let mut name = unicode_string(&DEVICE_NAME_UTF16);
    let security_descriptor = unicode_string(&SECURITY_DESCRIPTOR_UTF16);
    let mut device: PDEVICE_OBJECT = null_mut();
    // SAFETY: PASSIVE_LEVEL; everything pointed to lives through the call. FILE_DEVICE_SECURE_OPEN puts names below the
    // device under the device's own security descriptor.
    let status = unsafe {
        WdmlibIoCreateDeviceSecure(
            driver,
            EXTENSION_LENGTH,
            &raw mut name,
            u32::from(netio_anycast_protocol::operation::DEVICE_TYPE),
            FILE_DEVICE_SECURE_OPEN,
            0,
            &raw const security_descriptor,
            &raw const DEVICE_CLASS,
            &raw mut device,
        )
    };
    succeeded(status)?;
    NonNull::new(device).ok_or(NtStatus::UNSUCCESSFUL)
}

fn create_link() -> Result<(), NtStatus> {
    let mut link = unicode_string(&LINK_NAME_UTF16);
    let mut target = unicode_string(&DEVICE_NAME_UTF16);
    // SAFETY: PASSIVE_LEVEL; both strings live through the call.
    succeeded(unsafe { IoCreateSymbolicLink(&raw mut link, &raw mut target) })
}

/// The engine of the control device.
///
/// # Safety
/// `device` is the control device, and lives as long as the reference is used.
pub(crate) unsafe fn engine<'a>(device: *mut DEVICE_OBJECT) -> &'a DeviceEngine {
    // SAFETY: as the caller promises.
    let extension = unsafe { (*device).DeviceExtension.cast::<Extension>() };
    // SAFETY: `create` wrote it before any request could come.
    let engine = unsafe { (*extension).engine };
    // SAFETY: it is taken back only when the device is deleted.
    unsafe { engine.as_ref() }
}

/// Takes the link and the device away that [`create`] made; `device` is the driver object's. IRQL: PASSIVE_LEVEL.
///
/// The I/O manager unloads a driver only when no handle to its devices is open, so no request can be under way.
pub(crate) fn delete(device: PDEVICE_OBJECT) {
    let mut link = unicode_string(&LINK_NAME_UTF16);
    // SAFETY: PASSIVE_LEVEL; the string lives through the call. Nothing can be done about a failure while unloading.
    let _ = unsafe { IoDeleteSymbolicLink(&raw mut link) };
    if let Some(device) = NonNull::new(device) {
        delete_device(device);
    }
}

fn delete_device(device: NonNull<DEVICE_OBJECT>) {
    // SAFETY: the device is alive until IoDeleteDevice below.
    let extension = unsafe { device.as_ref().DeviceExtension.cast::<Extension>() };
    // SAFETY: `create` wrote the extension as soon as it had the device.
    let engine = unsafe { (*extension).engine };
    // SAFETY: PASSIVE_LEVEL, and the driver deletes the device once.
    unsafe { IoDeleteDevice(device.as_ptr()) };
    // SAFETY: it came from `into_raw` in `create`, and with the device everybody who used it is gone.
    drop(unsafe { PoolBox::from_raw(engine) });
}

/// The I/O manager's own functions succeed with STATUS_SUCCESS alone.
fn succeeded(status: NTSTATUS) -> Result<(), NtStatus> {
    match NtStatus(status) {
        NtStatus::SUCCESS => Ok(()),
        failure => Err(failure),
    }
}
