//! Processes and threads, as far as drivers see them.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::core::lock;

/// The id of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProcessId(pub u32);

impl ProcessId {
    /// What runs on a processor on which no thread does: deferred procedure calls, here.
    pub(crate) const IDLE: Self = Self(0);
    /// The system's own process, whose threads run in kernel mode only.
    pub const SYSTEM: Self = Self(4);
    /// The process of the callers that say nothing else.
    pub const PROGRAM: Self = Self(1000);
}

/// `KPROCESSOR_MODE`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(i8)]
pub(crate) enum Mode {
    #[default]
    Kernel = 0,
    User = 1,
}

/// In which thread's context code runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Context {
    pub(crate) process: ProcessId,
    /// What the thread ran in before it came into the kernel.
    pub(crate) previous_mode: Mode,
}

impl Context {
    /// A thread of the system's.
    pub(crate) const SYSTEM: Self = Self { process: ProcessId::SYSTEM, previous_mode: Mode::Kernel };
    /// Whatever thread a deferred procedure call has interrupted.
    pub(crate) const ARBITRARY: Self = Self { process: ProcessId::IDLE, previous_mode: Mode::Kernel };
}

/// Objects of threads that nobody may look into are at addresses where no memory can be.
const FIRST_THREAD: usize = 0xFFFF_9000_0000_0000;
const THREAD_SIZE: usize = 0x800;

/// The process of every thread object that there ever was.
static THREADS: Mutex<BTreeMap<usize, ProcessId>> = Mutex::new(BTreeMap::new());

/// The object of a new thread: an address that differs from every other thread's.
pub(crate) fn new_thread(process: ProcessId) -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(FIRST_THREAD);
    let object = NEXT.fetch_add(THREAD_SIZE, Ordering::Relaxed);
    enter_thread(object, process);
    object
}

/// A thread's object lies elsewhere.
pub(crate) fn enter_thread(object: usize, process: ProcessId) {
    lock(&THREADS).insert(object, process);
}

/// A thread has ended: its object is none any more.
pub(crate) fn forget_thread(object: usize) {
    lock(&THREADS).remove(&object);
}

/// The process of a thread, by the thread's object.
pub(crate) fn of_thread(object: usize) -> Option<ProcessId> {
    lock(&THREADS).get(&object).copied()
}
