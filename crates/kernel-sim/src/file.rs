//! The I/O manager: opening, controlling and closing devices.

use std::mem::offset_of;
use std::sync::{Arc, Mutex, Weak};

use netio_anycast_protocol::status::NtStatus;

use crate::core::{Core, Known, lock};
use crate::driver::{LoadedDriver, returned_status};
use crate::kernel::Reply;
use crate::layout::{self, DO_DEVICE_INITIALIZING, DO_EXCLUSIVE, DeviceObject, FILE_DEVICE_SECURE_OPEN, FileObject};
use crate::memory::{Block, Placement};
use crate::processor::Irql;
use crate::request::{Event, Lengths, Major, Outcome, Request};
use crate::security::{self, Caller, DesiredAccess};
use crate::tally::{Activity, Occasion};
use crate::violation::Rule;
use crate::{io_buffers, request};

const NO_SUCH_DEVICE: NtStatus = NtStatus::from_bits(0xC000_000E);
/// The access bits of a control code, `FILE_READ_ACCESS` and `FILE_WRITE_ACCESS`, where `CTL_CODE` puts them.
const READ_ACCESS: u32 = 1 << 14;
const WRITE_ACCESS: u32 = 2 << 14;
/// `UserMode` and `KernelMode`.
const USER_MODE: i8 = 1;
const KERNEL_MODE: i8 = 0;

/// A file object.
#[derive(Debug)]
pub(crate) struct File {
    core: Arc<Core>,
    device: usize,
    driver: Arc<LoadedDriver>,
    access: DesiredAccess,
    object: Block,
    _name: Block,
    /// What was sent through it and was pending then.
    requests: Mutex<Vec<Weak<Request>>>,
}

impl Core {
    /// Opens what `path` leads to.
    ///
    /// Source: <https://learn.microsoft.com/windows-hardware/drivers/kernel/controlling-device-namespace-access>
    pub(crate) fn open(self: &Arc<Self>, path: &str, caller: &Caller, access: DesiredAccess) -> Result<File, NtStatus> {
        if self.is_stopped() {
            return Err(NtStatus::UNSUCCESSFUL);
        }
        let (device, below, driver) = self.admit(path, caller, access)?;
        let name = self.unicode_string(&below);
        let object = self.arena.allocate(size_of::<FileObject>(), Placement::AtEnd, 0);
        object.write(offset_of!(FileObject, kind), &layout::TYPE_FILE);
        object.write(offset_of!(FileObject, size), &0xD8_i16);
        object.write(offset_of!(FileObject, device_object), &device);
        object.write(offset_of!(FileObject, read_access), &u8::from(access.reads()));
        object.write(offset_of!(FileObject, write_access), &u8::from(access.writes()));
        object.write(offset_of!(FileObject, file_name), &name.read::<layout::UnicodeString>(0));
        let file =
            File { core: Arc::clone(self), device, driver, access, object, _name: name, requests: Mutex::default() };
        let outcome = file.send_simple(Major::Create);
        if outcome.status.is_error() {
            // The file object goes without IRP_MJ_CLEANUP and IRP_MJ_CLOSE: it was never open.
            self.state().dereference_device(device);
            return Err(outcome.status);
        }
        Ok(file)
    }

    /// Finds the device and lets the caller in, or not. Counts the file object.
    fn admit(
        &self,
        path: &str,
        caller: &Caller,
        access: DesiredAccess,
    ) -> Result<(usize, String, Arc<LoadedDriver>), NtStatus> {
        let mut state = self.state();
        let (address, below) = state.resolve(path).ok_or(NtStatus::OBJECT_NAME_NOT_FOUND)?;
        let device = state.devices.get(&address).ok_or(NtStatus::OBJECT_NAME_NOT_FOUND)?;
        let DeviceObject { flags, characteristics, .. } = device.header();
        let unloading = state.unloading.contains(&device.driver.object().address());
        if unloading || flags & DO_DEVICE_INITIALIZING != 0 {
            return Err(NO_SUCH_DEVICE);
        }
        // Without FILE_DEVICE_SECURE_OPEN a name below the device is the driver's own affair.
        if below.is_empty() || characteristics & FILE_DEVICE_SECURE_OPEN != 0 {
            let default = security::default_descriptor();
            if !security::grants(device.security.as_ref().unwrap_or(&default), caller, access) {
                return Err(NtStatus::ACCESS_DENIED);
            }
        }
        if flags & DO_EXCLUSIVE != 0 && device.references > 0 {
            return Err(NtStatus::ACCESS_DENIED);
        }
        let driver = Arc::clone(&device.driver);
        state.reference_device(address);
        Ok((address, below, driver))
    }

