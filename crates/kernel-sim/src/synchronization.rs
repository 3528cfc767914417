//! What threads wait for: locks, timers, and whatever else changes for those who wait.
//!
//! All of it is behind one mutex, and every change wakes everybody who waits. So it is known when nobody can go on but by the
//! passing of time; then, and only then, it passes.

use std::cell::Cell;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError};
use std::thread::ThreadId;
use std::time::{Duration, Instant};

use crate::built_requests::BuiltRequests;
use crate::clock::{self, Clock, Time};
use crate::core::{Core, lock};
use crate::locks::Locks;
use crate::processor;
use crate::schedule;
use crate::service::{Callbacks, DeferredCalls, Resource, Rundown, SystemThread, Timer};
use crate::violation::Rule;
use crate::workers;

/// The state that threads wait for. Who holds it takes no other lock but the state of the kernel or of a request.
#[derive(Debug, Default)]
pub(crate) struct Synchronization {
    pub(crate) clock: Clock,
    pub(crate) locks: Locks,
    pub(crate) timers: BTreeMap<usize, Timer>,
    pub(crate) deferred_calls: DeferredCalls,
    pub(crate) resources: BTreeMap<usize, Resource>,
    pub(crate) rundowns: BTreeMap<usize, Rundown>,
    pub(crate) built: BuiltRequests,
    pub(crate) callbacks: Callbacks,
    /// The providers whose enable callbacks run, by their handles, and how many times at once.
    pub(crate) enable_callbacks: BTreeMap<u64, usize>,
    pub(crate) system_threads: BTreeMap<usize, SystemThread>,
    /// Changes with everything that somebody may wait for.
    generation: u64,
    /// The threads that run drivers' code, or are going to, and don't wait.
    running: usize,
    waiting: HashMap<ThreadId, Waiting>,
    /// Those who wait until nothing happens any more.
    settling: usize,
}

/// A thread that waits.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    /// The interrupt time at which it stops waiting.
    due: Option<u64>,
    /// When it has last seen that it must wait.
    generation: u64,
    /// Time may pass for it. It doesn't for the system's threads alone: a periodic timer would let it run away.
    lets_time_pass: bool,
    takes_turns: bool,
}

/// Why a wait ended without what was waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unmet {
    /// It is as late as was agreed.
    TimedOut,
    /// It won't come: everybody waits, or it took longer than a driver may take.
    Never,
    /// A driver has crashed, and nobody goes on.
    Stopped,
}

thread_local! {
    /// How many calls into drivers are under way on this thread.
    static DEPTH: Cell<usize> = const { Cell::new(0) };
    /// Whether this is one of the system's own threads.
    static IS_SYSTEM: Cell<bool> = const { Cell::new(false) };
}

/// How many calls into drivers are under way on this thread.
pub(crate) fn depth() -> usize {
    DEPTH.get()
}

impl Synchronization {
    /// Something has changed: whoever waits looks again.
    pub(crate) const fn changed(&mut self) {
        self.generation += 1;
    }

    /// A thread begins to run drivers' code.
    fn enter(&mut self, thread: usize) {
        *self.built.threads.entry(thread).or_default() += 1;
    }

    /// A thread runs drivers' code no more.
    fn leave(&mut self, thread: usize) {
        if let Some(calls) = self.built.threads.get_mut(&thread) {
            *calls -= 1;
            if *calls == 0 {
                self.built.threads.remove(&thread);
            }
        }
    }

    /// Whether nobody can go on before time passes.
    fn is_idle(&self) -> bool {
        let mut waiting = self.waiting.values();
        let takers = self.waiting.values().filter(|waiting| waiting.takes_turns).count();
        self.running == 0
            && waiting.all(|waiting| waiting.generation == self.generation)
            && schedule::alive().is_none_or(|alive| takers >= alive)
    }

    /// The interrupt time of what happens next.
    fn next_due(&self) -> Option<u64> {
        let waits = self.waiting.values().filter_map(|waiting| waiting.due);
        waits.chain(self.timers.values().filter_map(|timer| timer.due)).min()
    }

