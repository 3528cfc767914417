//! Devices and symbolic links.

use std::mem::offset_of;
use std::sync::Arc;

use netio_anycast_protocol::status::NtStatus;

use super::pool;
use crate::core::{Core, Link};
use crate::device::Device;
use crate::driver::LoadedDriver;
use crate::layout::{self, DO_DEVICE_HAS_NAME, DO_DEVICE_INITIALIZING, DO_EXCLUSIVE, DeviceObject, DriverObject};
use crate::memory::{Block, Placement};
use crate::objects::ObjectKind;
use crate::violation::Rule;
use crate::{driver_memory, processor};

/// `IoCreateDevice`.
///
/// # Safety
/// Only the driver may call it.
pub(super) unsafe extern "win64" fn create(
    driver: usize,
    extension_size: u32,
    name: usize,
    device_type: u32,
    characteristics: u32,
    exclusive: u8,
    device: usize,
) -> i32 {
    let core = processor::core();
    if core.fault() {
        return pool::NO_MEMORY.0;
    }
    // SAFETY: as the driver vouches.
    let name = (name != 0).then(|| unsafe { driver_memory::string(name) });
    let Some(owner) = core.state().drivers.get(&driver).cloned() else {
        core.report(Rule::DeviceInvalid, format!("{driver:#x} is no driver object"));
        return NtStatus::INVALID_PARAMETER.0;
    };
    let flags = DO_DEVICE_INITIALIZING
        | if name.is_some() { DO_DEVICE_HAS_NAME } else { 0 }
        | if exclusive == 0 { 0 } else { DO_EXCLUSIVE };
    let new = New { extension_size: extension_size as usize, device_type, characteristics, flags, name };
    match core.create_device(&owner, new) {
        Ok(address) => {
            // SAFETY: as the driver vouches.
            unsafe { driver_memory::write(device, address) };
            NtStatus::SUCCESS.0
        }
        Err(status) => status.0,
    }
}

struct New {
    extension_size: usize,
    device_type: u32,
    characteristics: u32,
    flags: u32,
    name: Option<String>,
}

impl Core {
    fn create_device(&self, driver: &Arc<LoadedDriver>, new: New) -> Result<usize, NtStatus> {
        let name = new.name.map(|name| name.to_lowercase());
        let object = self.arena.allocate(size_of::<DeviceObject>(), Placement::AtEnd, 0);
        let extension = (new.extension_size > 0).then(|| self.arena.allocate(new.extension_size, Placement::AtEnd, 0));
        let first = offset_of!(DriverObject, device_object);
        let address = object.address();
        object.write(offset_of!(DeviceObject, kind), &layout::TYPE_DEVICE);
        object.write(offset_of!(DeviceObject, size), &0x150_u16);
        object.write(offset_of!(DeviceObject, driver_object), &driver.object().address());
        object.write(offset_of!(DeviceObject, flags), &new.flags);
        object.write(offset_of!(DeviceObject, characteristics), &new.characteristics);
        object.write(offset_of!(DeviceObject, device_extension), &extension.as_ref().map_or(0, Block::address));
        object.write(offset_of!(DeviceObject, device_type), &new.device_type);
        object.write(offset_of!(DeviceObject, stack_size), &1_i8);
        let maker = self.maker();
        let mut state = self.state();
        if let Some(name) = &name {
            if state.names.contains_key(name) {
                return Err(NtStatus::OBJECT_NAME_COLLISION);
            }
            state.names.insert(name.clone(), address);
        }
        object.write(offset_of!(DeviceObject, next_device), &driver.object().read::<usize>(first));
        driver.object().write(first, &address);
        let driver = Arc::clone(driver);
        let device = Device { object, extension, driver, maker, name, security: None, references: 0, deleted: false };
        state.devices.insert(address, device);
        state.objects.insert(address, ObjectKind::Device);
        Ok(address)
    }
}

/// `IoDeleteDevice`.
///
/// # Safety
/// Only the driver may call it.
pub(super) unsafe extern "win64" fn delete(device: usize) {
    let core = processor::core();
    let extension = core.state().extension_that_goes(device);
    if let Some(extension) = extension {
        core.judge_memory(&extension);
    }
    let mut state = core.state();
    if state.devices.get(&device).is_some_and(|device| !device.deleted) {
        state.delete_device(device);
        drop(state);
        return core.release_object(device);
    }
    drop(state);
    core.report(Rule::DeviceInvalid, format!("{device:#x} is no device"));
}

/// `IoCreateSymbolicLink`.
///
/// # Safety
/// Only the driver may call it.
pub(super) unsafe extern "win64" fn create_link(link: usize, target: usize) -> i32 {
    let core = processor::core();
    if core.fault() {
        return pool::NO_MEMORY.0;
    }
    // SAFETY: as the driver vouches.
    let link = unsafe { driver_memory::string(link) };
    // SAFETY: as the driver vouches.
    let target = unsafe { driver_memory::string(target) };
    let maker = core.maker();
    let mut state = core.state();
    if state.links.contains_key(&link.to_lowercase()) {
        return NtStatus::OBJECT_NAME_COLLISION.0;
    }
    state.links.insert(link.to_lowercase(), Link { target, maker });
    NtStatus::SUCCESS.0
}

/// `IoDeleteSymbolicLink`.
///
/// # Safety
/// Only the driver may call it.
pub(super) unsafe extern "win64" fn delete_link(link: usize) -> i32 {
    let core = processor::core();
    // SAFETY: as the driver vouches.
    let link = unsafe { driver_memory::string(link) };
    match core.state().links.remove(&link.to_lowercase()) {
        Some(_) => NtStatus::SUCCESS.0,
        None => NtStatus::OBJECT_NAME_NOT_FOUND.0,
    }
}
