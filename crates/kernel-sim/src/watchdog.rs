//! Stopping drivers that don't come back.
//!
//! One thread for the whole process knows every call that is under way and its limit, and interrupts the thread of a call
//! that is over it, until the call is given up.

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
    under_way: BTreeMap<u64, (Instant, libc::pthread_t)>,
    /// When the watchdog looks next, without being told; never if no call was under way.
    looks: Option<Instant>,
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
    let deadline = Instant::now() + limit;
    let too_late = calls.looks.is_none_or(|looks| deadline < looks);
    // SAFETY: pthread_self has no preconditions.
    let thread = unsafe { libc::pthread_self() };
    calls.under_way.insert(number, (deadline, thread));
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
        for (_, thread) in calls.under_way.values().filter(|(deadline, _)| *deadline <= now) {
            // SAFETY: the thread is alive, since its watch is: it is removed under this lock.
            unsafe { libc::pthread_kill(*thread, SIGNAL) };
        }
        // A call that has ended before is no reason to look earlier or later: calls come by the thousand, and most are short.
        let earliest = calls.under_way.values().map(|(deadline, _)| *deadline).min();
        calls.looks = earliest.map(|deadline| deadline.max(now + AGAIN));
        calls = match calls.looks {
            None => CHANGED.wait(calls).unwrap_or_else(PoisonError::into_inner),
            Some(looks) => CHANGED.wait_timeout(calls, looks - now).unwrap_or_else(PoisonError::into_inner).0,
        };
    }
}