    /// Enters or confirms that this thread waits.
    fn wait(&mut self, due: Option<u64>) {
        let waiting = Waiting {
            due,
            generation: self.generation,
            lets_time_pass: !IS_SYSTEM.get(),
            takes_turns: schedule::is_taking_turns(),
        };
        if self.waiting.insert(std::thread::current().id(), waiting).is_none() && DEPTH.get() > 0 {
            self.running -= 1;
        }
    }

    /// This thread waits no more.
    fn go_on(&mut self) {
        if self.waiting.remove(&std::thread::current().id()).is_some() && DEPTH.get() > 0 {
            self.running += 1;
        }
    }
}

impl Core {
    /// Changes something that somebody may wait for.
    pub(crate) fn change<R>(&self, work: impl FnOnce(&mut Synchronization) -> R) -> R {
        let mut synchronization = lock(&self.synchronization);
        let result = work(&mut synchronization);
        synchronization.changed();
        self.wake(&synchronization);
        result
    }

    /// Lets those who wait look again. It takes no system call if nobody does.
    fn wake(&self, synchronization: &Synchronization) {
        if !synchronization.waiting.is_empty() || synchronization.settling > 0 {
            self.changed.notify_all();
        }
    }

    /// Looks at something.
    pub(crate) fn look<R>(&self, work: impl FnOnce(&Synchronization) -> R) -> R {
        work(&lock(&self.synchronization))
    }

