//! Timers.
//!
//! Source: <https://learn.microsoft.com/windows-hardware/drivers/kernel/timer-objects-and-dpcs>

use std::sync::Arc;

use super::deferred_call::{self, DeferredCall};
use super::dispatcher::{self, Kind};
use crate::clock::UNITS_PER_MILLISECOND;
use crate::core::Core;
use crate::owner::Maker;
use crate::processor;
use crate::synchronization::Synchronization;
use crate::violation::Rule;

/// The length of a `KTIMER`.
const LENGTH: usize = 0x40;

/// A `KTIMER` that was initialized, by its address.
#[derive(Debug, Default)]
pub(crate) struct Timer {
    /// The interrupt time at which it expires, if it is set.
    pub(crate) due: Option<u64>,
    /// In units of the clock; zero if it expires once.
    period: u64,
    /// What runs then.
    pub(crate) call: Option<DeferredCall>,
    pub(crate) is_signalled: bool,
    /// Who set it.
    pub(crate) maker: Maker,
}

/// `KeInitializeTimer`.
///
/// # Safety
/// Only the driver may call it, with the address of a `KTIMER`.
pub(super) unsafe extern "win64" fn initialize(timer: usize) {
    // SAFETY: as the driver vouches.
    unsafe { initialize_as(timer, 0) };
}

/// `KeInitializeTimerEx`.
///
/// # Safety
/// Only the driver may call it, with the address of a `KTIMER`.
pub(super) unsafe extern "win64" fn initialize_as(timer: usize, kind: i32) {
    let kind = if kind == 0 { Kind::NotificationTimer } else { Kind::SynchronizationTimer };
    // SAFETY: as the driver vouches.
    unsafe { crate::driver_memory::write_bytes(timer, &[0; LENGTH]) };
    // SAFETY: as the driver vouches.
    unsafe { dispatcher::initialize(timer, kind, LENGTH, 0) };
    let core = processor::core();
    let before = core.change(|it| it.timers.insert(timer, Timer::default()));
    if before.is_some_and(|timer| timer.due.is_some()) {
        core.report(Rule::TimerLeft, "it is initialized while it is set");
    }
}

/// `KeSetTimer`. Returns whether it was set.
///
/// # Safety
/// Only the driver may call it, with the address of a `KTIMER` and, perhaps, of a `KDPC`.
pub(super) unsafe extern "win64" fn set(timer: usize, due: i64, dpc: usize) -> u8 {
    // SAFETY: as the driver vouches.
    unsafe { set_periodic(timer, due, 0, dpc) }
}

/// `KeSetTimerEx`. The period is in milliseconds.
///
/// # Safety
/// As for [`set`].
pub(super) unsafe extern "win64" fn set_periodic(timer: usize, due: i64, period: i32, dpc: usize) -> u8 {
    // SAFETY: as the driver vouches.
    let Some(core) = (unsafe { known(timer) }) else { return 0 };
    // SAFETY: as the driver vouches.
    let call = (dpc != 0).then(|| unsafe { deferred_call::read(&core, dpc) }).flatten();
    let period = u64::try_from(period).unwrap_or(0) * UNITS_PER_MILLISECOND;
    let maker = core.maker();
    let was_set = core.change(|it| {
        let due = it.clock.due(due);
        let new = Timer { due: Some(due), period, call, is_signalled: false, maker };
        let before = it.timers.insert(timer, new);
        core.expire_timers(it);
        before.is_some_and(|timer| timer.due.is_some())
    });
    u8::from(was_set)
}

/// `KeSetCoalescableTimer`: the tolerable delay is not used.
///
/// # Safety
/// As for [`set`].
pub(super) unsafe extern "win64" fn set_coalescable(
    timer: usize,
    due: i64,
    period: u32,
    _delay: u32,
    dpc: usize,
) -> u8 {
    // SAFETY: as the driver vouches.
    unsafe { set_periodic(timer, due, i32::try_from(period).unwrap_or(i32::MAX), dpc) }
}

/// `KeCancelTimer`. Returns whether it was set. A DPC that it has queued already runs.
///
/// # Safety
/// Only the driver may call it, with the address of a `KTIMER`.
pub(super) unsafe extern "win64" fn cancel(timer: usize) -> u8 {
    // SAFETY: as the driver vouches.
    let Some(core) = (unsafe { known(timer) }) else { return 0 };
    let was_set = core.change(|it| it.timers.get_mut(&timer).and_then(|timer| timer.due.take()).is_some());
    u8::from(was_set)
}

/// `KeReadStateTimer`. Returns whether it has expired.
///
/// # Safety
/// Only the driver may call it, with the address of a `KTIMER`.
pub(super) unsafe extern "win64" fn state(timer: usize) -> u8 {
    // SAFETY: as the driver vouches.
    let Some(core) = (unsafe { known(timer) }) else { return 0 };
    core.look(|it| u8::from(it.timers.get(&timer).is_some_and(|timer| timer.is_signalled)))
}

/// The kernel, if the timer is there and was initialized.
///
/// # Safety
/// The driver vouches for the timer.
unsafe fn known(timer: usize) -> Option<Arc<Core>> {
    let core = processor::core();
    // SAFETY: as the caller promises.
    let kind = unsafe { dispatcher::kind(&core, timer) }?;
    if kind.is_timer() && core.look(|it| it.timers.contains_key(&timer)) {
        return Some(core);
    }
    core.report(Rule::NotInitialized, format!("{timer:#x} is used as a timer, and was not initialized as one"));
    None
}

impl Core {
    /// Lets every timer expire that is due.
    pub(crate) fn expire_timers(self: &Arc<Self>, it: &mut Synchronization) {
        let now = it.clock.interrupt_time();
        let mut calls = Vec::new();
        for timer in it.timers.values_mut() {
            let Some(due) = timer.due.filter(|due| *due <= now) else { continue };
            timer.is_signalled = true;
            // A periodic timer that is late does not catch up.
            timer.due = (timer.period > 0).then(|| due.saturating_add(timer.period).max(now + 1));
            calls.extend(timer.call);
        }
        for call in calls {
            self.queue_deferred_call(it, call, [0; 2]);
        }
    }
}
