//! Work items: routines of the driver that run on the system's own threads.
//!
//! Source: <https://learn.microsoft.com/windows-hardware/drivers/kernel/system-worker-threads>

use std::sync::Arc;

use crate::core::{Core, State, WorkItem};
use crate::driver::LoadedDriver;
use crate::memory::Placement;
use crate::owner::DriverNumber;
use crate::processor::{self, Irql};
use crate::synchronization::Unmet;
use crate::violation::Rule;

/// `IoAllocateWorkItem`.
///
/// # Safety
/// Only the driver may call it.
pub(super) unsafe extern "win64" fn allocate(device: usize) -> usize {
    let core = processor::core();
    if core.fault() {
        return 0;
    }
    let owner = core.state().devices.get(&device).map(|device| device.driver.number());
    if owner != Some(processor::driver()) {
        core.report(Rule::WorkItemInvalid, "the work item's device is none of the driver's own");
    }
    // Opaque: the driver has nothing but its address.
    let block = core.arena.allocate(16, Placement::AtEnd, 0);
    let (address, maker) = (block.address(), core.maker());
    core.state().work_items.insert(address, WorkItem { _block: block, device, queued: false, maker });
    address
}

/// `IoQueueWorkItem`.
///
/// # Safety
/// Only the driver may call it.
pub(super) unsafe extern "win64" fn queue(item: usize, routine: usize, _queue: i32, context: usize) {
    let core = processor::core();
    let mut state = core.state();
    let Some(work) = state.work_items.get_mut(&item) else {
        drop(state);
        return core.report(Rule::WorkItemInvalid, format!("{item:#x} is no work item"));
    };
    if std::mem::replace(&mut work.queued, true) {
        drop(state);
        return core.report(Rule::WorkItemInvalid, "the work item is queued already");
    }
    let device = work.device;
    let Some(driver) = state.retain_device(device) else {
        drop(state);
        return core.report(Rule::WorkItemInvalid, "the work item's device is gone");
    };
    *state.running_work.entry(driver.number()).or_default() += 1;
    drop(state);
    core.start_thread(move |core| core.run_work_item(&driver, item, routine, [device, context, 0, 0]));
}

/// `IoFreeWorkItem`.
///
/// # Safety
/// Only the driver may call it.
pub(super) unsafe extern "win64" fn free(item: usize) {
    let core = processor::core();
    match core.state().work_items.remove(&item) {
        Some(work) if !work.queued => return,
        _ => {}
    }
    core.report(Rule::WorkItemInvalid, format!("{item:#x} is freed, and is queued or no work item"));
}

impl Core {
    /// Runs a work item's routine. From then on it may be queued again or freed, by the routine itself too.
    fn run_work_item(self: &Arc<Self>, driver: &LoadedDriver, item: usize, routine: usize, arguments: [usize; 4]) {
        if let Some(work) = self.state().work_items.get_mut(&item) {
            work.queued = false;
        }
        if !self.is_stopped() {
            // A crash is reported by the call itself.
            if let Ok((_, after)) = self.call_driver(driver, routine, arguments, Irql::PASSIVE_LEVEL, None) {
                self.judge_irql(driver, routine, (Irql::PASSIVE_LEVEL, after), None);
            }
        }
        let [device, ..] = arguments;
        self.release_object(device);
        let mut state = self.state();
        if let Some(running) = state.running_work.get_mut(&driver.number()) {
            *running -= 1;
        }
        drop(state);
        self.change(|_| ());
    }

    /// Waits until no work item's routine runs, if there is a file object that a driver has opened: another driver's may be about to
    /// give back what it has referenced on this one's behalf.
    pub(crate) fn finish_work_for(self: &Arc<Self>, driver: DriverNumber) {
        if self.state().files.values().any(|file| file.opener.driver == driver) {
            let is_running = || self.state().running_work.values().any(|running| *running > 0);
            // What does not end is judged as it is then.
            let _: Result<(), Unmet> = self.wait_until(None, |_| (!is_running()).then_some(()));
        }
    }

    /// Waits until no routine of a driver's work items runs any more: the image stays as long as one does.
    pub(crate) fn finish_work(self: &Arc<Self>, driver: DriverNumber) {
        let is_running = |state: &State| state.running_work.get(&driver).is_some_and(|running| *running > 0);
        // Work that takes longer than it may is interrupted and reported by itself.
        while self.wait_until(None, |_| (!is_running(&self.state())).then_some(())).is_err() {}
    }
}
