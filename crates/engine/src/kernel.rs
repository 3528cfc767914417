//! The services of the kernel that the engine stands on, NetIO aside.

use crate::trace::TraceEvent;

/// What the engine needs from the kernel: memory, a lock, events, a clock, and somebody who comes back later.
///
/// A driver implements it over pool, a push lock, KEVENTs and one timer with one work item; `HostKernel` (feature `host`)
/// over the standard library, with failures on demand. Every method is called at PASSIVE_LEVEL.
pub trait Kernel {
    /// A block of memory that is freed when it is dropped. In a driver: non-paged pool, since the engine is also entered
    /// when the system is about to sleep or to page.
    type Block<T: Default + Send>: AsRef<[T]> + AsMut<[T]> + Send;

    /// A value behind a lock.
    type Lock<T: Send>: Lock<T>;

    /// Something that one thread waits for and another sets. A clone is the same event; the last one frees it.
    type Event: Event;

    /// `count` values, each `T::default()`, or `None` if there is no memory. Called with the engine's lock held: it may not
    /// wait and may not call the engine. `count` is not zero.
    fn allocate<T: Default + Send>(&self, count: usize) -> Option<Self::Block<T>>;

    /// A lock around `value`, or `None` if there is no memory. Called when the engine is made only.
    fn lock<T: Send>(&self, value: T) -> Option<Self::Lock<T>>;

    /// An event that is not set, or `None` if there is no memory. Called with the engine's lock held: it may not wait.
    fn event(&self) -> Option<Self::Event>;

    /// Milliseconds since some moment: a clock that never goes back and that nobody sets (KeQueryInterruptTime). Called with
    /// the engine's lock held: it may not wait.
    fn now(&self) -> u64;

    /// Has [`Engine::run_deferred`](crate::Engine::run_deferred) called once, on a thread at PASSIVE_LEVEL, `delay`
    /// milliseconds from now. A later call replaces an earlier one that has not been served: KeSetTimer on the one timer, whose
    /// DPC queues the one work item.
    ///
    /// Called with the engine's lock held, so that the calls come in order: it may not wait and may not call the engine.
    fn defer(&self, delay: u64);

    /// The generation has moved: every WAIT_CHANGE that the engine said to pend and that
    /// [`Engine::is_over`](crate::Engine::is_over) says so of is to be taken out of the queue and completed with
    /// [`Engine::finish_wait`](crate::Engine::finish_wait).
    ///
    /// Called without the engine's lock, from any thread at PASSIVE_LEVEL, several at once: it may take the queue's spin
    /// lock and complete requests.
    fn wake_waits(&self);

    /// Whether somebody listens to what [`Kernel::trace`] tells.
    fn is_tracing(&self) -> bool;

    /// Tells whoever listens what happened. Called without the engine's lock, and only while somebody listens.
    fn trace(&self, event: &TraceEvent);
}

/// A value that one thread at a time reaches.
///
/// Sections are short, contain no call of NetIO and do not nest. The lock may not raise the IRQL, since a request holds it
/// while the pool is asked for memory; a push lock or an ERESOURCE in a critical region does (ExAcquirePushLockExclusive
/// after KeEnterCriticalRegion: a thread that is suspended while it holds the lock would stop everybody).
pub trait Lock<T> {
    /// Runs `section` alone. Waits for whoever else is in one.
    fn with<R>(&self, section: impl FnOnce(&mut T) -> R) -> R;
}

/// A SynchronizationEvent: one set lets one thread through, now or later.
pub trait Event: Clone + Send {
    /// Lets the one thread through that waits, or that will (KeSetEvent). Called with the engine's lock held: it may not
    /// wait.
    fn set(&self);

    /// Waits until it is set (KeWaitForSingleObject, `Executive`, `KernelMode`, not alertable, no timeout). Called without the
    /// engine's lock. The wait ends when other requests' calls of NetIO have ended, so it needs no timeout.
    fn wait(&self);
}
