//! Deferred procedure calls: routines of the driver that run at DISPATCH_LEVEL, on any processor.
//!
//! Source: <https://learn.microsoft.com/windows-hardware/drivers/kernel/introduction-to-dpcs>

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::core::Core;
use crate::driver_memory;
use crate::process::Context;
use crate::processor::{self, Irql};
use crate::synchronization::Synchronization;
use crate::violation::Rule;

/// `KDPC`: its type, its routine and its context, and its length.
const DPC_OBJECT: u8 = 0x13;
const THREADED_DPC_OBJECT: u8 = 0x18;
const ROUTINE: usize = 0x18;
const CONTEXT: usize = 0x20;
const LENGTH: usize = 0x40;

/// A `KDPC` as it was when it was queued, or its timer set.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DeferredCall {
    pub(crate) address: usize,
    pub(crate) routine: usize,
    context: usize,
}

/// The DPCs that are queued and that run.
#[derive(Debug, Default)]
pub(crate) struct DeferredCalls {
    /// With the arguments of the system, by their address.
    pub(crate) queued: BTreeMap<usize, (DeferredCall, [usize; 2])>,
    /// Those that run: a DPC may run on two processors at once.
    pub(crate) running: Vec<DeferredCall>,
}

/// `KeInitializeDpc`.
///
/// # Safety
/// Only the driver may call it, with the address of a `KDPC`.
pub(super) unsafe extern "win64" fn initialize(dpc: usize, routine: usize, context: usize) {
    // SAFETY: as the driver vouches.
    unsafe { make(dpc, DPC_OBJECT, routine, context) };
}

/// `KeInitializeThreadedDpc`: it may run at DISPATCH_LEVEL too, and here it does.
///
/// # Safety
/// Only the driver may call it, with the address of a `KDPC`.
pub(super) unsafe extern "win64" fn initialize_threaded(dpc: usize, routine: usize, context: usize) {
    // SAFETY: as the driver vouches.
    unsafe { make(dpc, THREADED_DPC_OBJECT, routine, context) };
}

/// # Safety
/// The driver vouches for the DPC.
unsafe fn make(dpc: usize, kind: u8, routine: usize, context: usize) {
    // SAFETY: as the caller promises.
    unsafe { driver_memory::write_bytes(dpc, &[0; LENGTH]) };
    // SAFETY: as the caller promises.
    unsafe { driver_memory::write(dpc, kind) };
    // SAFETY: as the caller promises.
    unsafe { driver_memory::write(dpc + ROUTINE, [routine, context]) };
    let core = processor::core();
    if core.change(|it| it.deferred_calls.queued.remove(&dpc)).is_some() {
        core.report(Rule::DpcLeft, "it is initialized while it is queued");
    }
}

/// `KeSetImportanceDpc`, `KeSetTargetProcessorDpc`: here any processor is as good.
///
/// # Safety
/// Only the driver may call it, with the address of a `KDPC`.
pub(super) unsafe extern "win64" fn set_attribute(dpc: usize, _value: i32) {
    // SAFETY: as the driver vouches.
    unsafe { read(&processor::core(), dpc) };
}

/// `KeInsertQueueDpc`. Returns whether it was not queued before.
///
/// # Safety
/// Only the driver may call it, with the address of a `KDPC`.
pub(super) unsafe extern "win64" fn insert(dpc: usize, argument1: usize, argument2: usize) -> u8 {
    let core = processor::core();
    // SAFETY: as the driver vouches.
    let Some(call) = (unsafe { read(&core, dpc) }) else { return 0 };
    u8::from(core.change(|it| core.queue_deferred_call(it, call, [argument1, argument2])))
}

/// `KeRemoveQueueDpc`. Returns whether it was queued.
///
/// # Safety
/// Only the driver may call it, with the address of a `KDPC`.
pub(super) unsafe extern "win64" fn remove(dpc: usize) -> u8 {
    let core = processor::core();
    // SAFETY: as the driver vouches.
    unsafe { read(&core, dpc) };
    u8::from(core.change(|it| it.deferred_calls.queued.remove(&dpc)).is_some())
}

/// `KeFlushQueuedDpcs`: returns when every DPC that is queued now has run.
///
/// # Safety
/// Only the driver may call it.
pub(super) unsafe extern "win64" fn flush() {
    let core = processor::core();
    core.judge_wait(&core.wait_for_deferred_calls(), "a DPC does not end");
}

/// What a `KDPC` says; `None`, and a violation, if it was not initialized.
///
/// # Safety
/// The driver vouches for it.
pub(super) unsafe fn read(core: &Core, dpc: usize) -> Option<DeferredCall> {
    // SAFETY: as the caller promises.
    let kind: u8 = unsafe { driver_memory::read(dpc) };
    // SAFETY: as the caller promises.
    let routine = unsafe { driver_memory::read(dpc + ROUTINE) };
    // SAFETY: as the caller promises.
    let context = unsafe { driver_memory::read(dpc + CONTEXT) };
    if matches!(kind, DPC_OBJECT | THREADED_DPC_OBJECT) && core.driver_at(routine).is_some() {
        return Some(DeferredCall { address: dpc, routine, context });
    }
    core.report(Rule::NotInitialized, format!("{dpc:#x} is used as a DPC, and was not initialized as one"));
    None
}

impl Core {
    /// Queues a DPC, unless it is queued. Returns whether it was not.
    pub(super) fn queue_deferred_call(
        self: &Arc<Self>,
        it: &mut Synchronization,
        call: DeferredCall,
        arguments: [usize; 2],
    ) -> bool {
        if it.deferred_calls.queued.contains_key(&call.address) {
            return false;
        }
        it.deferred_calls.queued.insert(call.address, (call, arguments));
        self.start_thread_with(it, move |core| core.run_deferred_call(call.address));
        true
    }

    /// Runs a DPC, if it is still queued. From then on it may be queued again.
    fn run_deferred_call(self: &Arc<Self>, address: usize) {
        let taken = self.change(|it| {
            let (call, arguments) = it.deferred_calls.queued.remove(&address)?;
            it.deferred_calls.running.push(call);
            Some((call, arguments))
        });
        let Some((call, [one, other])) = taken else { return };
        if let Some(driver) = self.driver_at(call.routine).filter(|_| !self.is_stopped()) {
            let arguments = [call.address, call.context, one, other];
            let irql = Irql::DISPATCH_LEVEL;
            let run = || self.call_driver(&driver, call.routine, &arguments, irql, None);
            if let Ok((_, after)) = processor::in_context(Context::ARBITRARY, run) {
                self.judge_irql(&driver, call.routine, (irql, after), None);
            }
        }
        self.change(|it| {
            let running = &mut it.deferred_calls.running;
            let position = running.iter().position(|other| other.address == call.address);
            position.map(|position| running.swap_remove(position));
        });
    }

    /// Waits until no DPC is queued or runs.
    pub(crate) fn wait_for_deferred_calls(self: &Arc<Self>) -> Result<(), crate::synchronization::Unmet> {
        self.wait_until(None, |it| {
            let calls = &it.deferred_calls;
            (calls.queued.is_empty() && calls.running.is_empty()).then_some(())
        })
    }
}
