//! Sending IRPs to drivers: IoCallDriver, for the I/O manager's own requests and for those of drivers.
//!
//! Source: <https://learn.microsoft.com/windows-hardware/drivers/kernel/passing-irps-down-the-driver-stack>

use std::sync::Arc;

use netio_anycast_protocol::status::NtStatus;

use crate::core::Core;
use crate::crash::Crash;
use crate::driver::{LoadedDriver, returned_status};
use crate::layout::StackLocation;
use crate::major::Major;
use crate::occasion::Occasion;
use crate::processor::Irql;
use crate::request::{Dispatch, Event, Lengths, Outcome, Request};
use crate::status;
use crate::synchronization::Unmet;
use crate::violation::Rule;

const UNMARKED: &str = "STATUS_PENDING was returned without IoMarkIrpPending";

/// `Parameters.DeviceIoControl`, if it is a device control.
fn lengths(location: &StackLocation) -> Lengths {
    if !Major(location.major_function).is_control() {
        return Lengths::default();
    }
    let word = |index: usize| u32::try_from(location.parameters[index] & u64::from(u32::MAX)).unwrap_or(u32::MAX);
    Lengths { code: word(2), input: word(1) as usize, output: word(0) as usize }
}

impl Core {
    /// Sends an IRP on to the driver of `device`, at an IRQL. Returns what its dispatch routine does.
    ///
    /// # Errors
    /// That driver crashed.
    pub(crate) fn call_device(
        self: &Arc<Self>,
        device: usize,
        request: &Arc<Request>,
        irql: Irql,
    ) -> Result<NtStatus, Crash> {
        let driver = self.state().devices.get(&device).map(|device| Arc::clone(&device.driver));
        let Some(driver) = driver else {
            self.report(Rule::ObjectInvalid, format!("an IRP is sent to {device:#x}, which is no device"));
            return Ok(status::NO_SUCH_DEVICE);
        };
        let Some((number, location)) = request.advance(device) else {
            self.report(
                Rule::IrpStack,
                format!("the IRP has {} stack locations, and all are used", request.stack_size),
            );
            return Ok(NtStatus::UNSUCCESSFUL);
        };
        let major = Major(location.major_function);
        if major.is_passive() && irql > Irql::PASSIVE_LEVEL {
            self.report(Rule::IrqlTooHigh, format!("{major} is sent at {} only", Irql::PASSIVE_LEVEL));
        }
        let dispatch = Dispatch::new(driver.number(), driver.shared_name(), number, major, lengths(&location));
        request.begin(&dispatch, irql);
        let routine = driver.dispatch_routine(major);
        let (value, after) = self.call_driver(&driver, routine, &[device, request.address], irql, Some(request))?;
        self.judge_irql(&driver, routine, (irql, after), Some(request));
        let status = returned_status(value);
        self.judge_return(&driver, request, &dispatch, status);
        Ok(status)
    }

    /// Judges what a dispatch routine returned.
    ///
    /// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-iomarkirppending>
    fn judge_return(
        &self,
        driver: &LoadedDriver,
        request: &Arc<Request>,
        dispatch: &Arc<Dispatch>,
        returned: NtStatus,
    ) {
        request.note(Event::Returned { driver: Arc::clone(&dispatch.name), status: returned });
        let activity = crate::tally::Activity::of(dispatch.major, dispatch.lengths.code);
        self.tally().occasion(activity, Occasion::Dispatched);
        let report = |rule, detail: &str| {
            self.report_at(rule, detail, vec![driver.frame_of(driver.dispatch_routine(dispatch.major))], Some(request));
        };
        let marked = request.is_marked_pending(dispatch);
        let passed = dispatch.returned(returned);
        if returned == NtStatus::PENDING {
            if marked == Some(false) || passed.is_some_and(|passed| !passed.marked_pending) {
                report(Rule::IrpPendingMismatch, UNMARKED);
            }
            if passed.is_none() {
                self.tally().occasion(activity, Occasion::Pended);
            }
            return;
        }
        match passed {
            None => report(Rule::IrpNotCompleted, "the dispatch routine returned without completing it"),
            Some(passed) if passed.marked_pending => {
                report(Rule::IrpPendingMismatch, "it was marked pending, and STATUS_PENDING was not returned");
            }
            Some(passed) if passed.status != returned => report(Rule::IrpStatusMismatch, "the statuses differ"),
            Some(_) => {}
        }
    }

    /// A dispatch routine has returned STATUS_PENDING, and then the IRP came back without being marked pending.
    pub(crate) fn report_unmarked(&self, request: &Arc<Request>, dispatch: &Dispatch) {
        let driver = self.driver(dispatch.driver);
        let stack = driver.map(|driver| vec![driver.frame_of(driver.dispatch_routine(dispatch.major))]);
        self.report_at(Rule::IrpPendingMismatch, UNMARKED, stack.unwrap_or_default(), Some(request));
    }

    /// Sends a request of the I/O manager's own. Returns how it ended, or `None` if it is pending.
    pub(crate) fn send(self: &Arc<Self>, device: usize, request: &Arc<Request>, irql: Irql) -> Option<Outcome> {
        self.state().requests.insert(request.address, Arc::clone(request));
        let Ok(returned) = self.call_device(device, request, irql) else {
            return Some(Outcome::bare(NtStatus::UNSUCCESSFUL));
        };
        let outcome = request.outcome();
        if outcome.is_none() && returned != NtStatus::PENDING {
            // The driver has said how it ended and not completed it, and has its violation: nobody waits for more.
            request.end(Outcome::bare(returned));
            return request.outcome();
        }
        outcome
    }

    /// Waits until a pending IRP is completed.
    pub(crate) fn wait_for_request(self: &Arc<Self>, device: usize, request: &Request) -> Outcome {
        self.wait_until(None, |_| request.outcome()).unwrap_or_else(|unmet| {
            if unmet == Unmet::Never {
                self.report_lost(device, request);
            }
            Outcome::bare(NtStatus::UNSUCCESSFUL)
        })
    }

    /// A driver has not completed an IRP in time.
    fn report_lost(&self, device: usize, request: &Request) {
        let device = request.current_location().map_or(device, |(_, location)| location.device_object);
        let driver = self.state().devices.get(&device).map(|device| Arc::clone(&device.driver));
        let major = request.major.unwrap_or(Major::DEVICE_CONTROL);
        let stack = driver.map(|driver| vec![driver.frame_of(driver.dispatch_routine(major))]).unwrap_or_default();
        self.report_at(Rule::IrpLost, "it was not completed in time", stack, Some(request));
    }
}
