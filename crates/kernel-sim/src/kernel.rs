//! What a test or a tool sees of the simulated kernel.

use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use netio_anycast_protocol::status::NtStatus;
use netio_model::Model;

use crate::control::{Control, Sent};
use crate::core::{Core, Options};
use crate::driver::{LoadError, LoadedDriver};
use crate::file::FileHandle;
use crate::image::Image;
use crate::process::{Context, ProcessId};
use crate::processor::{self, Irql};
use crate::security::{self, Caller, DesiredAccess};
use crate::tally::{Activity, Judgement};
use crate::tracing::{Guid, Trace};
use crate::violation::Violation;

/// A simulated kernel, with its own drivers, devices, registry and NetIO. Clones are the same kernel.
#[derive(Clone, Debug)]
pub struct Kernel {
    core: Arc<Core>,
}

impl Kernel {
    /// A kernel without drivers.
    ///
    /// # Errors
    /// The machine has no address space left for it.
    pub fn new(options: Options) -> io::Result<Self> {
        Ok(Self { core: Core::new(options)? })
    }

    /// Loads a driver, as the service control manager has it loaded. `name` is the service's name.
    ///
    /// # Errors
    /// The image can't be loaded, or DriverEntry failed.
    pub fn load(&self, image: &Image, name: &str) -> Result<Driver, LoadError> {
        let driver = processor::during(Activity::Load, || self.core.load(image, name))?;
        Ok(Driver { driver, core: Arc::clone(&self.core) })
    }

    /// Opens a device, or a name below it, as `NtCreateFile` does for a program. `path` is in the NT namespace.
    ///
    /// # Errors
    /// There is no such device, the caller may not, or what the driver answers.
    pub fn open(&self, path: &str, caller: &Caller, access: DesiredAccess) -> Result<Handle, NtStatus> {
        let handle = self.core.open(path, caller, access)?;
        Ok(Handle { core: Arc::clone(&self.core), handle })
    }

    /// Ends a process, as the system does whatever way it ends: what it has pending is cancelled, and its handles are closed.
    pub fn kill(&self, process: ProcessId) {
        self.core.kill(process);
    }

    /// Everything that drivers have done wrong so far.
    #[must_use]
    pub fn violations(&self) -> Vec<Violation> {
        self.core.violations()
    }

    /// How often each rule was judged so far, by what the drivers were asked to do.
    #[must_use]
    pub fn judgements(&self) -> Vec<Judgement> {
        self.core.tally().judgements()
    }

    /// Panics with every violation in full, if there is any.
    ///
    /// # Panics
    /// If there is a violation.
    pub fn assert_clean(&self) {
        let violations = self.violations();
        let text: Vec<String> = violations.iter().map(ToString::to_string).collect();
        assert!(violations.is_empty(), "the driver broke rules:\n{}", text.join("\n"));
    }

    /// The services that drivers have called, in order; only the first 65,536 are kept.
    #[must_use]
    pub fn calls(&self) -> Vec<&'static str> {
        self.core.calls()
    }

    /// Shuts the system down: every device that was registered for it gets IRP_MJ_SHUTDOWN. Drivers stay loaded then.
    pub fn shut_down(&self) {
        self.core.shut_down();
    }

    /// Listens to a provider of events, of drivers that have registered it or will: to those up to a level (zero stands for all) and
    /// with one of the keywords, or without any. Ends when what is returned is dropped.
    #[must_use]
    pub fn trace(&self, provider: Guid, level: u8, keywords: u64) -> Trace {
        self.core.trace(provider, level, keywords)
    }

    /// What drivers have notified callback objects of, in order: the object's name and the two arguments.
    #[must_use]
    pub fn notifications(&self) -> Vec<(String, [usize; 2])> {
        self.core.look(|it| it.callbacks.notified.clone())
    }

    /// Forgets the services that were called so far, so that those which follow are kept.
    pub fn forget_calls(&self) {
        self.core.forget_calls();
    }

    /// Lets time pass, from each timer and timeout to the next. What follows from one has happened before the next, unless the
    /// calling thread [takes turns](crate::interleave).
    pub fn advance(&self, duration: Duration) {
        self.core.advance(duration);
    }

    /// Whether a driver has crashed: then no driver's code runs any more, and every request fails.
    #[must_use]
    pub fn has_stopped(&self) -> bool {
        self.core.is_stopped()
    }

    /// Arranges or reads NetIO.
    pub fn netio<R>(&self, work: impl FnOnce(&mut Model) -> R) -> R {
        work(&mut self.core.netio().model)
    }

    /// The names of all devices, in lower case.
    #[must_use]
    pub fn devices(&self) -> Vec<String> {
        self.core.device_names()
    }

    /// All symbolic links, in lower case.
    #[must_use]
    pub fn links(&self) -> Vec<String> {
        self.core.link_names()
    }

    /// The DACL of a device in SDDL, if its driver has set one.
    #[must_use]
    pub fn security_of(&self, device: &str) -> Option<String> {
        let state = self.core.state();
        let address = state.names.get(&device.to_lowercase())?;
        state.devices.get(address)?.security.as_deref().map(security::sddl)
    }
}

