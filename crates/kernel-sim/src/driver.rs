//! Loading a driver.

mod call;
mod unload;

use std::mem::offset_of;
use std::sync::Arc;

use netio_anycast_protocol::status::NtStatus;
use thiserror::Error;

use crate::core::Core;
use crate::image::{Image, ImageError, MappedImage};
use crate::layout::{self, DO_DEVICE_INITIALIZING, DeviceObject, DriverObject, MAJOR_FUNCTIONS, UnicodeString};
use crate::major::Major;
use crate::memory::{Block, Placement};
use crate::objects::ObjectKind;
use crate::owner::DriverNumber;
use crate::processor::{self, Irql};
use crate::service::{self, SERVICES};
use crate::trampoline::Thunks;
use crate::violation::Frame;

/// Why a driver is not loaded.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LoadError {
    /// Its image can't be.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// DriverEntry returned this.
    #[error("DriverEntry failed with {0}")]
    DriverEntry(NtStatus),
    /// DriverEntry crashed; the violation tells where.
    #[error("DriverEntry crashed or did not return")]
    Crash,
}

/// A driver in memory.
#[derive(Debug)]
pub(crate) struct LoadedDriver {
    number: DriverNumber,
    name: Arc<str>,
    image: MappedImage,
    /// What its imports are bound to.
    thunks: Thunks,
    object: Block,
    /// The driver's name and its registry path, which the driver may keep pointers to.
    _strings: [Block; 3],
    registry_path: usize,
}

