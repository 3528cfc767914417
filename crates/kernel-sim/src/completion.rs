//! Completing IRPs: up the stack of drivers, completion routine by completion routine, to whoever has made it.
//!
//! Source: <https://learn.microsoft.com/windows-hardware/drivers/kernel/completing-irps>

use std::sync::Arc;

use netio_anycast_protocol::status::NtStatus;

use crate::core::Core;
use crate::crash::Crash;
use crate::driver::returned_status;
use crate::io_buffers;
use crate::layout::Irp;
use crate::memory::Block;
use crate::occasion::Occasion;
use crate::request::{Buffers, Climb, Dispatch, Event, Origin, Outcome, Request, Step};
use crate::violation::Rule;
use crate::{processor, status};

impl Core {
    /// IoCompleteRequest, by the driver that has called a service.
    ///
    /// # Errors
    /// A completion routine crashed.
    pub(crate) fn complete_request(self: &Arc<Self>, address: usize) -> Result<(), Crash> {
        let Some(request) = self.held_request(address) else { return Ok(()) };
        let Some((number, _)) = request.current_location() else { return Ok(()) };
        self.judge_completion(&request, request.dispatch_at(number).as_deref());
        loop {
            let Some(Climb { step, unmarked }) = request.climb() else { return Ok(()) };
            if let Some(dispatch) = unmarked {
                self.report_unmarked(&request, &dispatch);
            }
            match step {
                Step::Next => {}
                Step::End => {
                    self.end_request(&request);
                    return Ok(());
                }
                Step::Routine { routine, device, context } => {
                    if self.call_completion_routine(&request, routine, &[device, address, context])? {
                        return Ok(());
                    }
                    match request.with_irp(|irp| irp.current() > request.stack_size) {
                        Some(false) => {}
                        Some(true) => {
                            self.end_request(&request);
                            return Ok(());
                        }
                        None => {
                            let detail =
                                "its completion routine freed it and did not return STATUS_MORE_PROCESSING_REQUIRED";
                            self.report_on(&request, Rule::IrpFree, detail);
                            return Ok(());
                        }
                    }
                }
            }
        }
    }

    /// The IRP at an address, if the driver that has called a service has it; otherwise reports why it has not.
    pub(crate) fn held_request(&self, address: usize) -> Option<Arc<Request>> {
        let state = self.state();
        let known = state.requests.get(&address).cloned();
        let Some(request) = known else {
            let was_one = state.past_requests.contains(&address);
            drop(state);
            if was_one {
                self.report(Rule::IrpCompletedTwice, format!("the IRP {address:#x} was completed long ago"));
            } else {
                self.report(Rule::IrpUnknown, format!("{address:#x} is no IRP of this driver"));
            }
            return None;
        };
        let device = request.current_location().map(|(_, location)| location.device_object);
        let holder = device.and_then(|device| Some(state.devices.get(&device)?.driver.number()));
        drop(state);
        request.touch();
        if holder == Some(processor::driver()) {
            return Some(request);
        }
        if request.is_done_by(processor::driver()) {
            self.report_on(&request, Rule::IrpCompletedTwice, format!("the IRP {address:#x} was completed before"));
        } else {
            let name = holder.and_then(|holder| self.name_of(holder)).unwrap_or_else(|| "no driver".to_owned());
            self.report_on(&request, Rule::IrpUnknown, format!("the IRP {address:#x} is with {name}"));
        }
        None
    }

    /// Calls a completion routine. Returns whether it has kept the IRP.
    fn call_completion_routine(
        self: &Arc<Self>,
        request: &Arc<Request>,
        routine: usize,
        arguments: &[usize],
    ) -> Result<bool, Crash> {
        let owner = self.driver_at(routine).or_else(|| self.driver(processor::driver()));
        let Some(driver) = owner else { return Ok(false) };
        let irql = processor::irql();
        // Before the call: a routine may let another thread free the IRP.
        let protection = self.take_protection(request);
        let called = self.call_driver(&driver, routine, arguments, irql, Some(request));
        if let Some(protection) = &protection {
            self.end_protection(protection);
        }
        let (value, after) = called?;
        self.judge_irql(&driver, routine, (irql, after), Some(request));
        let kept = returned_status(value) == status::MORE_PROCESSING_REQUIRED;
        if kept {
            request.note(Event::Kept { driver: Some(driver.shared_name()) });
        }
        Ok(kept)
    }

