//! What is still in use when its memory goes: with a pool allocation, a device, a driver's stack or the driver itself.
//!
//! Source: <https://learn.microsoft.com/windows-hardware/drivers/debugger/bug-check-0xc7--timer-or-dpc-invalid>

use std::ops::Range;
use std::sync::Arc;

use crate::core::{Core, State};
use crate::driver::LoadedDriver;
use crate::leftovers::Leftover;
use crate::owner::Maker;
use crate::request::{Origin, Request};
use crate::synchronization::{Synchronization, Unmet};
use crate::violation::Rule;

impl Core {
    /// Judges what is in use in memory that goes, and forgets all that was in it.
    pub(crate) fn judge_memory(&self, memory: &Range<usize>) {
        let mut left = self.change(|it| it.take_from(memory));
        left.extend(self.state().take_requests_from(memory));
        left.extend(self.state().take_work_items_from(memory));
        for (rule, detail, maker) in left {
            let place = self.named(&maker.stack).first().map(|frame| format!(": {frame}")).unwrap_or_default();
            self.report(rule, format!("{detail}{place}"));
        }
    }

    /// Judges what is in use of a driver that goes, and forgets it. No code of it runs any more, but DPCs: the image stays until
    /// they have run.
    pub(crate) fn judge_in_use(self: &Arc<Self>, driver: &LoadedDriver) {
        let image = driver.image().base()..driver.image().base() + driver.image().size();
        let mut left = self.change(|it| {
            let mut left = it.take_callers(&image);
            left.extend(it.take_from(&image));
            left
        });
        if self.wait_for_deferred_calls() == Err(Unmet::Never) {
            left.push((Rule::WaitForever, "a DPC does not end".to_owned(), Maker::default()));
        }
        for (rule, detail, maker) in left {
            self.report_of(driver, rule, detail, self.named(&maker.stack));
        }
    }
}

impl State {
    /// Takes away the IRPs that drivers have in memory of their own which goes. Returns those that are in use.
    fn take_requests_from(&mut self, memory: &Range<usize>) -> Vec<Leftover> {
        let is_there = |address: &usize, request: &mut Arc<Request>| {
            memory.contains(address) && matches!(request.origin, Origin::Initialized(_))
        };
        let gone = self.requests.extract_if(is_there).map(|(_, request)| request);
        let in_use =
            gone.filter(|request| request.is_under_way()).filter_map(|request| request.origin.maker().cloned());
        in_use
            .map(|maker| (Rule::IrpFree, "an IRP that a driver has, initialized from here".to_owned(), maker))
            .collect()
    }
}

impl Synchronization {
    /// Cancels what is going to call code that goes.
    fn take_callers(&mut self, image: &Range<usize>) -> Vec<Leftover> {
        let calls = self.deferred_calls.queued.values().map(|(call, _)| call).chain(&self.deferred_calls.running);
        let mut left: Vec<Leftover> = calls
            .filter(|call| image.contains(&call.routine))
            .map(|call| (Rule::DpcLeft, format!("the DPC {:#x} is queued or runs", call.address), Maker::default()))
            .collect();
        for (address, timer) in &mut self.timers {
            let calls_code = timer.call.is_some_and(|call| image.contains(&call.routine));
            if calls_code && timer.due.take().is_some() {
                left.push((Rule::TimerLeft, format!("the timer {address:#x}, set from here"), timer.maker.clone()));
            }
        }
        left
    }

    /// Takes away everything in memory that goes. Returns what was in use.
    fn take_from(&mut self, memory: &Range<usize>) -> Vec<Leftover> {
        let mut left = Vec::new();
        for (_, timer) in self.timers.extract_if(memory.clone(), |_, _| true) {
            if timer.due.is_some() {
                left.push((Rule::TimerLeft, "a timer, set from here".to_owned(), timer.maker));
            }
        }
        for timer in self.timers.values_mut() {
            let in_memory = timer.call.is_some_and(|call| memory.contains(&call.address));
            if in_memory && timer.due.take().is_some() {
                left.push((Rule::DpcLeft, "the DPC of a timer, set from here".to_owned(), timer.maker.clone()));
            }
        }
        for _ in self.deferred_calls.queued.extract_if(memory.clone(), |_, _| true) {
            left.push((Rule::DpcLeft, "a DPC is queued".to_owned(), Maker::default()));
        }
        for (_, resource) in self.resources.extract_if(memory.clone(), |_, _| true) {
            left.push((Rule::Resource, "it is not deleted, initialized from here".to_owned(), resource.maker));
        }
        for (_, rundown) in self.rundowns.extract_if(memory.clone(), |_, _| true) {
            if rundown.protections > 0 {
                let detail = format!("{} protections, acquired last from here", rundown.protections);
                left.push((Rule::Rundown, detail, rundown.maker));
            }
        }
        left.extend(self.built.take_from(memory));
        for hold in self.locks.forget(memory) {
            left.push((Rule::LockFreed, format!("a {} is held", hold.kind), Maker::default()));
        }
        left
    }
}
