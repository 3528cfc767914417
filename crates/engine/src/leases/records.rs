//! What is kept of a lease, of each of its holders, and of a handle.

use crate::index::Node;
use crate::key::Key;
use crate::slab::{NIL, Record};

/// Where a lease stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum State {
    /// Its address is being created.
    #[default]
    Reserved,
    /// Somebody holds it.
    Live,
    /// Nobody holds it any more, and NetIO has refused to withdraw its address.
    Orphaned,
    /// A batch that may still be undone has deleted it.
    Suspended,
}

/// A lease.
#[derive(Debug)]
pub(crate) struct Lease {
    pub(crate) key: Key,
    /// When it was asked for, in [`Kernel::now`](crate::kernel::Kernel::now)'s milliseconds.
    pub(crate) created: u64,
    /// The handles that hold it.
    pub(crate) holders: u32,
    /// The process that opened the handle which created it.
    pub(crate) process_id: u32,
    pub(crate) shared: bool,
    pub(crate) state: State,
    /// The state that a suspended lease has when it is resumed.
    pub(super) resumed_state: State,
    /// The next in the same bucket of the index.
    pub(super) next: u32,
    pub(super) first_holder: u32,
    pub(super) next_orphan: u32,
    pub(super) previous_orphan: u32,
}

impl Default for Lease {
    fn default() -> Self {
        Self {
            key: Key::FIRST,
            created: 0,
            holders: 0,
            process_id: 0,
            shared: false,
            state: State::Reserved,
            resumed_state: State::Reserved,
            next: NIL,
            first_holder: NIL,
            next_orphan: NIL,
            previous_orphan: NIL,
        }
    }
}

impl Lease {
    /// Whether LIST_LEASES lists it.
    pub(super) const fn is_listed(&self) -> bool {
        matches!(self.state, State::Live | State::Orphaned)
    }
}

impl Record for Lease {
    fn free_link(&mut self) -> &mut u32 {
        &mut self.next
    }
}

impl Node for Lease {
    fn key(&self) -> &Key {
        &self.key
    }

    fn next(&self) -> u32 {
        self.next
    }

    fn next_mut(&mut self) -> &mut u32 {
        &mut self.next
    }
}

/// That a handle holds a lease.
#[derive(Debug)]
pub(super) struct Holder {
    pub(super) lease: u32,
    pub(super) handle: u32,
    pub(super) next_of_lease: u32,
    pub(super) previous_of_lease: u32,
    pub(super) next_of_handle: u32,
    pub(super) previous_of_handle: u32,
}

impl Default for Holder {
    fn default() -> Self {
        Self {
            lease: NIL,
            handle: NIL,
            next_of_lease: NIL,
            previous_of_lease: NIL,
            next_of_handle: NIL,
            previous_of_handle: NIL,
        }
    }
}

impl Record for Holder {
    fn free_link(&mut self) -> &mut u32 {
        &mut self.lease
    }
}

/// An open handle.
#[derive(Debug)]
pub(super) struct Handle {
    pub(super) process_id: u32,
    /// The leases that it holds.
    pub(super) first: u32,
    pub(super) held: u32,
}

impl Default for Handle {
    fn default() -> Self {
        Self { process_id: 0, first: NIL, held: 0 }
    }
}

impl Record for Handle {
    fn free_link(&mut self) -> &mut u32 {
        &mut self.first
    }
}
