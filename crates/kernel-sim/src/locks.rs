//! Who holds which lock, and in which order locks are taken.
//!
//! This is the simulator's own knowledge, by the locks' addresses: of the driver's memory only so much is read and written that
//! a lock in memory which is gone is noticed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::Range;

use crate::processor::{self, Irql};
use crate::synchronization;
use crate::violation::Frame;

/// How a lock is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Held {
    Shared,
    Exclusive,
}

/// What kind of lock it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Push,
    Spin,
    FastMutex,
    GuardedMutex,
    Resource,
    Mutex,
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Push => "push lock",
            Self::Spin => "spin lock",
            Self::FastMutex => "fast mutex",
            Self::GuardedMutex => "guarded mutex",
            Self::Resource => "resource",
            Self::Mutex => "mutex",
        })
    }
}

/// A lock that a thread holds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hold {
    pub(crate) address: usize,
    pub(crate) kind: Kind,
    /// See [`processor::thread`].
    pub(crate) thread: usize,
    pub(crate) how: Held,
    /// How often it was taken, for those that can be taken again.
    pub(crate) count: usize,
    /// The IRQL that taking it has raised, as it was before.
    pub(crate) raised_from: Option<Irql>,
    /// The call into a driver during which it was taken: how many were under way.
    depth: usize,
}

/// All locks that are held, and what is known of their order.
#[derive(Debug, Default)]
pub(crate) struct Locks {
    holds: Vec<Hold>,
    /// The locks that were taken while another was held: that other, the lock, and who did so first.
    after: BTreeMap<usize, BTreeMap<usize, Vec<Frame>>>,
}

impl Locks {
    /// How this thread holds a lock.
    pub(crate) fn own(&mut self, address: usize) -> Option<&mut Hold> {
        let thread = processor::thread();
        self.holds.iter_mut().find(|hold| (hold.address, hold.thread) == (address, thread))
    }

    /// Whether nobody stands in the way of taking a lock so.
    pub(crate) fn is_free(&self, address: usize, how: Held) -> bool {
        let shares = |hold: &Hold| (hold.how, how) == (Held::Shared, Held::Shared);
        self.of(address).all(shares)
    }

    /// Who holds a lock.
    pub(crate) fn of(&self, address: usize) -> impl Iterator<Item = &Hold> {
        self.holds.iter().filter(move |hold| hold.address == address)
    }

    /// This thread has taken a lock.
    pub(crate) fn take(&mut self, address: usize, kind: Kind, how: Held, raised_from: Option<Irql>) {
        let (thread, depth) = (processor::thread(), synchronization::depth());
        self.holds.push(Hold { address, kind, thread, how, count: 1, raised_from, depth });
    }

    /// Takes a lock away from a thread that has taken it once, or counts one less. `None` if it does not hold it.
    pub(crate) fn release(&mut self, address: usize, thread: usize) -> Option<Hold> {
        let position = self.holds.iter().position(|hold| (hold.address, hold.thread) == (address, thread))?;
        let hold = &mut self.holds[position];
        hold.count -= 1;
        Some(if hold.count == 0 { self.holds.swap_remove(position) } else { *hold })
    }

    /// Takes everything away that this thread has taken during the innermost call into a driver.
    pub(crate) fn drop_all(&mut self) -> Vec<Hold> {
        let here = (processor::thread(), synchronization::depth());
        self.holds.extract_if(.., |hold| (hold.thread, hold.depth) == here).collect()
    }

    /// The locks that this thread holds, and that `address` was never taken after before.
    pub(crate) fn new_order(&self, address: usize) -> Vec<usize> {
        let thread = processor::thread();
        let held = self.holds.iter().filter(|hold| hold.thread == thread && hold.address != address);
        let known = |hold: &usize| self.after.get(hold).is_some_and(|after| after.contains_key(&address));
        held.map(|hold| hold.address).filter(|hold| !known(hold)).collect()
    }

    /// Notes that `address` is taken with `held` held. If they were taken the other way round before, returns who did.
    pub(crate) fn note_order(&mut self, held: usize, address: usize, stack: &[Frame]) -> Option<Vec<Frame>> {
        let reverse = self.path(address, held);
        self.after.entry(held).or_default().insert(address, stack.to_vec());
        reverse
    }

    /// Whether `to` was taken while `from` was held, by way of other locks perhaps: who took it last on the way.
    fn path(&self, from: usize, to: usize) -> Option<Vec<Frame>> {
        let (mut seen, mut open) = (BTreeSet::from([from]), vec![from]);
        while let Some(lock) = open.pop() {
            let Some(after) = self.after.get(&lock) else { continue };
            if let Some(stack) = after.get(&to) {
                return Some(stack.clone());
            }
            open.extend(after.keys().copied().filter(|next| seen.insert(*next)));
        }
        None
    }

    /// Forgets the order of the locks in memory that goes. Returns those that are held, which nobody can release any more.
    pub(crate) fn forget(&mut self, memory: &Range<usize>) -> Vec<Hold> {
        self.after.retain(|lock, after| {
            after.retain(|lock, _| !memory.contains(lock));
            !memory.contains(lock) && !after.is_empty()
        });
        self.holds.extract_if(.., |hold| memory.contains(&hold.address)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes locks one after the other. Returns whether the order was reversed before.
    fn take_all(locks: &mut Locks, addresses: &[usize]) -> bool {
        let mut reversed = false;
        for address in addresses {
            for held in locks.new_order(*address) {
                reversed |= locks.note_order(held, *address, &[]).is_some();
            }
            locks.take(*address, Kind::Push, Held::Exclusive, None);
        }
        locks.drop_all();
        reversed
    }

    #[test]
    fn the_reverse_order_is_noticed_by_way_of_other_locks_too() {
        let mut locks = Locks::default();
        assert!(!take_all(&mut locks, &[1, 2]));
        assert!(!take_all(&mut locks, &[2, 3]));
        assert!(!take_all(&mut locks, &[1, 3]));
        assert!(take_all(&mut locks, &[3, 1]));
    }

    #[test]
    fn what_was_known_of_locks_goes_with_their_memory() {
        let mut locks = Locks::default();
        assert!(!take_all(&mut locks, &[1, 2]));
        locks.take(2, Kind::Push, Held::Exclusive, None);
        assert_eq!(locks.forget(&(2..3)).len(), 1);
        assert!(!take_all(&mut locks, &[2, 1]));
    }

    #[test]
    fn shared_holders_are_in_the_way_of_an_exclusive_one_only() {
        let mut locks = Locks::default();
        locks.take(1, Kind::Resource, Held::Shared, None);
        assert!(locks.is_free(1, Held::Shared) && !locks.is_free(1, Held::Exclusive));
        assert_eq!(locks.release(1, processor::thread()).map(|hold| hold.count), Some(0));
        assert!(locks.release(1, processor::thread()).is_none());
    }
}
