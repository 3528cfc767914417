//! Device objects, and the names that lead to them.

use std::mem::offset_of;
use std::ops::Range;
use std::sync::Arc;

use crate::core::{Core, State};
use crate::driver::LoadedDriver;
use crate::layout::{DeviceObject, DriverObject};
use crate::memory::Block;
use crate::owner::Maker;

/// A device that a driver has created.
#[derive(Debug)]
pub(crate) struct Device {
    pub(crate) object: Block,
    /// The extension, in memory of its own so that straying out of it is noticed.
    pub(crate) extension: Option<Block>,
    pub(crate) driver: Arc<LoadedDriver>,
    /// Who created it.
    pub(crate) maker: Maker,
    /// In lower case.
    pub(crate) name: Option<String>,
    /// The security descriptor, self-relative, once it was set.
    pub(crate) security: Option<Vec<u8>>,
    /// The file objects that are open.
    pub(crate) references: i32,
    /// The driver has deleted it; it goes with the last reference.
    pub(crate) deleted: bool,
}

impl Device {
    pub(crate) fn header(&self) -> DeviceObject {
        self.object.read(0)
    }

    fn set_references(&mut self, references: i32) {
        self.references = references;
        self.object.write(offset_of!(DeviceObject, reference_count), &references);
    }
}

impl State {
    /// Follows symbolic links from `path` to a device. Returns its address and what is left of the path behind its name.
    pub(crate) fn resolve(&self, path: &str) -> Option<(usize, String)> {
        let mut path = path.to_owned();
        // More links than that lead in a circle.
        for _ in 0..8 {
            if let Some((address, rest)) = strip_first(&self.names, &path) {
                return Some((*address, rest.to_owned()));
            }
            let (link, rest) = strip_first(&self.links, &path)?;
            path = format!("{}{rest}", link.target);
        }
        None
    }

    /// Counts a file object more.
    pub(crate) fn open_device(&mut self, address: usize) {
        self.objects.retain(address);
        if let Some(device) = self.devices.get_mut(&address) {
            device.set_references(device.references + 1);
        }
    }

    /// How many stack locations an IRP for a device needs.
    pub(crate) fn stack_size(&self, device: usize) -> i8 {
        self.devices.get(&device).map_or(1, |device| device.header().stack_size.max(1))
    }

    /// Whether one of a driver's devices is open.
    pub(crate) fn is_driver_open(&self, driver: &Arc<LoadedDriver>) -> bool {
        self.devices.values().any(|it| Arc::ptr_eq(&it.driver, driver) && it.references > 0)
    }

    /// Takes a device out of its driver's list and its name out of the namespace. It goes when it is released.
    pub(crate) fn delete_device(&mut self, address: usize) {
        let Some(device) = self.devices.get_mut(&address) else { return };
        device.deleted = true;
        let next = device.header().next_device;
        let (name, driver) = (device.name.take(), Arc::clone(&device.driver));
        if let Some(name) = name {
            self.names.remove(&name);
        }
        self.unlink(&driver, address, next);
    }

    /// The memory of a device's extension, if it goes with the device as soon as that is deleted.
    pub(crate) fn extension_that_goes(&self, address: usize) -> Option<Range<usize>> {
        let device = self.devices.get(&address).filter(|device| !device.deleted)?;
        if !self.objects.get(address)?.is_referenced_once() {
            return None;
        }
        let extension = device.extension.as_ref()?;
        Some(extension.address()..extension.address() + extension.length())
    }

    fn unlink(&self, driver: &LoadedDriver, address: usize, next: usize) {
        let first: usize = driver.object().read(offset_of!(DriverObject, device_object));
        if first == address {
            driver.object().write(offset_of!(DriverObject, device_object), &next);
        }
        for device in self.devices.values() {
            if device.header().next_device == address {
                device.object.write(offset_of!(DeviceObject, next_device), &next);
            }
        }
    }
}

/// The entry whose name `path` begins with, and what follows it: nothing, or a name that begins with a backslash.
fn strip_first<'a, T>(names: &'a std::collections::BTreeMap<String, T>, path: &'a str) -> Option<(&'a T, &'a str)> {
    let lower = path.to_lowercase();
    names.iter().find_map(|(name, value)| {
        let rest = path.get(name.len()..)?;
        (lower.starts_with(name.as_str()) && (rest.is_empty() || rest.starts_with('\\'))).then_some((value, rest))
    })
}

impl Core {
    /// A file object less is open. With the last of a driver that is to be unloaded, it is.
    pub(crate) fn close_device(self: &Arc<Self>, address: usize) {
        let mut state = self.state();
        let driver = state.devices.get_mut(&address).map(|device| {
            device.set_references(device.references - 1);
            Arc::clone(&device.driver)
        });
        drop(state);
        self.release_object(address);
        if let Some(driver) = driver {
            self.unload_when_closed(&driver);
        }
    }

    /// The names of the devices that are there, in lower case.
    pub(crate) fn device_names(&self) -> Vec<String> {
        self.state().names.keys().cloned().collect()
    }

    /// The symbolic links that are there, in lower case.
    pub(crate) fn link_names(&self) -> Vec<String> {
        self.state().links.keys().cloned().collect()
    }
}
