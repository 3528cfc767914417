//! Work items: routines of the driver that run on the system's own threads.
//!
//! Source: <https://learn.microsoft.com/windows-hardware/drivers/kernel/system-worker-threads>

use std::ops::Range;
use std::sync::Arc;

use crate::core::{Core, State};
use crate::driver::LoadedDriver;
use crate::driver_memory;
use crate::leftovers::Leftover;
use crate::memory::{Block, Placement};
use crate::owner::{DriverNumber, Maker};
use crate::processor::{self, Irql};
use crate::synchronization::Unmet;
use crate::violation::Rule;

/// How long an `IO_WORKITEM` is: IoSizeofWorkItem. It is opaque: the driver has nothing but its address.
const LENGTH: usize = 0x58;

/// A work item that a driver has allocated or initialized, by its address.
#[derive(Debug)]
pub(crate) struct WorkItem {
    /// The device or the driver that it is for.
    object: usize,
    queued: bool,
    /// Its memory, if that is not the driver's own.
    block: Option<Block>,
    /// Who made it.
    pub(crate) maker: Maker,
}

/// A routine that is to run.
struct Work {
    item: usize,
    object: usize,
    routine: usize,
    arguments: [usize; 3],
}

/// `IoAllocateWorkItem`.
///
/// # Safety
/// Only the driver may call it.
pub(super) unsafe extern "win64" fn allocate(object: usize) -> usize {
    let core = processor::core();
    if core.fault() {
        return 0;
    }
    let block = core.arena.allocate(LENGTH, Placement::AtEnd, 0);
    let address = block.address();
    core.enter_work_item(address, object, Some(block));
    address
}

/// `IoFreeWorkItem`.
///
/// # Safety
/// Only the driver may call it.
pub(super) unsafe extern "win64" fn free(item: usize) {
    let core = processor::core();
    core.remove_work_item(item, true);
}

/// `IoSizeofWorkItem`.
///
/// # Safety
/// Only the driver may call it.
pub(super) unsafe extern "win64" fn size() -> u32 {
    u32::try_from(LENGTH).unwrap_or(u32::MAX)
}

/// `IoInitializeWorkItem`: in the driver's own memory.
///
/// # Safety
/// Only the driver may call it, with so much memory as IoSizeofWorkItem says.
pub(super) unsafe extern "win64" fn initialize(object: usize, item: usize) {
    // SAFETY: as the driver vouches.
    unsafe { driver_memory::write_bytes(item, &[0; LENGTH]) };
    let core = processor::core();
    if core.state().work_items.contains_key(&item) {
        return core.report(Rule::WorkItemInvalid, "the work item is initialized again");
    }
    core.enter_work_item(item, object, None);
}

/// `IoUninitializeWorkItem`.
///
/// # Safety
/// Only the driver may call it.
pub(super) unsafe extern "win64" fn uninitialize(item: usize) {
    let core = processor::core();
    core.remove_work_item(item, false);
}

/// `IoQueueWorkItem`: its routine gets the device and the context.
///
/// # Safety
/// Only the driver may call it.
pub(super) unsafe extern "win64" fn queue(item: usize, routine: usize, _queue: i32, context: usize) {
    queue_work(&processor::core(), item, routine, |object| [object, context, 0]);
}

/// `IoQueueWorkItemEx`: its routine gets the work item too.
///
/// # Safety
/// Only the driver may call it.
pub(super) unsafe extern "win64" fn queue_with_item(item: usize, routine: usize, _queue: i32, context: usize) {
    queue_work(&processor::core(), item, routine, |object| [object, context, item]);
}

fn queue_work(core: &Arc<Core>, item: usize, routine: usize, arguments: impl FnOnce(usize) -> [usize; 3]) {
    let mut state = core.state();
    let Some(work) = state.work_items.get_mut(&item) else {
        drop(state);
        return core.report(Rule::WorkItemInvalid, format!("{item:#x} is no work item"));
    };
    if std::mem::replace(&mut work.queued, true) {
        drop(state);
        return core.report(Rule::WorkItemInvalid, "the work item is queued already");
    }
    let object = work.object;
    let Some(driver) = state.retain_for_work(object) else {
        drop(state);
        return core.report(Rule::WorkItemInvalid, "what the work item is for is gone");
    };
    *state.running_work.entry(driver.number()).or_default() += 1;
    drop(state);
    let work = Work { item, object, routine, arguments: arguments(object) };
    core.start_thread(move |core| core.run_work_item(&driver, &work));
}

impl State {
    /// The driver of a device or a driver object.
    fn driver_of_object(&self, object: usize) -> Option<Arc<LoadedDriver>> {
        let device = self.devices.get(&object).map(|device| &device.driver);
        device.or_else(|| self.drivers.get(&object)).cloned()
    }

    /// Keeps a device, even if it is deleted, or a driver, for a work item's routine, until it is released.
    fn retain_for_work(&mut self, object: usize) -> Option<Arc<LoadedDriver>> {
        self.objects.retain(object);
        self.driver_of_object(object)
    }

    /// Takes away the work items in drivers' own memory which goes. Returns them: each should have been uninitialized.
    pub(crate) fn take_work_items_from(&mut self, memory: &Range<usize>) -> Vec<Leftover> {
        let gone = self.work_items.extract_if(memory.clone(), |_, item| item.block.is_none());
        gone.map(|(_, item)| {
            (Rule::WorkItemLeft, "a work item that is not uninitialized, initialized from here".to_owned(), item.maker)
        })
        .collect()
    }
}

impl Core {
    /// A work item of the driver that has called a service.
    fn enter_work_item(&self, address: usize, object: usize, block: Option<Block>) {
        let owner = self.state().driver_of_object(object).map(|driver| driver.number());
        if owner != Some(processor::driver()) {
            self.report(Rule::WorkItemInvalid, "what the work item is for is none of the driver's own");
        }
        let maker = self.maker();
        self.state().work_items.insert(address, WorkItem { object, queued: false, block, maker });
    }

    /// Takes a work item away that was allocated, or else initialized.
    fn remove_work_item(&self, item: usize, allocated: bool) {
        match self.state().work_items.remove(&item) {
            Some(work) if !work.queued && work.block.is_some() == allocated => return,
            _ => {}
        }
        let what = if allocated { "freed" } else { "uninitialized" };
        self.report(Rule::WorkItemInvalid, format!("{item:#x} is {what}, and is queued or no such work item"));
    }

    /// Runs a work item's routine. From then on it may be queued again or freed, by the routine itself too.
    fn run_work_item(self: &Arc<Self>, driver: &LoadedDriver, work: &Work) {
        if let Some(item) = self.state().work_items.get_mut(&work.item) {
            item.queued = false;
        }
        if !self.is_stopped() {
            let (routine, irql) = (work.routine, Irql::PASSIVE_LEVEL);
            // A crash is reported by the call itself.
            if let Ok((_, after)) = self.call_driver(driver, routine, &work.arguments, irql, None) {
                self.judge_irql(driver, routine, (irql, after), None);
            }
        }
        self.release_object(work.object);
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
        while self.wait_until(None, |_| (!is_running(&self.state())).then_some(())) == Err(Unmet::Never) {}
    }
}