    /// Sends an IRP to the driver of `device`. Returns how it ended, or `None` if it is pending.
    fn send(
        self: &Arc<Self>,
        driver: &LoadedDriver,
        device: usize,
        request: &Arc<Request>,
        irql: Irql,
    ) -> Option<Outcome> {
        self.state().requests.insert(request.address, Known::Recent(Arc::downgrade(request)));
        request.note(Event::Sent(irql));
        let routine = driver.dispatch_routine(request.major as u8);
        let result = self.call_driver(driver, routine, [device, request.address, 0, 0], irql, Some(request));
        match result {
            Ok((value, after)) => {
                self.judge_irql(driver, routine, (irql, after), Some(request));
                self.judge_return(driver, request, returned_status(value))
            }
            Err(_) => Some(Outcome::bare(NtStatus::UNSUCCESSFUL)),
        }
    }

    /// Judges what a dispatch routine returned.
    ///
    /// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-iomarkirppending>
    fn judge_return(&self, driver: &LoadedDriver, request: &Arc<Request>, returned: NtStatus) -> Option<Outcome> {
        request.note(Event::Returned(returned));
        self.tally().occasion(Activity::of(request), Occasion::Dispatched);
        let report = |rule, detail: &str| {
            let routine = driver.dispatch_routine(request.major as u8);
            self.report_at(rule, detail, vec![driver.frame_of(routine)], Some(request));
        };
        let marked = request.is_marked_pending();
        let outcome = request.outcome();
        if returned == NtStatus::PENDING {
            if marked == Some(false) || outcome.as_ref().is_some_and(|outcome| !outcome.marked_pending) {
                report(Rule::IrpPendingMismatch, "STATUS_PENDING was returned without IoMarkIrpPending");
            }
            if outcome.is_none() {
                self.tally().occasion(Activity::of(request), Occasion::Pended);
            }
            return outcome;
        }
        match &outcome {
            None => report(Rule::IrpNotCompleted, "the dispatch routine returned without completing it"),
            Some(outcome) if outcome.marked_pending => {
                report(Rule::IrpPendingMismatch, "it was marked pending, and STATUS_PENDING was not returned");
            }
            Some(outcome) if outcome.status != returned => report(Rule::IrpStatusMismatch, "the statuses differ"),
            Some(_) => {}
        }
        outcome.or_else(|| Some(Outcome::bare(returned)))
    }

    /// Waits until a pending IRP is completed.
    fn wait(self: &Arc<Self>, driver: &LoadedDriver, request: &Request) -> Outcome {
        let due = self.is_stopped().then_some(0);
        self.wait_until(due, |_| request.outcome()).unwrap_or_else(|_| {
            if !self.is_stopped() {
                let routine = driver.dispatch_routine(request.major as u8);
                self.report_at(
                    Rule::IrpLost,
                    "it was not completed in time",
                    vec![driver.frame_of(routine)],
                    Some(request),
                );
            }
            Outcome::bare(NtStatus::UNSUCCESSFUL)
        })
    }
}

/// A device control that was sent.
#[derive(Debug)]
pub(crate) struct Sent {
    file: Arc<File>,
    request: Option<Arc<Request>>,
    outcome: Option<Outcome>,
}

impl Sent {
    /// A request that the I/O manager has refused itself.
    fn refused(file: Arc<File>, status: NtStatus) -> Self {
        Self { file, request: None, outcome: Some(Outcome::bare(status)) }
    }

    /// Whether it is not completed yet.
    pub(crate) fn is_pending(&self) -> bool {
        self.outcome.is_none() && self.request.as_ref().is_some_and(|request| request.outcome().is_none())
    }

    /// Cancels it, if it is pending.
    pub(crate) fn cancel(&self) {
        if let Some(request) = self.request.as_ref().filter(|_| self.is_pending() && !self.file.core.is_stopped()) {
            self.file.core.cancel(&self.file.driver, self.file.device, request);
        }
    }

    /// Waits until it is completed.
    pub(crate) fn reply(&mut self) -> Reply {
        if let (None, Some(request)) = (&self.outcome, &self.request) {
            self.outcome = Some(self.file.core.wait(&self.file.driver, request));
        }
        let outcome = self.outcome.clone().unwrap_or_else(|| Outcome::bare(NtStatus::UNSUCCESSFUL));
        Reply { status: outcome.status, information: outcome.information, output: outcome.output }
    }
}

