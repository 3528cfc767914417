//! Security descriptors of devices, as far as IoCreateDeviceSecure needs them.

use core::ffi::c_void;
use core::ptr::null_mut;

use windows_sys::Wdk::Foundation::{ACCESS_STATE, POBJECT_TYPE};
use windows_sys::Wdk::Storage::FileSystem::ObOpenObjectByPointer;
use windows_sys::Win32::Foundation::{HANDLE, NTSTATUS};

#[link(name = "ntdll", kind = "raw-dylib")]
unsafe extern "system" {
    fn NtCreateEvent(event: *mut HANDLE, access: u32, attributes: *const c_void, kind: i32, state: u8) -> NTSTATUS;
}

#[link(name = "ntoskrnl.exe", kind = "raw-dylib", modifiers = "+verbatim")]
unsafe extern "C" {
    static IoDeviceObjectType: *const POBJECT_TYPE;
}

/// EVENT_TYPE: the manual kind.
const NOTIFICATION_EVENT: i32 = 0;

/// ObOpenObjectByPointer. Wine can't open a device by its pointer, and keeps no security descriptor of one: the handle is
/// that of an object which stands in for the device, so that the descriptor which is then set is checked as Windows checks
/// it, and nothing more. Anything else is opened by Wine.
///
/// # Safety
/// As for the kernel's own.
#[unsafe(no_mangle)]
unsafe extern "system" fn extension_ObOpenObjectByPointer(
    object: *const c_void,
    attributes: u32,
    access_state: *const ACCESS_STATE,
    access: u32,
    object_type: POBJECT_TYPE,
    mode: i8,
    handle: *mut HANDLE,
) -> NTSTATUS {
    // SAFETY: the kernel's variable is initialized before any driver is loaded, and does not change.
    let device_type = unsafe { IoDeviceObjectType.read() };
    if object_type == device_type {
        // SAFETY: the caller's handle is written; an event without name or attributes has no further preconditions.
        return unsafe { NtCreateEvent(handle, access, null_mut(), NOTIFICATION_EVENT, 0) };
    }
    // SAFETY: as the caller promises.
    unsafe { ObOpenObjectByPointer(object, attributes, access_state, access, object_type, mode, handle) }
}
