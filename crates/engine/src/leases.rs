//! Which addresses go when their holders do.
//!
//! A lease is found by its key. Each holder of a lease has a record of its own, linked both
//! to the lease and to the handle, so that one step ends a share whichever end it begins from. No function takes more
//! time the more leases there are, but for those that say that they go through all holders of a lease.
//!
//! Nothing in here waits or calls NetIO; whoever changes the lease of an address has claimed the address.

use netio_anycast_protocol::status::NtStatus;

use crate::index::Index;
use crate::kernel::Kernel;
use crate::key::Key;
use crate::limits::Limits;
use crate::slab::{NIL, Slab};

mod handles;
mod orphans;
mod records;

use records::{Handle, Holder};
pub(crate) use records::{Lease, State};

/// All leases, who holds them, and the handles.
pub(crate) struct Leases<K: Kernel> {
    records: Slab<K, Lease>,
    holders: Slab<K, Holder>,
    handles: Slab<K, Handle>,
    index: Index<K>,
    limits: Limits,
    /// The shares that count against the limit on leases in total.
    shares: u32,
    /// The leases that LIST_LEASES lists.
    listed: u32,
    first_orphan: u32,
    last_orphan: u32,
    orphans: u32,
}

impl<K: Kernel> Leases<K> {
    /// No lease, and no handle.
    pub(crate) const fn new(limits: Limits) -> Self {
        Self {
            records: Slab::new(),
            holders: Slab::new(),
            handles: Slab::new(),
            index: Index::new(),
            limits,
            shares: 0,
            listed: 0,
            first_orphan: NIL,
            last_orphan: NIL,
            orphans: 0,
        }
    }

    /// The leases that LIST_LEASES lists.
    pub(crate) const fn listed(&self) -> u32 {
        self.listed
    }

    /// The lease of an address.
    pub(crate) fn find(&self, key: &Key) -> Option<u32> {
        if self.records.len() == 0 {
            return None;
        }
        self.index.find(&self.records, key)
    }

    /// The lease at a place, if LIST_LEASES lists it.
    pub(crate) fn listed_at(&self, place: u32) -> Option<&Lease> {
        self.records.get(place).filter(|lease| lease.is_listed())
    }

    /// Every lease has a place below this.
    pub(crate) const fn places(&self) -> u32 {
        self.records.end()
    }

    pub(crate) fn get(&self, lease: u32) -> Option<&Lease> {
        self.records.get(lease)
    }

    /// Makes a lease for an address that has none, with `handle` as the holder that it is to have. It is not listed, and not
    /// held, until [`Leases::grant`].
    ///
    /// # Errors
    /// As for [`Leases::add_share`]. Nothing has changed then.
    pub(crate) fn reserve(&mut self, kernel: &K, handle: u32, key: Key, shared: bool) -> Result<u32, NtStatus> {
        let process_id = self.process_of(handle);
        let reserved = Lease { key, created: kernel.now(), process_id, shared, ..Lease::default() };
        let lease = self.records.insert(kernel, reserved).ok_or(NtStatus::INSUFFICIENT_RESOURCES)?;
        match self.add_share(kernel, handle, lease) {
            Ok(_) => {
                self.index.insert(kernel, &mut self.records, lease);
                Ok(lease)
            }
            Err(status) => {
                self.records.remove(lease);
                Err(status)
            }
        }
    }

    /// The address of a reserved lease is there: it is held from now on.
    pub(crate) fn grant(&mut self, lease: u32) {
        if let Some(granted) = self.records.get_mut(lease) {
            granted.state = State::Live;
            granted.holders = 1;
            self.listed = self.listed.saturating_add(1);
        }
    }