/// A loaded driver. Dropping this does not unload it.
#[derive(Debug)]
pub struct Driver {
    core: Arc<Core>,
    driver: Arc<LoadedDriver>,
}

impl Driver {
    /// Unloads it, and judges what it has left behind. Returns whether it is gone: if one of its devices is open, it goes when
    /// the last is closed, and nobody can open one meanwhile; if it has no DriverUnload, nothing happens.
    #[must_use]
    pub fn unload(&self) -> bool {
        self.core.unload(&self.driver)
    }

    /// The addresses of this process where its image is mapped, for tools that measure the driver's own instructions.
    #[must_use]
    pub fn code(&self) -> Range<usize> {
        let image = self.driver.image();
        image.base()..image.base() + image.size()
    }
}

/// What a device control ended with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The status.
    pub status: NtStatus,
    /// `IO_STATUS_BLOCK.Information`.
    pub information: usize,
    /// What the caller finds in its output buffer: nothing with an error status.
    pub output: Vec<u8>,
}

/// An open handle to a device; closed when dropped.
#[derive(Debug)]
pub struct Handle {
    core: Arc<Core>,
    handle: FileHandle,
}

impl Handle {
    /// A device control from user mode, as `DeviceIoControl` makes it.
    #[must_use]
    pub fn control(&self, code: u32, input: &[u8], output_length: usize) -> Reply {
        self.start(code, input, output_length).wait()
    }

    /// The same from another driver that sends the IRP at a higher IRQL.
    #[must_use]
    pub fn control_at(&self, irql: Irql, code: u32, input: &[u8], output_length: usize) -> Reply {
        self.send(&Control::new(code, input, output_length).at(irql)).wait()
    }

    /// An overlapped device control: it may be pending when this returns.
    #[must_use]
    pub fn start(&self, code: u32, input: &[u8], output_length: usize) -> Pending {
        self.send(&Control::new(code, input, output_length))
    }

    /// Sends a device control of any kind: it may be pending when this returns.
    #[must_use]
    pub fn send(&self, control: &Control<'_>) -> Pending {
        Pending { sent: self.core.control(self.handle, control) }
    }

    /// A second handle to the same file object, of another process perhaps, as `DuplicateHandle` makes it. `None` if this one was
    /// closed by the end of its process.
    #[must_use]
    pub fn duplicate(&self, process: ProcessId) -> Option<Self> {
        let context = Context { process, ..self.handle.context };
        let handle = self.core.duplicate(self.handle, context)?;
        Some(Self { core: Arc::clone(&self.core), handle })
    }

    /// Closes it. With the last handle to its file object IRP_MJ_CLEANUP comes, then, once everything that was sent through it is
    /// completed and no driver refers to the file object, IRP_MJ_CLOSE.
    pub fn close(self) {
        drop(self);
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.core.close_handle(self.handle);
    }
}

/// A device control that may not be completed yet. Dropping this waits for its end.
#[derive(Debug)]
pub struct Pending {
    sent: Sent,
}

impl Pending {
    /// Whether it is not completed yet.
    #[must_use]
    pub fn is_pending(&self) -> bool {
        self.sent.is_pending()
    }

    /// Cancels it, as `CancelIoEx` and the end of its process do. It may end otherwise, if it is ending already.
    pub fn cancel(&self) {
        self.sent.cancel();
    }

    /// Waits for its end. A driver that takes longer than it may breaks a rule.
    #[must_use]
    pub fn wait(mut self) -> Reply {
        self.sent.reply()
    }
}
