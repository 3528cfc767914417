//! Completion routines that the I/O manager protects: the driver's image stays until they have returned.
//!
//! Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-iosetcompletionroutineex>

use std::sync::Arc;

use netio_anycast_protocol::status::NtStatus;

use crate::core::Core;
use crate::layout::{SL_INVOKE_ON_CANCEL, SL_INVOKE_ON_ERROR, SL_INVOKE_ON_SUCCESS, StackLocation};
use crate::owner::DriverNumber;
use crate::processor;
use crate::request::Request;
use crate::violation::Rule;

/// A protected completion routine that is being called.
pub(crate) struct Protection {
    device: usize,
    driver: DriverNumber,
}

/// `IoSetCompletionRoutineEx`: what the macro IoSetCompletionRoutine does, and a reference to the device until the routine has
/// returned.
///
/// # Safety
/// Only the driver may call it, with a device of its own and an IRP that it is about to send.
pub(super) unsafe extern "win64" fn set(
    device: usize,
    irp: usize,
    routine: usize,
    context: usize,
    on_success: u8,
    on_error: u8,
    on_cancel: u8,
) -> i32 {
    let core = processor::core();
    if core.fault() {
        return NtStatus::INSUFFICIENT_RESOURCES.0;
    }
    let request = core.state().requests.get(&irp).cloned();
    let Some(request) = request else {
        core.report(Rule::IrpUnknown, format!("{irp:#x} is no IRP"));
        return NtStatus::INVALID_PARAMETER.0;
    };
    let wanted = [(on_success, SL_INVOKE_ON_SUCCESS), (on_error, SL_INVOKE_ON_ERROR), (on_cancel, SL_INVOKE_ON_CANCEL)];
    let control = wanted.iter().filter(|(wanted, _)| *wanted != 0).fold(0, |control, (_, flag)| control | flag);
    let number = request.with_irp(|irp| {
        let number = irp.current() - 1;
        if number < 1 {
            return None;
        }
        let location = StackLocation { control, completion_routine: routine, context, ..irp.location(number) };
        irp.set_location(number, location);
        Some(number)
    });
    let Some(number) = number.flatten() else {
        core.report(Rule::IrpStack, "a completion routine is set, and the IRP has no stack location left");
        return NtStatus::INVALID_PARAMETER.0;
    };
    let mut state = core.state();
    if state.devices.contains_key(&device) {
        state.objects.retain(device);
        state.protected_completions.insert((irp, number), device);
        return NtStatus::SUCCESS.0;
    }
    drop(state);
    core.report(Rule::ObjectInvalid, format!("{device:#x} is no device"));
    NtStatus::INVALID_PARAMETER.0
}

impl Core {
    /// What protects the completion routine of the stack location that an IRP has just left. The driver's image stays until that
    /// is ended.
    pub(crate) fn take_protection(&self, request: &Request) -> Option<Protection> {
        let number = request.with_irp(|irp| irp.current() - 1)?;
        let mut state = self.state();
        let device = state.protected_completions.remove(&(request.address, number))?;
        let driver = state.devices.get(&device)?.driver.number();
        *state.running_work.entry(driver).or_default() += 1;
        Some(Protection { device, driver })
    }

    /// A protected completion routine has returned.
    pub(crate) fn end_protection(self: &Arc<Self>, protection: &Protection) {
        self.release_object(protection.device);
        if let Some(running) = self.state().running_work.get_mut(&protection.driver) {
            *running -= 1;
        }
        self.change(|_| ());
    }

    /// An IRP is freed whose protected completion routine was never called: what the I/O manager has for it is lost.
    pub(super) fn judge_protected_completions(&self, irp: usize) {
        let left = self.state().protected_completions.keys().any(|(of, _)| *of == irp);
        if left {
            let detail = "IoSetCompletionRoutineEx has protected its completion routine, and it was not sent";
            self.report(Rule::IrpFree, detail);
        }
    }
}
