//! The system's worker threads. One that has nothing to do waits for more: to start a thread takes longer than most of what they do.
//!
//! Source: <https://learn.microsoft.com/windows-hardware/drivers/kernel/system-worker-threads>

use std::sync::Mutex;
use std::sync::mpsc::{self, SendError, Sender};
use std::thread;

use crate::core::lock;

/// What a worker does. It tells whether the thread may do something else afterwards.
pub(crate) type Job = Box<dyn FnOnce() -> bool + Send>;

/// The workers that have nothing to do.
static IDLE: Mutex<Vec<Sender<Job>>> = Mutex::new(Vec::new());

/// Has a worker do something, a new one if all have something to do.
pub(crate) fn run(job: Job) {
    let idle = lock(&IDLE).pop();
    let left = match idle {
        None => Some(job),
        Some(idle) => idle.send(job).err().map(|SendError(job)| job),
    };
    if let Some(job) = left {
        start(job);
    }
}

/// Starts a worker.
fn start(first: Job) {
    let work = move || {
        let (sender, receiver) = mpsc::channel::<Job>();
        let mut job = first;
        while job() {
            lock(&IDLE).push(sender.clone());
            let Ok(next) = receiver.recv() else { return };
            job = next;
        }
    };
    thread::Builder::new().name("system worker".to_owned()).spawn(work).expect("a thread can be started");
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The thread that has done a job.
    fn worker(may_go_on: bool) -> thread::ThreadId {
        let (sender, receiver) = mpsc::channel();
        run(Box::new(move || {
            sender.send(thread::current().id()).expect("somebody waits for it");
            may_go_on
        }));
        receiver.recv().expect("the job is done")
    }

    #[test]
    fn a_worker_that_may_not_go_on_does_nothing_more() {
        let ended = worker(false);
        assert!((0..20).all(|_| worker(true) != ended));
    }
}
