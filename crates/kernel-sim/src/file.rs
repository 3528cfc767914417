//! File objects: opening devices, for programs and for drivers, and closing them.

use std::collections::BTreeMap;
use std::mem::offset_of;
use std::sync::Arc;

use netio_anycast_protocol::status::NtStatus;

use crate::core::{Core, State};
use crate::io_buffers;
use crate::irp_memory::{self, IrpMemory};
use crate::layout::{
    self, DO_DEVICE_INITIALIZING, DO_EXCLUSIVE, DeviceObject, FILE_DEVICE_SECURE_OPEN, FileObject, Irp, StackLocation,
};
use crate::major::Major;
use crate::memory::{Block, Placement};
use crate::objects::ObjectKind;
use crate::owner::Maker;
use crate::process::{Context, Mode, ProcessId};
use crate::processor::{self, Irql};
use crate::request::{Buffers, Lengths, Memory, New, Origin, Outcome, Request};
use crate::security::{self, Caller, DesiredAccess};
use crate::status;

/// A file object that is open.
#[derive(Debug)]
pub(crate) struct File {
    object: Block,
    _name: Block,
    pub(crate) device: usize,
    pub(crate) access: DesiredAccess,
    /// The driver that has opened it, if that was not a program.
    pub(crate) opener: Maker,
    /// The open handles, by their numbers, and whose they are.
    handles: BTreeMap<u64, ProcessId>,
}

/// A handle to a file object.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FileHandle {
    /// The address of the file object.
    pub(crate) file: usize,
    pub(crate) number: u64,
    /// Who has opened it.
    pub(crate) context: Context,
}

/// An IRP of the I/O manager's that is going to be sent.
pub(crate) struct FileRequest {
    pub(crate) device: usize,
    /// The address of the file object; zero if there is none.
    pub(crate) file: usize,
    pub(crate) major: Major,
    pub(crate) parameters: [u64; 4],
    pub(crate) lengths: Lengths,
    pub(crate) buffers: Buffers,
    pub(crate) poison: [u8; 8],
    pub(crate) mode: Mode,
}

impl State {
    /// The device of a file object, and what it was opened for.
    pub(crate) fn file(&self, file: usize) -> Option<(usize, DesiredAccess)> {
        self.files.get(&file).map(|file| (file.device, file.access))
    }

    /// Whether a handle is open.
    pub(crate) fn is_open(&self, handle: FileHandle) -> bool {
        self.files.get(&handle.file).is_some_and(|file| file.handles.contains_key(&handle.number))
    }

    /// The requests that were sent through a file object and have not ended.
    fn requests_through(&self, file: usize) -> Vec<Arc<Request>> {
        Request::in_order(self.requests.values(), |request| {
            matches!(request.origin, Origin::File(other) if other == file) && request.outcome().is_none()
        })
    }

    /// A number for a new handle to a file object.
    fn enter_handle(&mut self, file: usize, process: ProcessId) -> u64 {
        self.next_file_handle += 1;
        let number = self.next_file_handle;
        if let Some(file) = self.files.get_mut(&file) {
            file.handles.insert(number, process);
        }
        number
    }
}