    /// Enters `handle` as one of those that are to hold the lease. It is not counted until [`Leases::grant_share`].
    ///
    /// # Errors
    /// - [`NtStatus::INVALID_PARAMETER`]: the handle is none, so that nothing would ever end the lease.
    /// - [`NtStatus::QUOTA_EXCEEDED`]: the handle, or all together, hold as many leases as they may.
    /// - [`NtStatus::INSUFFICIENT_RESOURCES`]: there is no memory.
    pub(crate) fn add_share(&mut self, kernel: &K, handle: u32, lease: u32) -> Result<u32, NtStatus> {
        let held = self.handles.get(handle).ok_or(NtStatus::INVALID_PARAMETER)?.held;
        if held >= self.limits.max_leases_per_handle || self.shares >= self.limits.max_leases {
            return Err(NtStatus::QUOTA_EXCEEDED);
        }
        let share = Holder { lease, handle, ..Holder::default() };
        let share = self.holders.insert(kernel, share).ok_or(NtStatus::INSUFFICIENT_RESOURCES)?;
        self.link_share(share);
        Ok(share)
    }

    /// Puts the record of a holder into the lists of its lease and its handle, and counts it.
    fn link_share(&mut self, share: u32) {
        let Some(&Holder { lease, handle, .. }) = self.holders.get(share) else { return };
        let of_lease = self.records.get(lease).map_or(NIL, |lease| lease.first_holder);
        let of_handle = self.handles.get(handle).map_or(NIL, |handle| handle.first);
        if let Some(linked) = self.holders.get_mut(share) {
            (linked.next_of_lease, linked.previous_of_lease) = (of_lease, NIL);
            (linked.next_of_handle, linked.previous_of_handle) = (of_handle, NIL);
        }
        if let Some(next) = self.holders.get_mut(of_lease) {
            next.previous_of_lease = share;
        }
        if let Some(next) = self.holders.get_mut(of_handle) {
            next.previous_of_handle = share;
        }
        if let Some(lease) = self.records.get_mut(lease) {
            lease.first_holder = share;
        }
        if let Some(handle) = self.handles.get_mut(handle) {
            handle.first = share;
        }
        self.count_share(handle, true);
    }

    /// A further holder of a lease holds it now.
    pub(crate) fn grant_share(&mut self, lease: u32) {
        if let Some(lease) = self.records.get_mut(lease) {
            lease.holders = lease.holders.saturating_add(1);
        }
    }

    /// Forgets one who was to hold a lease and does not. The lease's count of holders does not have him.
    pub(crate) fn remove_share(&mut self, share: u32) {
        self.unlink_share(share);
        self.holders.remove(share);
    }

    /// One holder of several holds the lease no more.
    pub(crate) fn give_share_up(&mut self, lease: u32, share: u32) {
        self.detach_share(lease, share);
        self.free_share(share);
    }

    /// The same in a way that [`Leases::attach_share`] undoes without asking for anything, and [`Leases::free_share`] ends.
    pub(crate) fn detach_share(&mut self, lease: u32, share: u32) {
        self.unlink_share(share);
        if let Some(lease) = self.records.get_mut(lease) {
            lease.holders = lease.holders.saturating_sub(1);
        }
    }

    /// Undoes [`Leases::detach_share`]. Limits may be exceeded by what others took meanwhile.
    pub(crate) fn attach_share(&mut self, lease: u32, share: u32) {
        self.link_share(share);
        self.grant_share(lease);
    }

    /// Forgets the record of a holder that is detached.
    pub(crate) fn free_share(&mut self, share: u32) {
        self.holders.remove(share);
    }

    fn unlink_share(&mut self, share: u32) {
        let Some(&Holder { lease, handle, .. }) = self.holders.get(share) else { return };
        // A suspended lease has given its shares back already.
        if self.records.get(lease).is_some_and(|lease| lease.state != State::Suspended) {
            self.count_share(handle, false);
        }
        self.unlink_from_lease(share);
        self.unlink_from_handle(share);
    }

    /// The record with which `handle` holds the lease. Goes through the shorter of two lists: those who hold the lease, and
    /// what the handle holds.
    pub(crate) fn share_of(&self, lease: u32, handle: u32) -> Option<u32> {
        let mut of_lease = self.records.get(lease)?.first_holder;
        let mut of_handle = self.handles.get(handle)?.first;
        while let (Some(holder), Some(held)) = (self.holders.get(of_lease), self.holders.get(of_handle)) {
            if holder.handle == handle {
                return Some(of_lease);
            }
            if held.lease == lease {
                return Some(of_handle);
            }
            (of_lease, of_handle) = (holder.next_of_lease, held.next_of_handle);
        }
        None
    }