    /// Waits until `ready` gives something, though not longer than until the interrupt time `due`.
    ///
    /// # Errors
    /// It did not come.
    pub(crate) fn wait_until<R>(
        self: &Arc<Self>,
        due: Option<u64>,
        mut ready: impl FnMut(&mut Synchronization) -> Option<R>,
    ) -> Result<R, Unmet> {
        let deadline = Instant::now() + self.options.time_limit;
        let mut synchronization = lock(&self.synchronization);
        let result = loop {
            if let Some(result) = ready(&mut synchronization) {
                synchronization.changed();
                break Ok(result);
            }
            if due.is_some_and(|due| due <= synchronization.clock.interrupt_time()) {
                break Err(Unmet::TimedOut);
            }
            if self.is_stopped() {
                break Err(Unmet::Stopped);
            }
            let Some(left) = deadline.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) else {
                break Err(due.map_or(Unmet::Never, |_| Unmet::TimedOut));
            };
            synchronization.wait(due);
            if synchronization.is_idle() && self.options.time == Time::WhenAllWait {
                match synchronization.next_due() {
                    Some(next) if synchronization.waiting.values().any(|waiting| waiting.lets_time_pass) => {
                        self.pass_time(&mut synchronization, next);
                        continue;
                    }
                    // Of the threads that take turns none can go on, and the system's are there to wait.
                    None if schedule::is_taking_turns() && !IS_SYSTEM.get() => break Err(Unmet::Never),
                    _ => {}
                }
            }
            if synchronization.settling > 0 && synchronization.is_idle() {
                self.changed.notify_all();
            }
            if schedule::is_taking_turns() {
                drop(synchronization);
                schedule::point();
                synchronization = lock(&self.synchronization);
            } else {
                let result = self.changed.wait_timeout(synchronization, left);
                synchronization = result.unwrap_or_else(PoisonError::into_inner).0;
            }
        };
        synchronization.go_on();
        self.wake(&synchronization);
        result
    }

    /// Judges a wait of the driver that has called a service.
    pub(crate) fn judge_wait<R>(&self, result: &Result<R, Unmet>, detail: impl Into<String>) {
        if matches!(result, Err(Unmet::Never)) {
            self.report(Rule::WaitForever, detail);
        }
    }

    /// It is `interrupt_time` now.
    fn pass_time(self: &Arc<Self>, synchronization: &mut Synchronization, interrupt_time: u64) {
        synchronization.clock.set(interrupt_time);
        self.expire_timers(synchronization);
        synchronization.changed();
        self.wake(synchronization);
    }

    /// Lets time pass, from each timer to the next. What follows from one has happened before the next is due, unless threads
    /// take turns.
    pub(crate) fn advance(self: &Arc<Self>, duration: Duration) {
        // What is under way may be about to set a timer.
        self.settle();
        let mut synchronization = lock(&self.synchronization);
        let end = synchronization.clock.interrupt_time().saturating_add(clock::units(duration));
        loop {
            let next = synchronization.next_due().filter(|due| *due < end);
            self.pass_time(&mut synchronization, next.unwrap_or(end));
            drop(synchronization);
            self.settle();
            if next.is_none() {
                return;
            }
            synchronization = lock(&self.synchronization);
        }
    }

    /// Waits until everybody waits. Threads that take turns can't: this one's turn is one of them.
    fn settle(&self) {
        if schedule::is_taking_turns() {
            return schedule::point();
        }
        let deadline = Instant::now() + self.options.time_limit;
        let mut synchronization = lock(&self.synchronization);
        synchronization.settling += 1;
        while !synchronization.is_idle() {
            // Whoever takes longer is reported by those who watch it.
            let Some(left) = deadline.checked_duration_since(Instant::now()) else { break };
            let result = self.changed.wait_timeout(synchronization, left);
            synchronization = result.unwrap_or_else(PoisonError::into_inner).0;
        }
        synchronization.settling -= 1;
    }

    /// Counts this thread among those that run a driver's code, until the result is dropped.
    pub(crate) fn run(&self) -> Running<'_> {
        let thread = processor::thread();
        if DEPTH.get() == 0 {
            let mut synchronization = lock(&self.synchronization);
            synchronization.running += 1;
            synchronization.enter(thread);
        }
        DEPTH.set(DEPTH.get() + 1);
        Running { core: self, thread }
    }

    /// Starts a thread of the system's. It counts as running from now on.
    pub(crate) fn start_thread(self: &Arc<Self>, work: impl FnOnce(&Arc<Self>) + Send + 'static) {
        self.start_thread_with(&mut lock(&self.synchronization), work);
    }

    /// The same with an object for the thread.
    pub(crate) fn start_thread_as(self: &Arc<Self>, object: usize, work: impl FnOnce(&Arc<Self>) + Send + 'static) {
        self.start(&mut lock(&self.synchronization), Some(object), work);
    }

    /// The same for who holds the state that threads wait for.
    pub(crate) fn start_thread_with(
        self: &Arc<Self>,
        synchronization: &mut Synchronization,
        work: impl FnOnce(&Arc<Self>) + Send + 'static,
    ) {
        self.start(synchronization, None, work);
    }

    fn start(
        self: &Arc<Self>,
        synchronization: &mut Synchronization,
        object: Option<usize>,
        work: impl FnOnce(&Arc<Self>) + Send + 'static,
    ) {
        synchronization.running += 1;
        let core = Arc::clone(self);
        let work = schedule::with_a_seat(move || {
            IS_SYSTEM.set(true);
            DEPTH.set(1);
            processor::begin_thread(object);
            let thread = processor::thread();
            lock(&core.synchronization).enter(thread);
            let running = Running { core: &core, thread };
            work(&core);
            drop(running);
            // A crash leaves the thread as it was there, and a thread with an object of its own ends with it.
            !core.is_stopped() && object.is_none()
        });
        workers::run(Box::new(work));
    }
}

/// See [`Core::run`].
#[derive(Debug)]
pub(crate) struct Running<'a> {
    core: &'a Core,
    /// This thread's object when it began.
    thread: usize,
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        DEPTH.set(DEPTH.get() - 1);
        if DEPTH.get() == 0 {
            let mut synchronization = lock(&self.core.synchronization);
            synchronization.running -= 1;
            synchronization.leave(self.thread);
            self.core.wake(&synchronization);
        }
    }
}
