//! Threads that take turns in an order that follows from a seed.
//!
//! Only one of the threads runs at a time. At every call of a service, and wherever the simulated kernel itself waits, the seed
//! says who goes on. So the same seed gives the same interleaving of the driver's calls again, and another seed another.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;

use crate::affinity::{self, Stay};
use crate::core::lock;
use crate::tally::Activity;

/// What one of the threads does.
pub type Work<'a> = Box<dyn FnOnce() + Send + 'a>;

/// What came of the turns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interleaving {
    /// Stands for the order in which the threads called services: equal for equal orders, and, but for chance, only for those.
    pub order: u64,
    /// How often a service was called for the second while another thread was in the middle of the first.
    pub overlaps: BTreeMap<(Activity, Activity), u64>,
}

/// Runs the threads in the order that follows from `seed`, to the end of each.
///
/// # Panics
/// If one of the threads panics.
pub fn interleave(seed: u64, work: Vec<Work<'_>>) {
    let _ = interleaving(seed, work);
}

/// The same, and tells what came of it.
///
/// # Panics
/// If one of the threads panics.
#[must_use]
pub fn interleaving(seed: u64, work: Vec<Work<'_>>) -> Interleaving {
    let state = Mutex::new(State { random: seed, ..State::default() });
    let turns = Arc::new(Turns { processor: affinity::current(), state });
    let seats: Vec<Seat> = work.iter().map(|_| turns.seat()).collect();
    turns.pass();
    thread::scope(|scope| {
        for (seat, work) in seats.into_iter().zip(work) {
            scope.spawn(move || {
                // Dropped at a panic too: the others must go on.
                let _seated = Seated::on(seat);
                work();
            });
        }
    });
    let trace = std::mem::take(&mut lock(&turns.state).trace);
    Interleaving { order: trace.order.finish(), overlaps: trace.overlaps }
}

/// The driver calls a service; then another thread may go on.
pub(crate) fn called(service: &'static str, activity: Activity) {
    SEAT.with_borrow(|seat| {
        if let Some(seat) = seat {
            lock(&seat.turns.state).trace.called(seat.number, service, activity);
            seat.pass();
        }
    });
}

/// This thread is in the middle of `activity` now, or of none. Returns what it was in the middle of.
pub(crate) fn open(activity: Option<Activity>) -> Option<Activity> {
    SEAT.with_borrow(|seat| {
        let seat = seat.as_ref()?;
        let open = &mut lock(&seat.turns.state).trace.open;
        match activity {
            Some(activity) => open.insert(seat.number, activity),
            None => open.remove(&seat.number),
        }
    })
}

/// A place where another thread may go on.
pub(crate) fn point() {
    SEAT.with_borrow(|seat| seat.iter().for_each(Seat::pass));
}

/// Whether this thread takes turns with others: then it must not block, but let them go on until what it waits for is there.
pub(crate) fn is_taking_turns() -> bool {
    SEAT.with_borrow(Option::is_some)
}

/// How many threads take turns, if this one does.
pub(crate) fn alive() -> Option<usize> {
    SEAT.with_borrow(|seat| seat.as_ref().map(|seat| lock(&seat.turns.state).alive.len()))
}

/// What another thread is to do. If this one takes turns, that one does too.
pub(crate) fn with_a_seat<R>(work: impl FnOnce() -> R + Send + 'static) -> impl FnOnce() -> R + Send + 'static {
    let seat = SEAT.with_borrow(|seat| seat.as_ref().map(|seat| seat.turns.seat()));
    move || {
        let _seated = seat.map(Seated::on);
        work()
    }
}

#[derive(Debug)]
struct Turns {
    /// Where the threads run, all of them.
    processor: Option<usize>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    random: u64,
    /// The threads that have not ended, and what tells each that it is its turn.
    alive: Vec<(usize, Arc<Condvar>)>,
    /// The thread whose turn it is.
    current: usize,
    /// The number of the next thread that joins.
    next: usize,
    trace: Trace,
}

/// What has happened so far.
#[derive(Debug, Default)]
struct Trace {
    order: DefaultHasher,
    /// What each thread is in the middle of.
    open: BTreeMap<usize, Activity>,
    overlaps: BTreeMap<(Activity, Activity), u64>,
}

impl Trace {
    fn called(&mut self, thread: usize, service: &'static str, activity: Activity) {
        (thread, service).hash(&mut self.order);
        for (_, open) in self.open.iter().filter(|(other, _)| **other != thread) {
            *self.overlaps.entry((*open, activity)).or_default() += 1;
        }
    }
}

impl State {
    /// Chooses whose turn it is next. If it is another's than before, that one is to be told, and nobody else, and not under the lock
    /// that he is going to take.
    #[must_use]
    fn choose(&mut self) -> Option<Arc<Condvar>> {
        self.random = self.random.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.random ^ self.random >> 31).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let number = usize::try_from(mixed >> 33).unwrap_or(0);
        let position = number.checked_rem(self.alive.len())?;
        let (next, turn) = &self.alive[position];
        let is_another = std::mem::replace(&mut self.current, *next) != *next;
        is_another.then(|| Arc::clone(turn))
    }
}