impl Drop for Sent {
    /// Nothing of the request is of interest any more: another may have its address.
    fn drop(&mut self) {
        self.reply();
        if let Some(request) = &self.request {
            lock(&self.file.requests).retain(|other| other.as_ptr() != Arc::as_ptr(request));
            self.file.core.state().requests.insert(request.address, Known::Past);
        }
    }
}

impl File {
    /// IRP_MJ_CREATE, IRP_MJ_CLEANUP or IRP_MJ_CLOSE.
    fn send_simple(&self, major: Major) -> Outcome {
        let mut memory = self.memory(Lengths::default(), &[]);
        let mut location = self.location(major);
        if major == Major::Create {
            let context = self.core.arena.allocate(0x18, Placement::AtEnd, 0);
            context.write(0x10, &self.access.bits());
            // FILE_OPEN as the disposition, in the highest byte; FILE_SHARE_READ | FILE_SHARE_WRITE.
            location.parameters = [context.address() as u64, 1 << 24, 3 << 16, 0];
            memory.others.push(context);
        }
        request::initialize(&memory.irp, io_buffers::header(&memory, USER_MODE), &location, self.stack_size());
        let request = Request::new(major, Lengths::default(), self.core.poison(), memory);
        let outcome = self.core.send(&self.driver, self.device, &request, Irql::PASSIVE_LEVEL);
        let outcome = outcome.unwrap_or_else(|| self.core.wait(&self.driver, &request));
        self.core.state().requests.insert(request.address, Known::Past);
        outcome
    }

    /// IRP_MJ_DEVICE_CONTROL.
    pub(crate) fn control(self: &Arc<Self>, code: u32, input: &[u8], output_length: usize, irql: Irql) -> Sent {
        if self.core.is_stopped() {
            return Sent::refused(Arc::clone(self), NtStatus::UNSUCCESSFUL);
        }
        // Source: https://learn.microsoft.com/windows-hardware/drivers/kernel/defining-i-o-control-codes
        if (code & READ_ACCESS != 0 && !self.access.reads()) || (code & WRITE_ACCESS != 0 && !self.access.writes()) {
            return Sent::refused(Arc::clone(self), NtStatus::ACCESS_DENIED);
        }
        let lengths = Lengths { code, input: input.len(), output: output_length };
        let memory = self.memory(lengths, input);
        let poison = self.core.poison();
        let mut location = self.location(Major::DeviceControl);
        location.parameters = io_buffers::parameters(&memory, lengths);
        if let Some(buffer) = &memory.system_buffer {
            buffer.fill_pattern(input.len(), poison);
        }
        let mode = if irql == Irql::PASSIVE_LEVEL { USER_MODE } else { KERNEL_MODE };
        request::initialize(&memory.irp, io_buffers::header(&memory, mode), &location, self.stack_size());
        let request = Request::new(Major::DeviceControl, lengths, poison, memory);
        let outcome = self.core.send(&self.driver, self.device, &request, irql);
        if outcome.is_none() {
            lock(&self.requests).push(Arc::downgrade(&request));
        }
        Sent { file: Arc::clone(self), request: Some(request), outcome }
    }

    fn memory(&self, lengths: Lengths, input: &[u8]) -> request::Memory {
        io_buffers::allocate(&self.core.arena, lengths, input, request::irp_length(self.stack_size()))
    }

    fn location(&self, major: Major) -> layout::StackLocation {
        layout::StackLocation {
            major_function: major as u8,
            minor_function: 0,
            flags: 0,
            control: 0,
            padding: 0,
            parameters: [0; 4],
            device_object: self.device,
            file_object: self.object.address(),
            completion_routine: 0,
            context: 0,
        }
    }

    fn stack_size(&self) -> i8 {
        let state = self.core.state();
        state.devices.get(&self.device).map_or(1, |device| device.header().stack_size.max(1))
    }
}

impl File {
    /// Closes the last handle: IRP_MJ_CLEANUP, upon which the driver completes what is pending, then IRP_MJ_CLOSE.
    /// Source: <https://learn.microsoft.com/windows-hardware/drivers/ifs/irp-mj-cleanup>
    pub(crate) fn close(&self) {
        if !self.core.is_stopped() {
            self.send_simple(Major::Cleanup);
        }
        for request in lock(&self.requests).drain(..).filter_map(|request| request.upgrade()) {
            if request.outcome().is_none() {
                self.core.wait(&self.driver, &request);
            }
        }
        if !self.core.is_stopped() {
            self.send_simple(Major::Close);
        }
        self.core.state().dereference_device(self.device);
    }
}
