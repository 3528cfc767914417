//! What the engine needs from a kernel, over the standard library: for tests, on any host.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use std::vec::Vec;

use crate::kernel::{Event, Kernel, Lock};
use crate::trace::TraceEvent;

/// A kernel in this process. Clones are the same kernel.
///
/// Its clock stands still until [`HostKernel::advance`] moves it, and deferred work is run by whoever asks
/// [`HostKernel::is_due`]: nothing happens that a test did not ask for.
#[derive(Clone, Debug, Default)]
pub struct HostKernel {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    now: AtomicU64,
    due: Mutex<Option<u64>>,
    wakes: Mutex<u64>,
    woken: Condvar,
    allocations: Mutex<Allocations>,
    bytes: Arc<AtomicUsize>,
    /// What was told, while somebody listens.
    traced: Mutex<Option<Vec<TraceEvent>>>,
}

#[derive(Debug, Default)]
struct Allocations {
    asked: u64,
    failing: BTreeSet<u64>,
}

impl HostKernel {
    /// A kernel with all the memory of the host, at the time zero.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Moves the clock on.
    pub fn advance(&self, milliseconds: u64) {
        self.shared.now.fetch_add(milliseconds, Ordering::SeqCst);
    }

    /// Whether deferred work is to be run now. The answer "yes" is given once, as a timer expires once.
    #[must_use]
    pub fn is_due(&self) -> bool {
        let now = self.now();
        let mut due = guard(&self.shared.due);
        due.take_if(|due| *due <= now).is_some()
    }

    /// In how many milliseconds deferred work is to be run, if at all.
    #[must_use]
    pub fn due_in(&self) -> Option<u64> {
        let now = self.now();
        guard(&self.shared.due).map(|due| due.saturating_sub(now))
    }

    /// How often pending waits were to be looked at.
    #[must_use]
    pub fn wakes(&self) -> u64 {
        *guard(&self.shared.wakes)
    }

    /// Waits until pending waits are to be looked at more often than `wakes` times.
    ///
    /// # Panics
    /// If that takes a minute: nobody is left who would.
    pub fn wait_for_wake(&self, wakes: u64) {
        const LIMIT: Duration = Duration::from_mins(1);
        let waited = self.shared.woken.wait_timeout_while(guard(&self.shared.wakes), LIMIT, |now| *now <= wakes);
        let (_wakes, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
        assert!(!timeout.timed_out(), "nothing happens any more");
    }

    /// Has everybody look who waits.
    pub fn wake_everybody(&self) {
        *guard(&self.shared.wakes) += 1;
        self.shared.woken.notify_all();
    }

    /// How often memory was asked for: blocks, locks and events.
    #[must_use]
    pub fn allocations(&self) -> u64 {
        guard(&self.shared.allocations).asked
    }

    /// The `next`th request for memory from now (1 is the very next) finds none.
    pub fn fail_allocation(&self, next: u64) {
        let mut allocations = guard(&self.shared.allocations);
        let failing = allocations.asked.saturating_add(next);
        allocations.failing.insert(failing);
    }

    /// From now on there is enough memory again.
    pub fn clear_failures(&self) {
        guard(&self.shared.allocations).failing.clear();
    }

    /// The bytes of the blocks that are allocated now.
    #[must_use]
    pub fn allocated_bytes(&self) -> usize {
        self.shared.bytes.load(Ordering::SeqCst)
    }

    /// Listens to what the engine tells from now on.
    pub fn listen(&self) {
        *guard(&self.shared.traced) = Some(Vec::new());
    }

    /// What the engine has told since it was last asked.
    #[must_use]
    pub fn take_traced(&self) -> Vec<TraceEvent> {
        guard(&self.shared.traced).as_mut().map(core::mem::take).unwrap_or_default()
    }

    fn has_memory(&self) -> bool {
        let mut allocations = guard(&self.shared.allocations);
        allocations.asked = allocations.asked.saturating_add(1);
        let asked = allocations.asked;
        !allocations.failing.remove(&asked)
    }
}

/// A test that panics elsewhere has said enough.
fn guard<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A block of the host's memory.
#[derive(Debug)]
pub struct HostBlock<T> {
    items: Vec<T>,
    bytes: Arc<AtomicUsize>,
}

impl<T> AsRef<[T]> for HostBlock<T> {
    fn as_ref(&self) -> &[T] {
        &self.items
    }
}

impl<T> AsMut<[T]> for HostBlock<T> {
    fn as_mut(&mut self) -> &mut [T] {
        &mut self.items
    }
}

impl<T> Drop for HostBlock<T> {
    fn drop(&mut self) {
        self.bytes.fetch_sub(size_of_val(self.items.as_slice()), Ordering::SeqCst);
    }
}

/// A [`Mutex`].
#[derive(Debug)]
pub struct HostLock<T>(Mutex<T>);

impl<T> Lock<T> for HostLock<T> {
    fn with<R>(&self, section: impl FnOnce(&mut T) -> R) -> R {
        section(&mut guard(&self.0))
    }
}

/// A flag and a [`Condvar`].
#[derive(Clone, Debug, Default)]
pub struct HostEvent(Arc<(Mutex<bool>, Condvar)>);

impl HostEvent {
    /// Whether it was set. It is not any more then.
    #[must_use]
    pub fn take(&self) -> bool {
        let (flag, _) = &*self.0;
        core::mem::take(&mut *guard(flag))
    }
}

impl Event for HostEvent {
    fn set(&self) {
        let (flag, condition) = &*self.0;
        *guard(flag) = true;
        condition.notify_one();
    }

    fn wait(&self) {
        let (flag, condition) = &*self.0;
        let waited = condition.wait_while(guard(flag), |set| !*set);
        *waited.unwrap_or_else(PoisonError::into_inner) = false;
    }
}

impl Kernel for HostKernel {
    type Block<T: Default + Send> = HostBlock<T>;
    type Lock<T: Send> = HostLock<T>;
    type Event = HostEvent;

    fn allocate<T: Default + Send>(&self, count: usize) -> Option<HostBlock<T>> {
        assert_ne!(count, 0, "an empty block was asked for");
        if !self.has_memory() {
            return None;
        }
        let items: Vec<T> = std::iter::repeat_with(T::default).take(count).collect();
        self.shared.bytes.fetch_add(size_of_val(items.as_slice()), Ordering::SeqCst);
        Some(HostBlock { items, bytes: Arc::clone(&self.shared.bytes) })
    }

    fn lock<T: Send>(&self, value: T) -> Option<HostLock<T>> {
        self.has_memory().then(|| HostLock(Mutex::new(value)))
    }

    fn event(&self) -> Option<HostEvent> {
        self.has_memory().then(HostEvent::default)
    }

    fn now(&self) -> u64 {
        self.shared.now.load(Ordering::SeqCst)
    }

    fn defer(&self, delay: u64) {
        *guard(&self.shared.due) = Some(self.now().saturating_add(delay));
    }

    fn wake_waits(&self) {
        self.wake_everybody();
    }

    fn is_tracing(&self) -> bool {
        guard(&self.shared.traced).is_some()
    }

    fn trace(&self, event: &TraceEvent) {
        if let Some(traced) = guard(&self.shared.traced).as_mut() {
            traced.push(*event);
        }
    }
}
