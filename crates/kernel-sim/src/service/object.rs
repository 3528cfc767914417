//! Handles, and the security of what they stand for.

use netio_anycast_protocol::status::NtStatus;

use super::pool;
use crate::core::{Core, Object, OpenHandle, State};
use crate::violation::Rule;
use crate::{driver_memory, processor, security};

const INVALID_HANDLE: NtStatus = NtStatus::from_bits(0xC000_0008);
const OBJECT_TYPE_MISMATCH: NtStatus = NtStatus::from_bits(0xC000_0024);
const INVALID_SECURITY_DESCR: NtStatus = NtStatus::from_bits(0xC000_0079);
/// `DACL_SECURITY_INFORMATION`.
const DACL: u32 = 4;

impl State {
    /// What a handle stands for.
    pub(super) fn object_of(&self, handle: usize) -> Option<Object> {
        self.handles.get(&handle).map(|handle| handle.object.clone())
    }
}

impl Core {
    /// Opens a handle for the driver that calls.
    pub(super) fn new_handle(&self, object: Object) -> usize {
        let maker = self.maker();
        let mut state = self.state();
        state.next_handle += 4;
        let value = state.next_handle;
        state.handles.insert(value, OpenHandle { object, maker });
        value
    }
}

/// `ObOpenObjectByPointer`, for devices.
///
/// # Safety
/// Only the driver may call it.
pub(super) unsafe extern "win64" fn open_by_pointer(
    object: usize,
    _attributes: u32,
    _access_state: usize,
    _access: u32,
    object_type: usize,
    _mode: i8,
    handle: usize,
) -> i32 {
    let core = processor::core();
    if core.fault() {
        return pool::NO_MEMORY.0;
    }
    if object_type != core.device_object_type() || !core.state().devices.contains_key(&object) {
        return OBJECT_TYPE_MISMATCH.0;
    }
    let value = core.new_handle(Object::Device(object));
    // SAFETY: as the driver vouches.
    unsafe { driver_memory::write(handle, value) };
    NtStatus::SUCCESS.0
}

/// `ZwSetSecurityObject`, for the DACL of devices.
///
/// # Safety
/// Only the driver may call it.
pub(super) unsafe extern "win64" fn set_security(handle: usize, information: u32, descriptor: usize) -> i32 {
    let core = processor::core();
    if core.fault() {
        return NtStatus::ACCESS_DENIED.0;
    }
    // SAFETY: as the driver vouches.
    let length = security::length(|offset, length| unsafe { driver_memory::bytes(descriptor + offset, length) });
    // SAFETY: as the driver vouches.
    let descriptor = unsafe { driver_memory::bytes(descriptor, length) };
    if information != DACL || !security::is_valid(&descriptor) {
        return INVALID_SECURITY_DESCR.0;
    }
    let mut state = core.state();
    let Some(Object::Device(device)) = state.object_of(handle) else {
        drop(state);
        core.report(Rule::HandleInvalid, format!("{handle:#x} is no handle to a device"));
        return INVALID_HANDLE.0;
    };
    if let Some(device) = state.devices.get_mut(&device) {
        device.security = Some(descriptor);
    }
    NtStatus::SUCCESS.0
}

/// `RtlValidRelativeSecurityDescriptor`. A descriptor without a DACL is valid even if a DACL is asked for: it lets everybody
/// in.
///
/// # Safety
/// Only the driver may call it.
pub(super) unsafe extern "win64" fn valid_descriptor(descriptor: usize, length: u32, _required: u32) -> u8 {
    // SAFETY: as the driver vouches.
    let bytes = unsafe { driver_memory::bytes(descriptor, length as usize) };
    u8::from(security::is_valid(&bytes))
}

/// `ZwClose`.
///
/// # Safety
/// Only the driver may call it.
pub(super) unsafe extern "win64" fn close(handle: usize) -> i32 {
    let core = processor::core();
    if core.state().handles.remove(&handle).is_some() {
        return NtStatus::SUCCESS.0;
    }
    core.report(Rule::HandleInvalid, format!("{handle:#x} is closed and was not open"));
    INVALID_HANDLE.0
}
