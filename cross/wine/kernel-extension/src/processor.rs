//! A processor for deferred procedure calls: a thread that makes them one after the other, and that keeps the timers.
//!
//! Source: <https://learn.microsoft.com/windows-hardware/drivers/kernel/introduction-to-dpcs>

use alloc::collections::{BTreeMap, VecDeque};
use core::ffi::c_void;
use core::mem::transmute;
use core::ptr::{null_mut, without_provenance_mut};
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use windows_sys::Wdk::Foundation::{KDPC, PKDEFERRED_ROUTINE};
use windows_sys::Wdk::System::SystemServices::KeSetEvent;

use crate::lock::Lock;
use crate::{clock, irql, thread, wait};

/// `KDEFERRED_ROUTINE`, which windows-sys declares without its parameters.
type Routine = unsafe extern "system" fn(*mut KDPC, *mut c_void, *mut c_void, *mut c_void);

/// When a timer expires, in the interrupt time's units, and a number that tells those apart which do so at once.
type Due = (u64, u64);

/// A timer that is set.
struct SetTimer {
    timer: *mut c_void,
    /// How much later it expires again, or zero.
    period: u64,
    /// What is called then, or null.
    dpc: *mut KDPC,
}

/// What the processor has to do.
struct Work {
    queue: VecDeque<*mut KDPC>,
    timers: BTreeMap<Due, SetTimer>,
    /// When each timer that is set expires, by its address.
    due: BTreeMap<usize, Due>,
    set_so_far: u64,
}

// SAFETY: the pointers are to drivers' structures, which any thread may use under the lock.
unsafe impl Send for Work {}

static WORK: Lock<Work> =
    Lock::new(Work { queue: VecDeque::new(), timers: BTreeMap::new(), due: BTreeMap::new(), set_so_far: 0 });
/// Changes whenever there is something new to do.
static CHANGES: AtomicUsize = AtomicUsize::new(0);
/// The calls that are queued or under way.
static CALLS: AtomicUsize = AtomicUsize::new(0);

/// What is in `KDPC.DpcData` while the call is queued.
const QUEUED: *mut c_void = without_provenance_mut(1);

/// Queues a call, unless it is queued already: whether it was not.
///
/// # Safety
/// The call is initialized and lives until it was made or removed.
pub(crate) unsafe fn insert(dpc: *mut KDPC, argument1: *mut c_void, argument2: *mut c_void) -> bool {
    // SAFETY: as the caller promises.
    let inserted = WORK.with(|work| unsafe { work.insert(dpc, argument1, argument2) });
    notice();
    inserted
}

/// Takes a call out of the queue: whether it was there.
///
/// # Safety
/// The call is initialized.
pub(crate) unsafe fn remove(dpc: *mut KDPC) -> bool {
    let removed = WORK.with(|work| {
        // SAFETY: as the caller promises, and the lock is held.
        let call = unsafe { &mut *dpc };
        let queued = call.DpcData == QUEUED;
        call.DpcData = null_mut();
        work.queue.retain(|other| *other != dpc);
        queued
    });
    if removed {
        end_call();
    }
    removed
}

/// Waits until no call is queued or under way.
pub(crate) fn flush() {
    wait::until_zero(&CALLS);
}

/// Sets a timer that is not set: it expires after `delay`, and again after each `period` unless that is zero.
///
/// # Safety
/// Timer and call are initialized, and live until the timer has expired, or is cancelled.
pub(crate) unsafe fn set_timer(timer: *mut c_void, delay: u64, period: u64, dpc: *mut KDPC) {
    let due = clock::interrupt_time().saturating_add(delay);
    WORK.with(|work| {
        // Should two threads set it at once, the later one decides.
        work.cancel(timer);
        work.set(SetTimer { timer, period, dpc }, due);
    });
    notice();
}

/// Cancels a timer: whether it was set.
pub(crate) fn cancel_timer(timer: *mut c_void) -> bool {
    WORK.with(|work| work.cancel(timer))
}