impl LoadedDriver {
    pub(crate) const fn number(&self) -> DriverNumber {
        self.number
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn shared_name(&self) -> Arc<str> {
        Arc::clone(&self.name)
    }

    /// Whether an address is in its image, or in the code through which it calls services.
    pub(crate) fn has_code(&self, address: usize) -> bool {
        self.image.offset(address).is_some() || self.thunks.contains(address)
    }

    pub(crate) const fn image(&self) -> &MappedImage {
        &self.image
    }

    pub(crate) const fn object(&self) -> &Block {
        &self.object
    }

    /// A place in the driver, with its name: the very instruction at `offset`, or the call that returns there.
    pub(crate) fn frame(&self, offset: usize, very: bool) -> Frame {
        let symbol = self.image.describe(if very { offset } else { offset.saturating_sub(1) });
        Frame { symbol, ..self.bare_frame(offset) }
    }

    /// The beginning of a function of the driver, with its name.
    pub(crate) fn frame_of(&self, function: usize) -> Frame {
        self.frame(self.image.offset(function).unwrap_or_default(), true)
    }

    /// A place in the driver, without a name.
    pub(crate) fn bare_frame(&self, offset: usize) -> Frame {
        Frame { driver: self.name().to_owned(), offset, symbol: None }
    }

    /// The address of one of its dispatch routines.
    pub(crate) fn dispatch_routine(&self, major: Major) -> usize {
        // More there are not: what asks for something else is a driver's mistake, and none that is supported.
        let index = usize::from(major.0).min(MAJOR_FUNCTIONS - 1);
        self.object.read(offset_of!(DriverObject, major_function) + index * size_of::<usize>())
    }
}

/// The code of a service that the kernel itself puts into a driver's structures.
fn internal_service(thunks: &Thunks, name: &str) -> usize {
    let index = service::find(service::INTERNAL, name);
    thunks.address(index.expect("the service table has the kernel's own services"))
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

impl Core {
    /// A `UNICODE_STRING` in memory, before its characters.
    pub(crate) fn unicode_string(&self, text: &str) -> Block {
        let characters = utf16(text);
        let header = size_of::<UnicodeString>();
        let block = self.arena.allocate(header + characters.len(), Placement::AtEnd, 0);
        block.write(0, &counted(block.address() + header, characters.len()));
        block.write_bytes(header, &characters);
        block
    }

    /// Maps the image and runs DriverEntry.
    pub(crate) fn load(self: &Arc<Self>, image: &Image, name: &str) -> Result<Arc<LoadedDriver>, LoadError> {
        let number = self.next_driver();
        let thunks = Thunks::new(SERVICES, number).map_err(ImageError::Map)?;
        let mapped = MappedImage::new(image, &self.arena, self.options.coverage.as_ref(), |module, name| {
            self.export(&thunks, module, name)
        })?;
        let driver = Arc::new(self.driver_object(number, thunks, mapped, name));
        let mut state = self.state();
        state.drivers.insert(driver.object.address(), Arc::clone(&driver));
        state.objects.insert(driver.object.address(), ObjectKind::Driver);
        drop(state);
        let arguments = [driver.object.address(), driver.registry_path];
        let result = self.call_driver(&driver, driver.image.entry(), &arguments, Irql::PASSIVE_LEVEL, None);
        let status = match result {
            Ok((value, after)) => {
                self.judge_irql(&driver, driver.image.entry(), (Irql::PASSIVE_LEVEL, after), None);
                returned_status(value)
            }
            Err(_) => return Err(LoadError::Crash),
        };
        if status.is_error() {
            self.remove(&driver);
            return Err(LoadError::DriverEntry(status));
        }
        self.finish_initialization(&driver);
        Ok(driver)
    }

    /// What an import of a driver is bound to: its way to a service, or the address of exported data.
    fn export(&self, thunks: &Thunks, module: &str, name: &str) -> Option<usize> {
        if name == "ExAllocatePool2" && !self.options.allocate_pool2 {
            return None;
        }
        let data = self.exported_data(module, name);
        data.or_else(|| service::find(module, name).map(|index| thunks.address(index)))
    }

    /// What ntoskrnl exports under a name, as the driver that asks is to call it.
    pub(crate) fn system_routine(&self, name: &str) -> Option<usize> {
        let driver = self.driver(processor::driver())?;
        self.export(&driver.thunks, service::NTOSKRNL, name)
    }

    /// The cancel routine of IRPs in the cancel-safe queues of the driver that asks.
    pub(crate) fn cancel_safe_queue_routine(&self) -> usize {
        let driver = self.driver(processor::driver());
        driver.map_or(0, |driver| internal_service(&driver.thunks, "IopCsqCancelRoutine"))
    }

    fn driver_object(&self, number: DriverNumber, thunks: Thunks, image: MappedImage, name: &str) -> LoadedDriver {
        // What the I/O manager answers for a driver that does not.
        let invalid = internal_service(&thunks, "IopInvalidDeviceRequest");
        let driver_name = self.unicode_string(&format!(r"\Driver\{name}"));
        let registry = self.unicode_string(&format!(r"\Registry\Machine\System\CurrentControlSet\Services\{name}"));
        let extension = self.arena.allocate(0x50, Placement::AtEnd, 0);
        let object = self.arena.allocate(size_of::<DriverObject>(), Placement::AtEnd, 0);
        extension.write(0, &object.address());
        object.write(
            0,
            &DriverObject {
                kind: layout::TYPE_DRIVER,
                size: 0x150,
                padding: 0,
                device_object: 0,
                flags: 0,
                driver_start: image.base(),
                driver_size: image.size() as u64,
                driver_section: 0,
                driver_extension: extension.address(),
                driver_name: driver_name.read(0),
                hardware_database: 0,
                fast_io_dispatch: 0,
                driver_init: image.entry(),
                driver_start_io: 0,
                driver_unload: 0,
                major_function: [invalid; MAJOR_FUNCTIONS],
            },
        );
        let registry_path = registry.address();
        LoadedDriver {
            number,
            name: name.into(),
            image,
            thunks,
            object,
            _strings: [driver_name, registry, extension],
            registry_path,
        }
    }

    /// What the I/O manager does after DriverEntry has succeeded: the devices can be opened, initialization code goes.
    /// Source: <https://learn.microsoft.com/windows-hardware/drivers/kernel/clearing-the-do-device-initializing-flag>
    fn finish_initialization(&self, driver: &Arc<LoadedDriver>) {
        driver.image.discard_initialization().expect("pages of a mapped image can be protected");
        for device in self.state().devices.values().filter(|device| Arc::ptr_eq(&device.driver, driver)) {
            let flags = device.header().flags & !DO_DEVICE_INITIALIZING;
            device.object.write(offset_of!(DeviceObject, flags), &flags);
        }
    }
}

/// The NTSTATUS that a driver's function returned: the lower half of RAX.
pub(crate) const fn returned_status(value: usize) -> NtStatus {
    let [first, second, third, fourth, ..] = value.to_le_bytes();
    NtStatus(i32::from_le_bytes([first, second, third, fourth]))
}

fn counted(address: usize, length: usize) -> UnicodeString {
    let length = u16::try_from(length).unwrap_or(u16::MAX - 1);
    UnicodeString { length, maximum_length: length, padding: 0, buffer: address }
}
