//! Handles, and the security of what they stand for.

use std::sync::Arc;

use netio_anycast_protocol::status::NtStatus;

use super::pool;
use crate::core::{Core, Object, OpenHandle, State};
use crate::crash;
use crate::objects::ObjectKind;
use crate::violation::Rule;
use crate::{driver_memory, processor, security, status};

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

    /// Opens a handle to an object for the driver that calls.
    pub(super) fn new_object_handle(&self, kind: ObjectKind, address: usize) -> usize {
        self.state().objects.retain(address);
        self.new_handle(Object::Plain(kind, address))
    }
}

/// `ObOpenObjectByPointer`.
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
    let kind = core.state().objects.get(object).map(|header| header.kind);
    let Some(kind) = kind.filter(|kind| object_type == 0 || core.kind_of_type(object_type) == Some(*kind)) else {
        return status::OBJECT_TYPE_MISMATCH.0;
    };
    let value = core.new_object_handle(kind, object);
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
        return status::INVALID_SECURITY_DESCR.0;
    }
    let mut state = core.state();
    let Some(Object::Plain(ObjectKind::Device, device)) = state.object_of(handle) else {
        drop(state);
        core.report(Rule::HandleInvalid, format!("{handle:#x} is no handle to a device"));
        return status::INVALID_HANDLE.0;
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
    let status = close_handle(&processor::core(), handle);
    // SAFETY: there is nothing here to be dropped.
    unsafe { crash::propagate() };
    status.0
}

fn close_handle(core: &Arc<Core>, handle: usize) -> NtStatus {
    let closed = core.state().handles.remove(&handle);
    match closed.map(|closed| closed.object) {
        Some(Object::Plain(_, address)) => core.release_object(address),
        Some(Object::File(file)) => core.close_handle(file),
        Some(Object::Key(_)) => {}
        None => {
            core.report(Rule::HandleInvalid, format!("{handle:#x} is closed and was not open"));
            return status::INVALID_HANDLE;
        }
    }
    NtStatus::SUCCESS
}