/// A thread's part in the turns.
#[derive(Debug)]
struct Seat {
    turns: Arc<Turns>,
    number: usize,
    /// It may be this one's turn.
    turn: Arc<Condvar>,
}

thread_local! {
    static SEAT: RefCell<Option<Seat>> = const { RefCell::new(None) };
}

impl Turns {
    /// Lets the next go on.
    fn pass(&self) {
        let next = lock(&self.state).choose();
        if let Some(next) = next {
            next.notify_one();
        }
    }

    /// A part for one thread more.
    fn seat(self: &Arc<Self>) -> Seat {
        let mut state = lock(&self.state);
        let (number, turn) = (state.next, Arc::new(Condvar::new()));
        state.next += 1;
        state.alive.push((number, Arc::clone(&turn)));
        Seat { turns: Arc::clone(self), number, turn }
    }
}

impl Seat {
    fn pass(&self) {
        self.turns.pass();
        self.wait();
    }

    fn wait(&self) {
        let mut state = lock(&self.turns.state);
        while state.current != self.number {
            state = self.turn.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// A thread that takes part until this is dropped.
struct Seated {
    _stay: Option<Stay>,
}

impl Seated {
    /// Waits for this thread's first turn.
    fn on(seat: Seat) -> Self {
        let stay = seat.turns.processor.and_then(Stay::on);
        seat.wait();
        SEAT.replace(Some(seat));
        Self { _stay: stay }
    }
}

impl Drop for Seated {
    fn drop(&mut self) {
        let Some(seat) = SEAT.take() else { return };
        lock(&seat.turns.state).alive.retain(|(number, _)| *number != seat.number);
        seat.turns.pass();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The order in which three threads of four steps each take them.
    fn order(seed: u64) -> Vec<usize> {
        let steps = Mutex::new(Vec::new());
        let thread = |number| -> Work<'_> {
            let steps = &steps;
            Box::new(move || {
                for _ in 0..4 {
                    lock(steps).push(number);
                    point();
                }
            })
        };
        interleave(seed, vec![thread(0), thread(1), thread(2)]);
        steps.into_inner().expect("no thread panics")
    }

    #[test]
    fn a_seed_gives_the_same_order_again() {
        assert_eq!(order(7), order(7));
    }

    /// Two threads that call a service each in the middle of an activity.
    fn two(seed: u64) -> Interleaving {
        let thread = |service, activity| -> Work<'_> {
            Box::new(move || {
                open(Some(activity));
                called(service, activity);
                called(service, activity);
                open(None);
            })
        };
        interleaving(seed, vec![thread("a", Activity::Load), thread("b", Activity::Unload)])
    }

    #[test]
    fn orders_are_told_apart_and_known_again() {
        assert_eq!(two(5), two(5));
        let orders: std::collections::BTreeSet<_> = (0..200).map(|seed| two(seed).order).collect();
        // Two calls of one among two of the other: 4! / (2! 2!).
        assert_eq!(orders.len(), 6);
    }

    #[test]
    fn what_happens_in_the_middle_of_something_else_is_counted() {
        let all: Vec<_> = (0..200).map(two).collect();
        let both = [(Activity::Load, Activity::Unload), (Activity::Unload, Activity::Load)];
        for pair in both {
            assert!(all.iter().any(|one| one.overlaps.contains_key(&pair)), "{pair:?}");
        }
        assert!(all.iter().any(|one| one.overlaps.is_empty()), "one after the other");
        assert!(all.iter().all(|one| one.overlaps.keys().all(|pair| both.contains(pair))));
    }

    #[test]
    fn seeds_give_different_orders() {
        let orders: std::collections::BTreeSet<_> = (0..50).map(order).collect();
        assert!(orders.len() > 40, "only {} orders", orders.len());
    }

    #[test]
    fn every_thread_takes_all_its_steps() {
        let mut steps = order(3);
        steps.sort_unstable();
        assert_eq!(steps, [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2]);
    }
}
