//! Loading a driver, unloading it, and what must not be left then.

use std::mem::offset_of;
use std::sync::Arc;

use netio_anycast_protocol::status::NtStatus;
use thiserror::Error;

use crate::core::Core;
use crate::crash::{self, Crash};
use crate::image::{Image, ImageError, MappedImage};
use crate::layout::{self, DO_DEVICE_INITIALIZING, DeviceObject, DriverObject, MAJOR_FUNCTIONS, UnicodeString};
use crate::memory::{Block, Placement};
use crate::owner::DriverNumber;
use crate::processor::{self, Irql};
use crate::request::Request;
use crate::schedule;
use crate::service::{self, SERVICES};
use crate::tally::Occasion;
use crate::trampoline::Thunks;
use crate::violation::{Frame, Rule};
use crate::watchdog;

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
    name: String,
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
        Frame { driver: self.name.clone(), offset, symbol: None }
    }

    /// The address of one of its dispatch routines.
    pub(crate) fn dispatch_routine(&self, major: u8) -> usize {
        self.object.read(offset_of!(DriverObject, major_function) + usize::from(major) * size_of::<usize>())
    }
}

/// How much of a thread's stack a call into a driver may have used.
const DRIVER_STACK: usize = 256 << 10;

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
        let mapped =
            MappedImage::new(image, self.options.coverage.as_ref(), |module, name| self.export(&thunks, module, name))?;
        let driver = Arc::new(self.driver_object(number, thunks, mapped, name));
        self.state().drivers.insert(driver.object.address(), Arc::clone(&driver));
        let arguments = [driver.object.address(), driver.registry_path, 0, 0];
        let result = self.call_driver(&driver, driver.image.entry(), arguments, Irql::PASSIVE_LEVEL, None);
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
            name: name.to_owned(),
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

    /// Calls the driver at an IRQL. Returns what it returns, and the IRQL at which it does.
    pub(crate) fn call_driver(
        self: &Arc<Self>,
        driver: &LoadedDriver,
        function: usize,
        arguments: [usize; 4],
        irql: Irql,
        request: Option<&Arc<Request>>,
    ) -> Result<(usize, Irql), Crash> {
        let outer = processor::irql();
        let regions = (processor::critical_regions(), processor::guarded_regions());
        let _running = self.run();
        let result = processor::enter(self, driver, request, || {
            processor::set_irql(irql);
            let outer = schedule::open(Some(processor::activity()));
            let code = driver.image.base()..driver.image.base() + driver.image.size();
            self.occasion(Occasion::Entered);
            let _watch = watchdog::watch(self.options.time_limit);
            // SAFETY: the function is the driver's, whose image is mapped as long as it is loaded, or a service's.
            let result = unsafe { crash::call(code, function, arguments) };
            match &result {
                Ok(_) => {
                    self.occasion(Occasion::Returned);
                    self.judge_held(regions);
                    let end = processor::stack_end();
                    self.judge_memory(&(end - DRIVER_STACK..end));
                }
                Err(crash) => self.report_crash(*crash),
            }
            schedule::open(outer);
            result.map(|value| (value, processor::irql()))
        });
        processor::set_irql(outer);
        result
    }

    /// Judges the IRQL at which a function of the driver was called, and at which it returned.
    pub(crate) fn judge_irql(
        &self,
        driver: &LoadedDriver,
        function: usize,
        (before, after): (Irql, Irql),
        request: Option<&Request>,
    ) {
        if before != after {
            let detail = format!("it was called at {before} and returned at {after}");
            self.report_at(Rule::IrqlChanged, detail, vec![driver.frame_of(function)], request);
        }
    }

    /// The driver crashed: on Windows this is the end of everything.
    fn report_crash(&self, crash: Crash) {
        self.stop();
        let mut stack = self.frames(Some(crash.stack));
        if stack.is_empty() {
            // Inside a service, or at no address at all.
            stack = self.frames(processor::call().map(|call| call.stack));
        }
        let request = processor::request();
        let (rule, detail) = match crash.signal {
            watchdog::SIGNAL => (Rule::TimeLimit, format!("it did not return within {:?}", self.options.time_limit)),
            libc::SIGSEGV | libc::SIGBUS => (Rule::Crash, format!("access violation at address {:#x}", crash.address)),
            libc::SIGILL => (Rule::Crash, "illegal instruction".to_owned()),
            libc::SIGFPE => (Rule::Crash, "division by zero".to_owned()),
            signal => (Rule::Crash, format!("stopped by signal {signal}")),
        };
        self.report_at(rule, detail, stack, request.as_deref());
    }

    /// Runs DriverUnload, and takes the driver away. Returns false, and does nothing, if it has no DriverUnload or a handle
    /// to one of its devices is open.
    pub(crate) fn unload(self: &Arc<Self>, driver: &Arc<LoadedDriver>) -> bool {
        if self.is_stopped() {
            // It never goes: there may be anything left of it.
            return true;
        }
        let routine: usize = driver.object.read(offset_of!(DriverObject, driver_unload));
        let mut state = self.state();
        let open = state.devices.values().any(|it| Arc::ptr_eq(&it.driver, driver) && it.references > 0);
        if routine == 0 || open || !state.unloading.insert(driver.object.address()) {
            return false;
        }
        drop(state);
        let arguments = [driver.object.address(), 0, 0, 0];
        if let Ok((_, after)) = self.call_driver(driver, routine, arguments, Irql::PASSIVE_LEVEL, None) {
            self.judge_irql(driver, routine, (Irql::PASSIVE_LEVEL, after), None);
            self.remove(driver);
        }
        true
    }

    /// Takes away a driver whose code will not run any more, and reports what it has left.
    fn remove(self: &Arc<Self>, driver: &Arc<LoadedDriver>) {
        self.finish_work(driver.number);
        self.judge_in_use(driver);
        self.report_leftovers(driver);
        self.forget(driver);
        let mut state = self.state();
        state.drivers.remove(&driver.object.address());
        state.unloading.remove(&driver.object.address());
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
