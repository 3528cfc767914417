//! Waiting for objects and for time.
//!
//! A wait without a timeout that lasts longer than a driver may take is a violation, and so is one that nobody is left to end.

use std::sync::Arc;

use netio_anycast_protocol::status::NtStatus;

use super::dispatcher::{self, Kind};
use crate::core::Core;
use crate::locks::Kind as Lock;
use crate::processor::{self, Irql};
use crate::synchronization::{Synchronization, Unmet};
use crate::violation::Rule;
use crate::{crash, driver_memory, status};

/// `WAIT_TYPE.WaitAll`.
const WAIT_ALL: i32 = 0;
/// `THREAD_WAIT_OBJECTS`: more need wait blocks from the driver; and `MAXIMUM_WAIT_OBJECTS`.
const OWN_WAIT_BLOCKS: u32 = 3;
const MOST_OBJECTS: u32 = 64;

/// `KeWaitForSingleObject`, and `KeWaitForMutexObject`.
///
/// # Safety
/// Only the driver may call it, with the address of an object and, perhaps, of a timeout.
pub(super) unsafe extern "win64" fn single(
    object: usize,
    _reason: i32,
    _mode: i8,
    _alertable: u8,
    timeout: usize,
) -> i32 {
    // SAFETY: as the driver vouches.
    let timeout = unsafe { read_timeout(timeout) };
    // SAFETY: as the driver vouches.
    let status = unsafe { wait(&[object], true, timeout) };
    // SAFETY: there is nothing here to be dropped.
    unsafe { leave_if_stopped() };
    status
}

/// `KeWaitForMultipleObjects`. Of any, returns which.
///
/// # Safety
/// Only the driver may call it, with the addresses of that many objects and, perhaps, of a timeout and of wait blocks.
pub(super) unsafe extern "win64" fn multiple(
    count: u32,
    objects: usize,
    kind: i32,
    _reason: i32,
    _mode: i8,
    _alertable: u8,
    timeout: usize,
    wait_blocks: usize,
) -> i32 {
    // SAFETY: as the driver vouches.
    let timeout = unsafe { read_timeout(timeout) };
    if count > MOST_OBJECTS || (count > OWN_WAIT_BLOCKS && wait_blocks == 0) {
        processor::core()
            .report(Rule::NotInitialized, format!("{count} objects, and the wait blocks at {wait_blocks:#x}"));
        return NtStatus::INVALID_PARAMETER.0;
    }
    let mut addresses = [0; MOST_OBJECTS as usize];
    for (index, address) in addresses.iter_mut().enumerate().take(count as usize) {
        // SAFETY: as the driver vouches.
        *address = unsafe { driver_memory::read(objects + index * size_of::<usize>()) };
    }
    // SAFETY: as the driver vouches.
    let status = unsafe { wait(addresses.get(..count as usize).unwrap_or_default(), kind == WAIT_ALL, timeout) };
    // SAFETY: there is nothing here to be dropped.
    unsafe { leave_if_stopped() };
    status
}

/// `KeDelayExecutionThread`.
///
/// # Safety
/// Only the driver may call it, with the address of the interval.
pub(super) unsafe extern "win64" fn delay(_mode: i8, _alertable: u8, interval: usize) -> i32 {
    // SAFETY: as the driver vouches.
    let interval = unsafe { driver_memory::read(interval) };
    pass_time(&processor::core(), interval);
    // SAFETY: there is nothing here to be dropped.
    unsafe { leave_if_stopped() };
    NtStatus::SUCCESS.0
}

/// Waits until as much time has passed.
fn pass_time(core: &Arc<Core>, interval: i64) {
    let due = core.look(|it| it.clock.due(interval));
    // Nothing but the time ends it.
    let _: Result<(), Unmet> = core.wait_until(Some(due), |_| None);
}

/// Does not return if a driver has crashed: nobody who waits goes on then.
///
/// # Safety
/// Only a service may call it, with nothing on the stack that must be dropped.
unsafe fn leave_if_stopped() {
    if processor::core().is_stopped() {
        // SAFETY: as the caller promises.
        unsafe { crash::give_up(crash::NESTED) };
    }
}

/// # Safety
/// The driver vouches for the timeout, if there is one.
unsafe fn read_timeout(timeout: usize) -> Option<i64> {
    // SAFETY: as the caller promises.
    (timeout != 0).then(|| unsafe { driver_memory::read(timeout) })
}

/// Waits for one of the objects, or for all at once.
///
/// # Safety
/// The driver vouches for the objects.
unsafe fn wait(addresses: &[usize], all: bool, timeout: Option<i64>) -> i32 {
    let core = processor::core();
    if timeout != Some(0) && processor::irql() > Irql::APC_LEVEL {
        core.report(Rule::IrqlTooHigh, "nothing is waited for at DISPATCH_LEVEL, unless the timeout is zero");
    }
    let mut objects = [(0, Kind::Thread); MOST_OBJECTS as usize];
    for (object, address) in objects.iter_mut().zip(addresses) {
        // From here on the object is known to be there.
        // SAFETY: as the caller promises.
        let Some(kind) = (unsafe { dispatcher::kind(&core, *address) }) else {
            return NtStatus::INVALID_PARAMETER.0;
        };
        *object = (*address, kind);
        judge_mutex(&core, *object, timeout);
    }
    let objects = objects.get(..addresses.len()).unwrap_or_default();
    let due = timeout.map(|timeout| core.look(|it| it.clock.due(timeout)));
    let ready = |it: &mut Synchronization| {
        // SAFETY: as the caller promises.
        let signalled =
            |it: &mut _, &(object, kind): &(usize, Kind)| unsafe { dispatcher::is_signalled(it, object, kind) };
        if all {
            let complete = objects.iter().all(|object| signalled(it, object));
            complete.then(|| {
                for (object, kind) in objects {
                    // SAFETY: as the caller promises.
                    unsafe { dispatcher::satisfy(it, *object, *kind) };
                }
                0
            })
        } else {
            let first = objects.iter().position(|object| signalled(it, object))?;
            let (object, kind) = *objects.get(first)?;
            // SAFETY: as the caller promises.
            unsafe { dispatcher::satisfy(it, object, kind) };
            i32::try_from(first).ok()
        }
    };
    match core.wait_interruptibly(due, ready) {
        // STATUS_WAIT_0 and those that follow.
        Ok(index) => index,
        Err(Unmet::TimedOut | Unmet::Stopped) => status::TIMEOUT.0,
        Err(Unmet::Never) => {
            core.report(Rule::WaitForever, "what is waited for does not come");
            status::TIMEOUT.0
        }
    }
}

impl Core {
    /// Waits as [`wait_until`](Core::wait_until) does, and hands over meanwhile what comes back for this thread.
    fn wait_interruptibly(
        self: &Arc<Self>,
        due: Option<u64>,
        ready: impl Fn(&mut Synchronization) -> Option<i32>,
    ) -> Result<i32, Unmet> {
        loop {
            let look = |it: &mut Synchronization| {
                if self.interrupts_wait(it) { Some(None) } else { ready(it).map(Some) }
            };
            match self.wait_until(due, look)? {
                Some(index) => return Ok(index),
                None => self.hand_over(),
            }
        }
    }
}

/// A mutex is a lock too.
fn judge_mutex(core: &Arc<Core>, (object, kind): (usize, Kind), timeout: Option<i64>) {
    if kind == Kind::Mutex && timeout != Some(0) && core.change(|it| it.locks.own(object).is_none()) {
        core.judge_order(object, Lock::Mutex);
    }
}
