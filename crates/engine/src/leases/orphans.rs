//! The leases that nobody holds and that NetIO has refused to withdraw: a queue of those to be tried again.

use super::{Leases, State};
use crate::kernel::Kernel;
use crate::key::Key;
use crate::slab::NIL;

impl<K: Kernel> Leases<K> {
    /// How many there are.
    pub(crate) const fn orphans(&self) -> u32 {
        self.orphans
    }

    /// The address of the one whose turn it is.
    pub(crate) fn first_orphan(&self) -> Option<Key> {
        self.records.get(self.first_orphan).map(|lease| lease.key)
    }

    /// Nobody holds the lease any more, and it joins the queue. Goes through all its holders.
    pub(crate) fn orphan(&mut self, lease: u32) {
        self.remove_shares(lease);
        let Some(orphan) = self.records.get_mut(lease) else { return };
        orphan.holders = 0;
        match orphan.state {
            State::Orphaned | State::Suspended => return,
            State::Reserved => self.listed = self.listed.saturating_add(1),
            State::Live => {}
        }
        orphan.state = State::Orphaned;
        self.enter_orphan(lease);
    }

    /// It was tried and is still there: the others come first.
    pub(crate) fn postpone_orphan(&mut self, lease: u32) {
        if self.records.get(lease).is_some_and(|lease| lease.state == State::Orphaned) {
            self.leave_orphans(lease);
            self.enter_orphan(lease);
        }
    }

    pub(super) fn enter_orphan(&mut self, lease: u32) {
        let last = self.last_orphan;
        let Some(orphan) = self.records.get_mut(lease) else { return };
        (orphan.previous_orphan, orphan.next_orphan) = (last, NIL);
        match self.records.get_mut(last) {
            Some(last) => last.next_orphan = lease,
            None => self.first_orphan = lease,
        }
        self.last_orphan = lease;
        self.orphans = self.orphans.saturating_add(1);
    }

    pub(super) fn leave_orphans(&mut self, lease: u32) {
        let Some(orphan) = self.records.get(lease) else { return };
        let (previous, next) = (orphan.previous_orphan, orphan.next_orphan);
        match self.records.get_mut(previous) {
            Some(previous) => previous.next_orphan = next,
            None => self.first_orphan = next,
        }
        match self.records.get_mut(next) {
            Some(next) => next.previous_orphan = previous,
            None => self.last_orphan = previous,
        }
        self.orphans = self.orphans.saturating_sub(1);
    }
}
