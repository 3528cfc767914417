//! Stopping drivers that don't come back.
//!
//! One thread for the whole process knows every call that is under way and its limit, and interrupts the thread of a call
//! that is over it, until the call is given up. What counts is the time that the thread was running: on a busy machine others
//! may have kept it waiting.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, Once, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::core::lock;
use crate::crash;

/// The signal that a driver is stopped with.
pub(crate) const SIGNAL: i32 = crash::TIME_LIMIT;
/// A call that was just inside a service when it was interrupted is interrupted again after that time.
const AGAIN: Duration = Duration::from_millis(5);

static CALLS: Mutex<Calls> = Mutex::new(Calls { next: 0, under_way: BTreeMap::new(), looks: None });
static CHANGED: Condvar = Condvar::new();

struct Calls {
    next: u64,
    under_way: BTreeMap<u64, Call>,
    /// When the watchdog looks next, without being told; never if no call was under way.
    looks: Option<Instant>,
}

#[derive(Clone, Copy)]
struct Call {
    thread: libc::pthread_t,
    limit: Duration,
    /// When to look at it next.
    due: Instant,
    /// How long the thread had been running when it was looked at first.
    running: Option<Duration>,
}

impl Call {
    /// Looks at a call that is due, and stops it if it is over its limit.
    fn look(&mut self) {
        let now = self.thread_time();
        let used = now.saturating_sub(*self.running.get_or_insert(now));
        if used >= self.limit {
            // SAFETY: the thread is alive, since its watch is: it is removed under the lock that is held.
            unsafe { libc::pthread_kill(self.thread, SIGNAL) };
        }
        self.due = Instant::now() + self.limit.saturating_sub(used).max(AGAIN);
    }

    /// How long the thread has been running.
    fn thread_time(&self) -> Duration {
        let mut clock = 0;
        // SAFETY: the thread is alive, since its watch is: it is removed under the lock that is held.
        let found = unsafe { libc::pthread_getcpuclockid(self.thread, &raw mut clock) };
        let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: the place is there to be written to.
        let read = unsafe { libc::clock_gettime(clock, &raw mut time) };
        debug_assert_eq!((found, read), (0, 0), "a thread that is alive has a clock");
        let nanoseconds = u32::try_from(time.tv_nsec).unwrap_or(0);
        Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), nanoseconds)
    }
}

/// A call under way; it is watched until this is dropped.
#[derive(Debug)]
pub(crate) struct Watch {
    number: u64,
}

/// Watches a call that this thread is going to make.
pub(crate) fn watch(limit: Duration) -> Watch {
    static STARTED: Once = Once::new();
    STARTED.call_once(|| {
        thread::Builder::new().name("watchdog".to_owned()).spawn(run).expect("a thread can be started");
    });
    let mut calls = lock(&CALLS);
    let number = calls.next;
    calls.next += 1;
    let due = Instant::now() + limit;
    let too_late = calls.looks.is_none_or(|looks| due < looks);
    // SAFETY: pthread_self has no preconditions.
    let thread = unsafe { libc::pthread_self() };
    calls.under_way.insert(number, Call { thread, limit, due, running: None });
    if too_late {
        CHANGED.notify_one();
    }
    Watch { number }
}

impl Drop for Watch {
    fn drop(&mut self) {
        lock(&CALLS).under_way.remove(&self.number);
    }
}

fn run() {
    let mut calls = lock(&CALLS);
    loop {
        let now = Instant::now();
        for call in calls.under_way.values_mut().filter(|call| call.due <= now) {
            call.look();
        }
        // A call that has ended before is no reason to look earlier or later: calls come by the thousand, and most are short.
        let earliest = calls.under_way.values().map(|call| call.due).min();
        calls.looks = earliest.map(|due| due.max(now + AGAIN));
        calls = match calls.looks {
            None => CHANGED.wait(calls).unwrap_or_else(PoisonError::into_inner),
            Some(looks) => CHANGED.wait_timeout(calls, looks - now).unwrap_or_else(PoisonError::into_inner).0,
        };
    }
}