    /// Judges an IRP that the driver in whose stack location it is completes.
    fn judge_completion(&self, request: &Request, dispatch: Option<&Dispatch>) {
        let Some(header) = request.with_irp(|irp| irp.read::<Irp>(0)) else { return };
        let status = NtStatus(header.status);
        let driver = dispatch.map(|dispatch| Arc::clone(&dispatch.name));
        request.note(Event::Completed { driver, status, information: header.information });
        if status == NtStatus::PENDING || status.0 == -1 {
            self.report_on(request, Rule::IrpCompletedPending, format!("it was completed with {status}"));
        }
        if header.cancel_routine != 0 {
            self.report_on(request, Rule::IrpCancelRoutine, "its cancel routine is still set");
        }
        let output = dispatch.filter(|dispatch| dispatch.major.is_control()).map(|dispatch| dispatch.lengths.output);
        if let Some(output) = output.filter(|output| !status.is_error() && header.information > *output) {
            let detail = format!("Information is {}, the output buffer {output} bytes", header.information);
            self.report_on(request, Rule::InformationTooLarge, detail);
        }
        let overrun = |buffers: &Buffers| {
            [&buffers.system_buffer, &buffers.user_buffer].into_iter().flatten().any(Block::overrun)
        };
        if request.with_memory(|memory| overrun(&memory.buffers)) == Some(true) {
            self.report_on(request, Rule::PoolOverrun, "the request's buffer was written behind its end");
        }
    }

    /// An IRP has come to the end of its stack locations.
    fn end_request(self: &Arc<Self>, request: &Arc<Request>) {
        match request.origin {
            Origin::File(_) => {
                if let Some((outcome, _)) = self.take_outcome(request) {
                    request.end(outcome);
                }
            }
            Origin::Built(_) => match self.take_outcome(request) {
                // Who has built it knows from IoCallDriver, and is not told again.
                Some((outcome, false)) if outcome.status.is_error() => {
                    self.change(|it| it.built.recipients.remove(&request.address));
                }
                Some((outcome, _)) => self.come_back(request.address, outcome),
                None => {}
            },
            Origin::Allocated(_) | Origin::Initialized(_) => {
                let detail = "no completion routine of the driver that has made it has kept it: nobody else may end it";
                self.report_on(request, Rule::IrpEnd, detail);
            }
        }
        self.change(|_| ());
    }

    /// Takes an IRP's memory away, and tells what travels back, with an error status nothing, and whether it was pending.
    fn take_outcome(&self, request: &Request) -> Option<(Outcome, bool)> {
        let memory = request.take_memory()?;
        self.state().forget_request(request);
        let header: Irp = memory.irp.read(0);
        let status = NtStatus(header.status);
        let mut outcome = Outcome { information: header.information, ..Outcome::bare(status) };
        if request.major.is_some_and(crate::major::Major::is_control) {
            self.occasion(Occasion::ControlCompleted);
            if !status.is_error() {
                let length = header.information.min(request.lengths.output);
                outcome.output = io_buffers::output(&memory.buffers, request.lengths, length);
                if memory.buffers.system_buffer.is_some() {
                    self.find_leaks(request, &outcome.output);
                }
            }
        }
        Some((outcome, header.pending_returned != 0))
    }

    fn find_leaks(&self, request: &Request, output: &[u8]) {
        let sent = request.lengths.input.min(output.len());
        let leaked = self.state().leaks.examine(request.lengths.code, output, sent, request.poison);
        if let (Some(first), Some(last)) = (leaked.first(), leaked.last()) {
            let detail = format!(
                "{} of {} bytes of output were never written, between offsets {first} and {last}",
                leaked.len(),
                output.len()
            );
            self.report_on(request, Rule::InformationLeak, detail);
        }
    }
}