impl Core {
    /// Opens what `path` leads to.
    ///
    /// Source: <https://learn.microsoft.com/windows-hardware/drivers/kernel/controlling-device-namespace-access>
    pub(crate) fn open(
        self: &Arc<Self>,
        path: &str,
        caller: &Caller,
        access: DesiredAccess,
    ) -> Result<FileHandle, NtStatus> {
        if self.is_stopped() {
            return Err(NtStatus::UNSUCCESSFUL);
        }
        let (device, below) = self.admit(path, caller, access)?;
        let name = self.unicode_string(&below);
        let object = self.arena.allocate(size_of::<FileObject>(), Placement::AtEnd, 0);
        object.write(offset_of!(FileObject, kind), &layout::TYPE_FILE);
        object.write(offset_of!(FileObject, size), &0xD8_i16);
        object.write(offset_of!(FileObject, device_object), &device);
        object.write(offset_of!(FileObject, read_access), &u8::from(access.reads()));
        object.write(offset_of!(FileObject, write_access), &u8::from(access.writes()));
        object.write(offset_of!(FileObject, file_name), &name.read::<layout::UnicodeString>(0));
        let address = object.address();
        let file = File { object, _name: name, device, access, opener: self.maker(), handles: BTreeMap::new() };
        let context = caller.context();
        let mut state = self.state();
        state.files.insert(address, file);
        state.objects.insert(address, ObjectKind::File);
        let number = state.enter_handle(address, context.process);
        drop(state);
        let outcome = processor::in_context(context, || self.send_simple(address, Major::CREATE));
        if outcome.status.is_error() {
            // It goes without IRP_MJ_CLEANUP and IRP_MJ_CLOSE: it was never open.
            let mut state = self.state();
            state.objects.remove(address);
            let file = state.files.remove(&address);
            drop(state);
            drop(file);
            self.close_device(device);
            return Err(outcome.status);
        }
        Ok(FileHandle { file: address, number, context })
    }

    /// Finds the device and lets the caller in, or not. Counts the file object.
    fn admit(&self, path: &str, caller: &Caller, access: DesiredAccess) -> Result<(usize, String), NtStatus> {
        let mut state = self.state();
        let (address, below) = state.resolve(path).ok_or(NtStatus::OBJECT_NAME_NOT_FOUND)?;
        let device = state.devices.get(&address).ok_or(NtStatus::OBJECT_NAME_NOT_FOUND)?;
        let DeviceObject { flags, characteristics, .. } = device.header();
        let unloading = state.unloading.contains_key(&device.driver.object().address());
        if unloading || flags & DO_DEVICE_INITIALIZING != 0 {
            return Err(status::NO_SUCH_DEVICE);
        }
        // Without FILE_DEVICE_SECURE_OPEN a name below the device is the driver's own affair.
        let is_guarded = below.is_empty() || characteristics & FILE_DEVICE_SECURE_OPEN != 0;
        if is_guarded && caller.context().previous_mode == Mode::User {
            let default = security::default_descriptor();
            if !security::grants(device.security.as_ref().unwrap_or(&default), caller, access) {
                return Err(NtStatus::ACCESS_DENIED);
            }
        }
        if flags & DO_EXCLUSIVE != 0 && device.references > 0 {
            return Err(NtStatus::ACCESS_DENIED);
        }
        state.open_device(address);
        Ok((address, below))
    }

    /// A second handle to the same file object, for another process perhaps. `None` if the first is not open.
    pub(crate) fn duplicate(&self, handle: FileHandle, context: Context) -> Option<FileHandle> {
        let mut state = self.state();
        if !state.is_open(handle) {
            return None;
        }
        state.objects.retain(handle.file);
        let number = state.enter_handle(handle.file, context.process);
        Some(FileHandle { number, context, ..handle })
    }

    /// Closes a handle, unless it is closed. With the last: IRP_MJ_CLEANUP, upon which the driver completes what is pending.
    /// Source: <https://learn.microsoft.com/windows-hardware/drivers/ifs/irp-mj-cleanup>
    pub(crate) fn close_handle(self: &Arc<Self>, handle: FileHandle) {
        let mut state = self.state();
        let Some(file) = state.files.get_mut(&handle.file) else { return };
        if file.handles.remove(&handle.number).is_none() {
            return;
        }
        let (device, is_last) = (file.device, file.handles.is_empty());
        drop(state);
        processor::in_context(handle.context, || {
            if is_last {
                if !self.is_stopped() {
                    self.send_simple(handle.file, Major::CLEANUP);
                }
                let pending = self.state().requests_through(handle.file);
                for request in pending {
                    // What a driver has sent through a program's handle it ends itself. Until then the driver that has it may keep
                    // it: the handle of IoGetDeviceObjectPointer is closed before anything is sent.
                    if request.is_of_kernel_mode() {
                        self.cancel(&request);
                    }
                    self.wait_for_request(device, &request);
                }
            }
            self.release_object(handle.file);
        });
    }

