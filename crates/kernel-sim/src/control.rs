//! Device controls of programs, and of tests that stand for a driver.

use std::sync::Arc;

use netio_anycast_protocol::status::NtStatus;

use crate::core::Core;
use crate::file::{FileHandle, FileRequest};
use crate::io_buffers;
use crate::kernel::Reply;
use crate::major::Major;
use crate::process::Mode;
use crate::processor::{self, Irql};
use crate::request::{Lengths, Outcome, Request};
use crate::status;

/// The access bits of a control code, `FILE_READ_ACCESS` and `FILE_WRITE_ACCESS`, where `CTL_CODE` puts them.
const READ_ACCESS: u32 = 1 << 14;
const WRITE_ACCESS: u32 = 2 << 14;

/// A device control to be sent through a [`Handle`](crate::Handle).
#[derive(Clone, Debug)]
pub struct Control<'a> {
    code: u32,
    input: &'a [u8],
    output_length: usize,
    irql: Irql,
    internal: bool,
}

impl<'a> Control<'a> {
    /// IRP_MJ_DEVICE_CONTROL at PASSIVE_LEVEL, with this input and room for so many bytes of output.
    #[must_use]
    pub const fn new(code: u32, input: &'a [u8], output_length: usize) -> Self {
        Self { code, input, output_length, irql: Irql::PASSIVE_LEVEL, internal: false }
    }

    /// The same at another IRQL, as only a driver can send it.
    #[must_use]
    pub const fn at(self, irql: Irql) -> Self {
        Self { irql, ..self }
    }

    /// IRP_MJ_INTERNAL_DEVICE_CONTROL instead, which only drivers can send.
    #[must_use]
    pub const fn internal(self) -> Self {
        Self { internal: true, ..self }
    }

    /// Whether only a driver can send it.
    fn is_of_a_driver(&self) -> bool {
        self.internal || self.irql > Irql::PASSIVE_LEVEL
    }
}

/// A device control that was sent.
#[derive(Debug)]
pub(crate) struct Sent {
    core: Arc<Core>,
    device: usize,
    request: Option<Arc<Request>>,
    outcome: Option<Outcome>,
}

impl Sent {
    /// Whether it is not completed yet.
    pub(crate) fn is_pending(&self) -> bool {
        self.outcome.is_none() && self.request.as_ref().is_some_and(|request| request.outcome().is_none())
    }

    /// Cancels it, if it is pending.
    pub(crate) fn cancel(&self) {
        if let Some(request) = self.request.as_ref().filter(|_| self.is_pending() && !self.core.is_stopped()) {
            self.core.cancel(request);
        }
    }

    /// Waits until it is completed.
    pub(crate) fn reply(&mut self) -> Reply {
        if let (None, Some(request)) = (&self.outcome, &self.request) {
            self.outcome = Some(self.core.wait_for_request(self.device, request));
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
            self.core.state().forget_request(request);
        }
    }
}

impl Core {
    /// Sends a device control.
    pub(crate) fn control(self: &Arc<Self>, handle: FileHandle, control: &Control<'_>) -> Sent {
        let refused = |status| {
            let outcome = Some(Outcome::bare(status));
            Sent { core: Arc::clone(self), device: 0, request: None, outcome }
        };
        if self.is_stopped() {
            return refused(NtStatus::UNSUCCESSFUL);
        }
        let state = self.state();
        let Some((device, access)) = state.file(handle.file).filter(|_| state.is_open(handle)) else {
            return refused(status::INVALID_HANDLE);
        };
        drop(state);
        let mode = if control.is_of_a_driver() { Mode::Kernel } else { handle.context.previous_mode };
        // Source: https://learn.microsoft.com/windows-hardware/drivers/kernel/defining-i-o-control-codes
        let wants = |bit| mode == Mode::User && control.code & bit != 0;
        if wants(READ_ACCESS) && !access.reads() || wants(WRITE_ACCESS) && !access.writes() {
            return refused(NtStatus::ACCESS_DENIED);
        }
        let request =
            processor::in_context(handle.context, || self.control_request(handle.file, device, control, mode));
        let outcome = processor::in_context(handle.context, || self.send(device, &request, control.irql));
        Sent { core: Arc::clone(self), device, request: Some(request), outcome }
    }

    fn control_request(&self, file: usize, device: usize, control: &Control<'_>, mode: Mode) -> Arc<Request> {
        let lengths = Lengths { code: control.code, input: control.input.len(), output: control.output_length };
        let buffers = io_buffers::allocate(&self.arena, lengths, control.input);
        let poison = self.poison();
        if let Some(buffer) = &buffers.system_buffer {
            buffer.fill_pattern(control.input.len(), poison);
        }
        let parameters = io_buffers::parameters(&buffers, lengths);
        let major = if control.internal { Major::INTERNAL_DEVICE_CONTROL } else { Major::DEVICE_CONTROL };
        self.build_request(FileRequest { device, file, major, parameters, lengths, buffers, poison, mode })
    }
}