impl Work {
    /// # Safety
    /// As for [`insert`], and the lock is held.
    unsafe fn insert(&mut self, dpc: *mut KDPC, argument1: *mut c_void, argument2: *mut c_void) -> bool {
        // SAFETY: as the caller promises.
        let call = unsafe { &mut *dpc };
        if call.DpcData == QUEUED {
            return false;
        }
        call.DpcData = QUEUED;
        call.SystemArgument1 = argument1;
        call.SystemArgument2 = argument2;
        CALLS.fetch_add(1, Ordering::Acquire);
        self.queue.push_back(dpc);
        true
    }

    fn set(&mut self, timer: SetTimer, due: u64) {
        self.set_so_far += 1;
        let due = (due, self.set_so_far);
        self.due.insert(timer.timer.addr(), due);
        self.timers.insert(due, timer);
    }

    fn cancel(&mut self, timer: *mut c_void) -> bool {
        self.due.remove(&timer.addr()).and_then(|due| self.timers.remove(&due)).is_some()
    }

    /// Lets every timer expire whose time has come, and tells in how many units the next one will, if any.
    fn expire(&mut self, now: u64) -> Option<u64> {
        loop {
            let first = self.timers.first_entry()?;
            let (due, _) = *first.key();
            if due > now {
                return Some(due - now);
            }
            let expired = first.remove();
            self.due.remove(&expired.timer.addr());
            // SAFETY: a timer that is set is alive. For Wine it is an object like an event, whose state is in its header.
            unsafe { KeSetEvent(expired.timer.cast(), 0, false) };
            if !expired.dpc.is_null() {
                // SAFETY: the call lives as long as the timer is set, and then until it was made.
                unsafe { self.insert(expired.dpc, null_mut(), null_mut()) };
            }
            if expired.period != 0 {
                let next = now.max(due + expired.period);
                self.set(expired, next);
            }
        }
    }
}

/// A call as it is to be made: nothing of the driver's structure is used once it has begun.
struct Call {
    dpc: *mut KDPC,
    routine: Option<Routine>,
    context: *mut c_void,
    arguments: [*mut c_void; 2],
}

impl Call {
    fn next() -> Option<Self> {
        WORK.with(|work| {
            let dpc = work.queue.pop_front()?;
            // SAFETY: a call that is queued is alive, and the lock is held.
            let call = unsafe { &mut *dpc };
            call.DpcData = null_mut();
            // SAFETY: the driver's routine is of this type.
            let routine = unsafe { transmute::<PKDEFERRED_ROUTINE, Option<Routine>>(call.DeferredRoutine) };
            let arguments = [call.SystemArgument1, call.SystemArgument2];
            Some(Self { dpc, routine, context: call.DeferredContext, arguments })
        })
    }

    fn make(self) {
        let Self { dpc, routine, context, arguments: [argument1, argument2] } = self;
        let before = irql::set(irql::DISPATCH_LEVEL);
        if let Some(routine) = routine {
            // SAFETY: the driver has queued it, and waits for its end before anything that it uses goes.
            unsafe { routine(dpc, context, argument1, argument2) };
        }
        irql::set(before);
        end_call();
    }
}

fn end_call() {
    if CALLS.fetch_sub(1, Ordering::Release) == 1 {
        wait::wake(&raw const CALLS);
    }
}

/// Has the thread look at what there is to do, and starts it if there is none.
fn notice() {
    static STARTED: AtomicBool = AtomicBool::new(false);
    CHANGES.fetch_add(1, Ordering::Release);
    wait::wake(&raw const CHANGES);
    if STARTED.swap(true, Ordering::AcqRel) {
        return;
    }
    // SAFETY: the routine needs no context.
    unsafe { thread::start(run, null_mut()) };
}

/// The thread.
///
/// # Safety
/// It is run once.
unsafe extern "system" fn run(_context: *mut c_void) {
    loop {
        let seen = CHANGES.load(Ordering::Acquire);
        let next_timer = WORK.with(|work| work.expire(clock::interrupt_time()));
        match Call::next() {
            Some(call) => call.make(),
            None => wait::while_equal_for(&CHANGES, seen, next_timer),
        }
    }
}
