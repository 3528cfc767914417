//! The names of the devices in this kernel host, which Wine does not look up for drivers.
//!
//! Only the devices of drivers that import this module are known.

use alloc::vec::Vec;
use core::ffi::c_void;

use windows_sys::Wdk::Foundation::{DEVICE_OBJECT, DRIVER_OBJECT, OBJECT_ATTRIBUTES};
use windows_sys::Wdk::System::SystemServices::{IoCreateDevice, IoDeleteDevice, ObfReferenceObject};
use windows_sys::Win32::Foundation::{HANDLE, NTSTATUS, STATUS_SUCCESS, UNICODE_STRING};

use crate::lock::Lock;
use crate::name::Name;

#[link(name = "ntdll", kind = "raw-dylib")]
unsafe extern "system" {
    fn NtClose(handle: HANDLE) -> NTSTATUS;
    fn NtOpenSymbolicLinkObject(link: *mut HANDLE, access: u32, attributes: *const OBJECT_ATTRIBUTES) -> NTSTATUS;
    fn NtQuerySymbolicLinkObject(link: HANDLE, target: *mut UNICODE_STRING, length: *mut u32) -> NTSTATUS;
}

/// SYMBOLIC_LINK_QUERY.
const QUERY: u32 = 1;
const OBJ_CASE_INSENSITIVE: u32 = 0x40;
#[expect(clippy::cast_possible_truncation, reason = "the structure has 48 bytes")]
const ATTRIBUTES_LENGTH: u32 = size_of::<OBJECT_ATTRIBUTES>() as u32;
/// The most links that lead to a device.
const MAX_LINKS: usize = 8;
/// The longest name that a link may lead to.
const MAX_NAME: usize = 512;

struct Device {
    name: Name,
    device: *mut DEVICE_OBJECT,
}

// SAFETY: a device object may be used by any thread.
unsafe impl Send for Device {}

static DEVICES: Lock<Vec<Device>> = Lock::new(Vec::new());

/// IoCreateDevice, which notes the name.
///
/// # Safety
/// As for the kernel's own.
#[unsafe(no_mangle)]
unsafe extern "system" fn extension_IoCreateDevice(
    driver: *const DRIVER_OBJECT,
    extension_size: u32,
    name: *const UNICODE_STRING,
    device_type: u32,
    characteristics: u32,
    exclusive: bool,
    device: *mut *mut DEVICE_OBJECT,
) -> NTSTATUS {
    // SAFETY: as the caller promises.
    let status =
        unsafe { IoCreateDevice(driver, extension_size, name, device_type, characteristics, exclusive, device) };
    // SAFETY: as the caller promises.
    let name = unsafe { Name::new(name) };
    if let (STATUS_SUCCESS, Some(name)) = (status, name) {
        // SAFETY: the call has written it.
        let device = unsafe { device.read() };
        DEVICES.with(|devices| devices.push(Device { name, device }));
    }
    status
}

/// IoDeleteDevice, which forgets the name.
///
/// # Safety
/// As for the kernel's own.
#[unsafe(no_mangle)]
unsafe extern "system" fn extension_IoDeleteDevice(device: *mut DEVICE_OBJECT) {
    DEVICES.with(|devices| devices.retain(|known| known.device != device));
    // SAFETY: as the caller promises.
    unsafe { IoDeleteDevice(device) };
}

/// The device of this name, or that a symbolic link of this name leads to. It is referenced.
pub(crate) fn find(name: &Name) -> Option<*mut DEVICE_OBJECT> {
    let mut name = name.clone();
    for _ in 0..MAX_LINKS {
        let found = DEVICES.with(|devices| {
            let device = devices.iter().find(|known| known.name == name)?.device;
            // SAFETY: whoever deletes the device takes it out of the list first, which is locked.
            unsafe { ObfReferenceObject(device.cast::<c_void>()) };
            Some(device)
        });
        if found.is_some() {
            return found;
        }
        name = target(&name)?;
    }
    None
}

/// Where a symbolic link leads to.
fn target(link: &Name) -> Option<Name> {
    let name = link.as_string();
    let attributes = OBJECT_ATTRIBUTES {
        Length: ATTRIBUTES_LENGTH,
        ObjectName: &raw const name,
        Attributes: OBJ_CASE_INSENSITIVE,
        ..OBJECT_ATTRIBUTES::default()
    };
    let mut handle = HANDLE::default();
    // SAFETY: everything pointed to lives through the call.
    if unsafe { NtOpenSymbolicLinkObject(&raw mut handle, QUERY, &raw const attributes) } != STATUS_SUCCESS {
        return None;
    }
    let mut buffer = [0_u16; MAX_NAME];
    #[expect(clippy::cast_possible_truncation, reason = "the buffer has 1024 bytes")]
    let room = size_of_val(&buffer) as u16;
    let mut target = UNICODE_STRING { Length: 0, MaximumLength: room, Buffer: buffer.as_mut_ptr() };
    // SAFETY: the handle is open, and the string has room.
    let status = unsafe { NtQuerySymbolicLinkObject(handle, &raw mut target, core::ptr::null_mut()) };
    // SAFETY: the handle was opened above, and is not used any more.
    unsafe { NtClose(handle) };
    if status != STATUS_SUCCESS {
        return None;
    }
    // SAFETY: the call has made it a valid string.
    unsafe { Name::new(&raw const target) }
}
