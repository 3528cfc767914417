//! Completing IRPs.
//!
//! Source: <https://learn.microsoft.com/windows-hardware/drivers/kernel/completing-irps>

use std::mem::offset_of;
use std::sync::Arc;

use netio_anycast_protocol::status::NtStatus;

use crate::core::{Core, Known};
use crate::layout::Irp;
use crate::request::{Major, Memory, Outcome, Request};
use crate::tally::Occasion;
use crate::violation::Rule;
use crate::{driver_memory, io_buffers, processor, request};

/// `IofCompleteRequest`. From here on the IRP and its buffers are gone: whoever touches them crashes.
///
/// # Safety
/// Only the driver may call it.
pub(super) unsafe extern "win64" fn complete(irp: usize, _boost: i8) {
    complete_irp(&processor::core(), irp);
}

/// What the I/O manager puts into every dispatch routine that the driver does not: completes the IRP with
/// STATUS_INVALID_DEVICE_REQUEST.
///
/// # Safety
/// Only the I/O manager may call it, with an IRP.
pub(super) unsafe extern "win64" fn invalid_device_request(_device: usize, irp: usize) -> i32 {
    let status = NtStatus::INVALID_DEVICE_REQUEST;
    // SAFETY: the I/O manager vouches for the IRP.
    unsafe { driver_memory::write(irp + offset_of!(Irp, status), status.0) };
    complete_irp(&processor::core(), irp);
    status.0
}

fn complete_irp(core: &Arc<Core>, address: usize) {
    let known = match core.state().requests.get(&address) {
        Some(Known::Recent(request)) => request.upgrade(),
        Some(Known::Past) => {
            return core.report(Rule::IrpCompletedTwice, format!("the IRP {address:#x} was completed long ago"));
        }
        None => None,
    };
    let Some(request) = known else {
        return core.report(Rule::IrpUnknown, format!("{address:#x} is no IRP of this driver"));
    };
    let Some(memory) = request.take_memory() else {
        return core.report(Rule::IrpCompletedTwice, format!("the IRP {address:#x} was completed before"));
    };
    judge(core, &request, &memory);
    let header: Irp = memory.irp.read(0);
    let outcome = outcome(core, &request, &memory, &header);
    request.complete(outcome);
    core.change(|_| ());
}

fn judge(core: &Core, request: &Request, memory: &Memory) {
    let header: Irp = memory.irp.read(0);
    let status = NtStatus(header.status);
    if status == NtStatus::PENDING || status.0 == -1 {
        core.report(Rule::IrpCompletedPending, format!("it was completed with {status}"));
    }
    if header.cancel_routine != 0 {
        core.report(Rule::IrpCancelRoutine, "its cancel routine is still set");
    }
    if request.major == Major::DeviceControl && !status.is_error() && header.information > request.lengths.output {
        let detail =
            format!("Information is {}, the output buffer {} bytes", header.information, request.lengths.output);
        core.report(Rule::InformationTooLarge, detail);
    }
    let buffers = [&memory.system_buffer, &memory.user_buffer];
    if buffers.into_iter().flatten().any(crate::memory::Block::overrun) {
        core.report(Rule::PoolOverrun, "the request's buffer was written behind its end");
    }
}

/// What travels back: with an error status nothing.
fn outcome(core: &Core, request: &Request, memory: &Memory, header: &Irp) -> Outcome {
    let status = NtStatus(header.status);
    let marked_pending = request::marked_pending(&memory.irp);
    let mut outcome = Outcome { information: header.information, marked_pending, ..Outcome::bare(status) };
    if request.major == Major::DeviceControl {
        core.occasion(Occasion::ControlCompleted);
    }
    if request.major == Major::DeviceControl && !status.is_error() {
        let length = header.information.min(request.lengths.output);
        outcome.output = io_buffers::output(memory, request.lengths, length);
        if memory.system_buffer.is_some() {
            find_leaks(core, request, &outcome.output);
        }
    }
    outcome
}

fn find_leaks(core: &Core, request: &Request, output: &[u8]) {
    let sent = request.lengths.input.min(output.len());
    let leaked = core.state().leaks.examine(request.lengths.code, output, sent, request.poison);
    if let (Some(first), Some(last)) = (leaked.first(), leaked.last()) {
        let detail = format!(
            "{} of {} bytes of output were never written, between offsets {first} and {last}",
            leaked.len(),
            output.len()
        );
        core.report(Rule::InformationLeak, detail);
    }
}
