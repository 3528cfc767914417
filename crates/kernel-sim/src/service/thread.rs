//! Threads that drivers create.
//!
//! Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-pscreatesystemthread>

use std::sync::Arc;

use netio_anycast_protocol::status::NtStatus;

use super::dispatcher::{self, Kind};
use super::pool;
use crate::core::{Core, Object};
use crate::crash;
use crate::driver::LoadedDriver;
use crate::driver_memory;
use crate::memory::Placement;
use crate::objects::ObjectKind;
use crate::owner::{DriverNumber, Maker};
use crate::process::{self, ProcessId};
use crate::processor::{self, Irql};
use crate::synchronization::Unmet;
use crate::violation::Rule;

/// How much of a thread object is there: its dispatcher header, and room for who reads a little further.
const THREAD: usize = 0x40;

/// A thread that a driver has created and that has not ended, by its object.
#[derive(Debug)]
pub(crate) struct SystemThread {
    /// Whose code it runs.
    driver: DriverNumber,
    maker: Maker,
}

/// `PsCreateSystemThread`, in the system's process.
///
/// # Safety
/// Only the driver may call it, with room for a handle and, perhaps, for a `CLIENT_ID`.
pub(super) unsafe extern "win64" fn create(
    handle: usize,
    _access: u32,
    _attributes: usize,
    _process: usize,
    client_id: usize,
    routine: usize,
    context: usize,
) -> i32 {
    let core = processor::core();
    if core.fault() {
        return pool::NO_MEMORY.0;
    }
    let Some(driver) = core.driver_at(routine) else {
        core.report(
            Rule::ThreadInvalid,
            format!("the thread is to begin at {routine:#x}, which is no code of a driver's"),
        );
        return NtStatus::INVALID_PARAMETER.0;
    };
    let object = core.create_thread(driver, routine, context);
    let value = core.new_handle(Object::Plain(ObjectKind::Thread, object));
    // SAFETY: as the driver vouches.
    unsafe { driver_memory::write(handle, value) };
    if client_id != 0 {
        // SAFETY: as the driver vouches.
        unsafe { driver_memory::write(client_id, [ProcessId::SYSTEM.0 as usize, object]) };
    }
    NtStatus::SUCCESS.0
}

/// `PsTerminateSystemThread`: does not return, in a thread that a driver has created.
///
/// # Safety
/// Only the driver may call it.
pub(super) unsafe extern "win64" fn terminate(_status: i32) -> i32 {
    if is_own_thread() {
        // SAFETY: there is nothing here to be dropped.
        unsafe { crash::give_up(crash::TERMINATED) };
    }
    processor::core().report(Rule::ThreadInvalid, "a thread is terminated that no driver has created");
    NtStatus::INVALID_PARAMETER.0
}

/// Whether a driver has created this thread.
fn is_own_thread() -> bool {
    processor::core().look(|it| it.system_threads.contains_key(&processor::thread()))
}

impl Core {
    /// Starts a thread that runs a driver's routine. Returns its object, with a reference for its handle.
    fn create_thread(self: &Arc<Self>, driver: Arc<LoadedDriver>, routine: usize, context: usize) -> usize {
        let block = self.arena.allocate(THREAD, Placement::AtEnd, 0);
        let object = block.address();
        // SAFETY: the block is as long as that.
        unsafe { dispatcher::initialize(object, Kind::Thread, THREAD, 0) };
        let mut state = self.state();
        state.objects.insert(object, ObjectKind::Thread);
        // One reference for the handle, and one for the thread as long as it runs.
        state.objects.retain(object);
        state.other_objects.insert(object, block);
        drop(state);
        process::enter_thread(object, ProcessId::SYSTEM);
        let thread = SystemThread { driver: driver.number(), maker: self.maker() };
        self.change(|it| it.system_threads.insert(object, thread));
        self.start_thread_as(object, move |core| core.run_thread(&driver, object, routine, context));
        object
    }

    /// Runs a thread from its beginning to its end.
    fn run_thread(self: &Arc<Self>, driver: &LoadedDriver, object: usize, routine: usize, context: usize) {
        // Such a thread is always in a critical region.
        processor::change_critical_regions(1);
        if !self.is_stopped() {
            // It returns, or terminates itself; a crash is reported by the call itself.
            let result = self.call_driver(driver, routine, &[context], Irql::PASSIVE_LEVEL, None);
            if let Ok((_, after)) = result {
                self.judge_irql(driver, routine, (Irql::PASSIVE_LEVEL, after), None);
            }
        }
        processor::change_critical_regions(-1);
        self.cancel_built_requests(object);
        self.change(|it| {
            it.system_threads.remove(&object);
            // SAFETY: the object is there: the thread refers to it.
            unsafe { dispatcher::signal(object) };
        });
        process::forget_thread(object);
        self.release_object(object);
    }

    /// Judges the threads of a driver that goes which have not ended, and waits for their end. Returns false if it does not come.
    pub(crate) fn judge_threads(self: &Arc<Self>, driver: &LoadedDriver) -> bool {
        let number = driver.number();
        let left: Vec<Maker> = self.look(|it| {
            let left = it.system_threads.values().filter(|thread| thread.driver == number);
            left.map(|thread| thread.maker.clone()).collect()
        });
        for maker in &left {
            let stack = self.named(&maker.stack);
            self.report_of(driver, Rule::ThreadLeft, "a thread that has not ended, created from here", stack);
        }
        let gone = || {
            self.wait_until(None, |it| it.system_threads.values().all(|thread| thread.driver != number).then_some(()))
        };
        left.is_empty() || gone() != Err(Unmet::Never)
    }
}
