//! Stopping drivers that don't come back.
//!
//! One thread for the whole process knows every call that is under way and its limit, and interrupts the thread of a call
//! that is over it, until the call is given up.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, Once};
use std::thread;
use std::time::{Duration, Instant};

use crate::core::lock;
use crate::crash;

/// The signal that a driver is stopped with.
pub(crate) const SIGNAL: i32 = crash::TIME_LIMIT;
/// A call that was just inside a service when it was interrupted is interrupted again after that time.
const AGAIN: Duration = Duration::from_millis(5);

static CALLS: Mutex<Calls> = Mutex::new(Calls { next: 0, under_way: BTreeMap::new() });
static CHANGED: Condvar = Condvar::new();

struct Calls {
    next: u64,
    under_way: BTreeMap<u64, (Instant, libc::pthread_t)>,
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
    let first = calls.under_way.values().all(|(other, _)| deadline < *other);
    // SAFETY: pthread_self has no preconditions.
    let thread = unsafe { libc::pthread_self() };
    calls.under_way.insert(number, (deadline, thread));
    if first {
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
        let mut wait = AGAIN;
        let earliest = calls.under_way.values().map(|(deadline, _)| *deadline).min();
        match earliest {
            Some(deadline) if deadline > now => wait = deadline - now,
            _ => {}
        }
        for (_, thread) in calls.under_way.values().filter(|(deadline, _)| *deadline <= now) {
            // SAFETY: the thread is alive, since its watch is: it is removed under this lock.
            unsafe { libc::pthread_kill(*thread, SIGNAL) };
        }
        calls = if earliest.is_none() {
            CHANGED.wait(calls).unwrap_or_else(std::sync::PoisonError::into_inner)
        } else {
            CHANGED.wait_timeout(calls, wait).unwrap_or_else(std::sync::PoisonError::into_inner).0
        };
    }
}