    /// Whether a handle of this process holds the lease. Goes through all its holders.
    pub(crate) fn is_held_by_process(&self, lease: &Lease, process_id: u32) -> bool {
        let mut next = lease.first_holder;
        while let Some(holder) = self.holders.get(next) {
            if self.handles.get(holder.handle).is_some_and(|handle| handle.process_id == process_id) {
                return true;
            }
            next = holder.next_of_lease;
        }
        false
    }

    /// Ends a lease, whoever holds it. Goes through all its holders.
    pub(crate) fn remove(&mut self, lease: u32) {
        self.take_out(lease);
        self.remove_shares(lease);
        self.records.remove(lease);
    }

    /// Takes a lease out of sight without forgetting anything of it: no lease is found for its address, and its shares
    /// count no more. Goes through all its holders.
    pub(crate) fn suspend(&mut self, lease: u32) {
        self.take_out(lease);
        self.count_shares(lease, false);
        if let Some(lease) = self.records.get_mut(lease) {
            lease.resumed_state = lease.state;
            lease.state = State::Suspended;
        }
    }

    /// Undoes [`Leases::suspend`]. Nothing of it can fail: limits may be exceeded by what others took meanwhile. Goes through
    /// all its holders.
    pub(crate) fn resume(&mut self, kernel: &K, lease: u32) {
        let Some(resumed) = self.records.get_mut(lease) else { return };
        resumed.state = resumed.resumed_state;
        let orphaned = resumed.state == State::Orphaned;
        self.listed = self.listed.saturating_add(1);
        self.index.insert(kernel, &mut self.records, lease);
        self.count_shares(lease, true);
        if orphaned {
            self.enter_orphan(lease);
        }
    }

    /// Takes a lease out of the index, and out of the queue of orphans if it is there.
    fn take_out(&mut self, lease: u32) {
        let Some(&Lease { key, state, .. }) = self.records.get(lease) else { return };
        match state {
            State::Suspended => return,
            State::Orphaned => self.leave_orphans(lease),
            State::Reserved | State::Live => {}
        }
        if state != State::Reserved {
            self.listed = self.listed.saturating_sub(1);
        }
        self.index.remove(&mut self.records, &key);
    }

    fn remove_shares(&mut self, lease: u32) {
        while let Some(share) = self.records.get(lease).map(|lease| lease.first_holder).filter(|share| *share != NIL) {
            self.remove_share(share);
        }
    }

    /// Counts the shares of a lease in or out.
    fn count_shares(&mut self, lease: u32, held: bool) {
        let mut next = self.records.get(lease).map_or(NIL, |lease| lease.first_holder);
        while let Some(&Holder { handle, next_of_lease, .. }) = self.holders.get(next) {
            self.count_share(handle, held);
            next = next_of_lease;
        }
    }

    fn count_share(&mut self, handle: u32, held: bool) {
        let count = |number: u32| if held { number.saturating_add(1) } else { number.saturating_sub(1) };
        self.shares = count(self.shares);
        if let Some(handle) = self.handles.get_mut(handle) {
            handle.held = count(handle.held);
        }
    }

    fn unlink_from_lease(&mut self, share: u32) {
        let Some(&Holder { lease, next_of_lease: next, previous_of_lease: previous, .. }) = self.holders.get(share)
        else {
            return;
        };
        match self.holders.get_mut(previous) {
            Some(previous) => previous.next_of_lease = next,
            None => {
                if let Some(lease) = self.records.get_mut(lease) {
                    lease.first_holder = next;
                }
            }
        }
        if let Some(next) = self.holders.get_mut(next) {
            next.previous_of_lease = previous;
        }
    }

    fn unlink_from_handle(&mut self, share: u32) {
        let Some(&Holder { handle, next_of_handle: next, previous_of_handle: previous, .. }) = self.holders.get(share)
        else {
            return;
        };
        match self.holders.get_mut(previous) {
            Some(previous) => previous.next_of_handle = next,
            None => {
                if let Some(handle) = self.handles.get_mut(handle) {
                    handle.first = next;
                }
            }
        }
        if let Some(next) = self.holders.get_mut(next) {
            next.previous_of_handle = previous;
        }
    }
}

#[cfg(test)]
mod tests;
