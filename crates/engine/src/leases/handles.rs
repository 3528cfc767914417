//! The handles, and what each of them holds.

use super::{Handle, Leases};
use crate::kernel::Kernel;
use crate::key::Key;
use crate::slab::NIL;

impl<K: Kernel> Leases<K> {
    /// A new handle of a process; `None` if there is no memory.
    pub(crate) fn open(&mut self, kernel: &K, process_id: u32) -> Option<u32> {
        self.handles.insert(kernel, Handle { process_id, first: NIL, held: 0 })
    }

    /// The process that opened the handle.
    pub(crate) fn process_of(&self, handle: u32) -> u32 {
        self.handles.get(handle).map_or(0, |handle| handle.process_id)
    }

    /// The address of some lease that the handle holds or is about to hold, whatever its state.
    pub(crate) fn first_of(&self, handle: u32) -> Option<Key> {
        let share = self.handles.get(handle)?.first;
        let lease = self.holders.get(share)?.lease;
        self.records.get(lease).map(|lease| lease.key)
    }

    /// Forgets the handle, which holds nothing any more.
    pub(crate) fn close(&mut self, handle: u32) {
        if self.first_of(handle).is_none() {
            self.handles.remove(handle);
        }
    }
}