    /// Nobody refers to a file object any more: IRP_MJ_CLOSE, and it is gone.
    pub(crate) fn close_file(self: &Arc<Self>, address: usize) {
        if !self.is_stopped() {
            self.send_simple(address, Major::CLOSE);
        }
        let file = self.state().files.remove(&address);
        if let Some(File { device, object, .. }) = file {
            drop(object);
            self.close_device(device);
        }
    }

    /// A process ends: its threads first, whose requests are cancelled and waited for, then its handles.
    /// Source: <https://learn.microsoft.com/windows-hardware/drivers/kernel/canceling-irps>
    pub(crate) fn kill(self: &Arc<Self>, process: ProcessId) {
        let state = self.state();
        let is_its = |request: &Request| request.process == process && matches!(request.origin, Origin::File(_));
        let requests = Request::in_order(state.requests.values(), is_its);
        drop(state);
        for request in &requests {
            self.cancel(request);
        }
        for request in &requests {
            self.wait_for_request(0, request);
        }
        let context = Context { process, previous_mode: Mode::User };
        let state = self.state();
        let handles: Vec<FileHandle> = state
            .files
            .iter()
            .flat_map(|(address, file)| file.handles.iter().map(|(number, whose)| (*address, *number, *whose)))
            .filter(|(.., whose)| *whose == process)
            .map(|(file, number, _)| FileHandle { file, number, context })
            .collect();
        drop(state);
        for handle in handles {
            self.close_handle(handle);
        }
    }

    /// IRP_MJ_CREATE, IRP_MJ_CLEANUP or IRP_MJ_CLOSE.
    fn send_simple(self: &Arc<Self>, file: usize, major: Major) -> Outcome {
        let Some((device, access)) = self.state().file(file) else { return Outcome::bare(NtStatus::UNSUCCESSFUL) };
        let (mut parameters, mut buffers) = ([0; 4], Buffers::default());
        if major == Major::CREATE {
            let context = self.arena.allocate(0x18, Placement::AtEnd, 0);
            context.write(0x10, &access.bits());
            // FILE_OPEN as the disposition, in the highest byte; FILE_SHARE_READ | FILE_SHARE_WRITE.
            parameters = [context.address() as u64, 1 << 24, 3 << 16, 0];
            buffers.others.push(context);
        }
        let mode = processor::context().previous_mode;
        let (lengths, poison) = (Lengths::default(), self.poison());
        let request =
            self.build_request(FileRequest { device, file, major, parameters, lengths, buffers, poison, mode });
        let outcome = self.send(device, &request, Irql::PASSIVE_LEVEL);
        let outcome = outcome.unwrap_or_else(|| self.wait_for_request(device, &request));
        self.state().forget_request(&request);
        outcome
    }

    /// An IRP of the I/O manager's, with its first stack location filled.
    pub(crate) fn build_request(&self, parts: FileRequest) -> Arc<Request> {
        let FileRequest { device, file, major, parameters, lengths, buffers, poison, mode } = parts;
        let stack_size = self.state().stack_size(device);
        let irp = IrpMemory::Own(self.arena.allocate(irp_memory::length(stack_size), Placement::AtEnd, 0));
        let header = Irp { thread: processor::thread(), ..io_buffers::header(&buffers, mode as i8) };
        irp.initialize(header, stack_size);
        let location = StackLocation { major_function: major.0, parameters, file_object: file, ..StackLocation::EMPTY };
        irp.set_location(stack_size, location);
        let process = processor::context().process;
        let memory = Memory { irp, buffers };
        let major = Some(major);
        Request::new(New { memory, stack_size, origin: Origin::File(file), process, major, lengths, poison })
    }
}
