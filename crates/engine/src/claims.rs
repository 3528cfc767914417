//! Who may change which address now.
//!
//! A request that changes an address claims it for as long as it lasts. Claims of one address are served in the order in
//! which they came; claims of different addresses do not know of each other. A batch claims all its addresses in one step
//! and then waits, holding its place in the order of each of them, so that nobody ever holds one address while he queues for
//! another: there is no deadlock and nobody starves.
//!
//! A claim of one address that nobody has to wait for stands in one of a few places that are always there, and costs next to
//! nothing.

use core::cmp::Ordering;
use core::hint::cold_path;

use crate::kernel::{Event, Kernel};
use crate::key::Key;
use crate::slab::{NIL, Record, Slab};

/// The claims that need no place in the queue. More than the processors of most machines could make at once, and few enough to
/// be looked through.
const PLACES: usize = 8;

/// A claim that stands in a place of its own, before every one in the queue.
#[derive(Clone, Copy)]
pub(crate) struct Place(u8);

/// What one claim is for.
pub(crate) enum Keys<K: Kernel> {
    /// One address.
    One(Key),
    /// Many, sorted.
    Many(K::Block<Key>),
}

/// One claim, or room for one.
struct Slot<K: Kernel> {
    keys: Option<Keys<K>>,
    /// Set when it is this claim's turn. Made with the slot and kept, so that waiting never fails.
    event: Option<K::Event>,
    /// In the order of arrival while it is claimed; else the next one that is free.
    next: u32,
    previous: u32,
    waiting: bool,
}

impl<K: Kernel> Default for Slot<K> {
    fn default() -> Self {
        Self { keys: None, event: None, next: NIL, previous: NIL, waiting: false }
    }
}

impl<K: Kernel> Record for Slot<K> {
    fn free_link(&mut self) -> &mut u32 {
        &mut self.next
    }
}

/// Where a claim stands, and what to wait for before it holds.
pub(crate) struct Entered<K: Kernel> {
    pub(crate) slot: u32,
    pub(crate) turn: Option<K::Event>,
}

/// All claims.
pub(crate) struct Claims<K: Kernel> {
    /// The claims in places of their own: a bit for each place that is taken.
    taken: u8,
    places: [Key; PLACES],
    slots: Slab<K, Slot<K>>,
    /// The slots that nobody uses, linked.
    free: u32,
    available: u32,
    /// The slots, of those available, that only [`Claims::enter_reserved`] may take.
    reserved: u32,
    first: u32,
    last: u32,
    active: u32,
    waiting: u32,
}

impl<K: Kernel> Claims<K> {
    /// Room for `ready` claims that need no memory, or `None` if there is none for that.
    pub(crate) fn new(kernel: &K, ready: u32) -> Option<Self> {
        let slots = Slab::new();
        let mut claims = Self {
            taken: 0,
            places: [Key::FIRST; PLACES],
            slots,
            free: NIL,
            available: 0,
            reserved: 0,
            first: NIL,
            last: NIL,
            active: 0,
            waiting: 0,
        };
        for _ in 0..ready {
            claims.grow(kernel)?;
        }
        Some(claims)
    }

    /// Whether nobody claims anything.
    pub(crate) const fn is_idle(&self) -> bool {
        self.active == 0 && self.taken == 0
    }

    /// Claims `key` in a place of its own; `None` if somebody has claimed it, or there is no place for that now. Those in places
    /// come before those in the queue, so there is none while anybody is in the queue.
    #[inline]
    pub(crate) fn enter_place(&mut self, key: &Key) -> Option<Place> {
        if self.active != 0 || self.is_in_a_place(key) {
            return None;
        }
        let number = self.taken.trailing_ones();
        *self.places.get_mut(number as usize)? = *key;
        self.taken |= 1_u8.checked_shl(number)?;
        #[expect(clippy::cast_possible_truncation, reason = "there are eight places")]
        Some(Place(number as u8))
    }

    /// Ends a claim in a place of its own, and lets those through whose turn it is now.
    #[inline]
    pub(crate) fn leave_place(&mut self, Place(number): Place) {
        self.taken &= !1_u8.checked_shl(number.into()).unwrap_or_default();
        if self.waiting > 0 {
            cold_path();
            if let Some(key) = self.places.get(usize::from(number)) {
                self.admit(self.first, &Keys::One(*key));
            }
        }
    }

    /// Whether `key` is claimed in a place.
    #[inline]
    fn is_in_a_place(&self, key: &Key) -> bool {
        self.taken != 0 && self.keys_in_places().any(|taken| taken == key)
    }

    fn keys_in_places(&self) -> impl Iterator<Item = &Key> {
        let taken = |number: usize| self.taken >> number & 1 != 0;
        self.places.iter().enumerate().filter(move |(number, _)| taken(*number)).map(|(_, key)| key)
    }

    /// Keeps room for one more claim that must not fail; `None` if there is no memory.
    pub(crate) fn reserve(&mut self, kernel: &K) -> Option<()> {
        self.make_room(kernel)?;
        self.reserved = self.reserved.saturating_add(1);
        Some(())
    }

    /// Gives the room back that [`Claims::reserve`] kept.
    pub(crate) const fn unreserve(&mut self) {
        self.reserved = self.reserved.saturating_sub(1);
    }

    /// Queues for `keys`. `None` if there is no memory.
    pub(crate) fn enter(&mut self, kernel: &K, keys: Keys<K>) -> Option<Entered<K>> {
        self.make_room(kernel)?;
        self.queue(keys)
    }

    /// Queues for `key` in room that was reserved, which [`Claims::leave_reserved`] gives back. It fails only if nothing was.
    pub(crate) fn enter_reserved(&mut self, key: Key) -> Option<Entered<K>> {
        self.unreserve();
        self.queue(Keys::One(key))
    }

    /// Ends a claim, and lets those through whose turn it is now.
    pub(crate) fn leave(&mut self, slot: u32) {
        let Some(left) = self.slots.get_mut(slot) else { return };
        let keys = left.keys.take();
        let (previous, next) = (left.previous, left.next);
        left.next = self.free;
        self.free = slot;
        self.available = self.available.saturating_add(1);
        self.active = self.active.saturating_sub(1);
        match self.slots.get_mut(previous) {
            Some(previous) => previous.next = next,
            None => self.first = next,
        }
        match self.slots.get_mut(next) {
            Some(later) => later.previous = previous,
            None => self.last = previous,
        }
        if self.waiting > 0
            && let Some(keys) = keys
        {
            self.admit(next, &keys);
        }
    }

    /// The same for a claim in reserved room.
    pub(crate) fn leave_reserved(&mut self, slot: u32) {
        self.leave(slot);
        self.reserved = self.reserved.saturating_add(1);
    }

    fn make_room(&mut self, kernel: &K) -> Option<()> {
        if self.available > self.reserved { Some(()) } else { self.grow(kernel) }
    }

    fn grow(&mut self, kernel: &K) -> Option<()> {
        let event = Some(kernel.event()?);
        self.free = self.slots.insert(kernel, Slot { event, next: self.free, ..Slot::default() })?;
        self.available = self.available.saturating_add(1);
        Some(())
    }

    fn queue(&mut self, keys: Keys<K>) -> Option<Entered<K>> {
        let slot = self.free;
        let waiting = self.is_claimed_before(NIL, &keys);
        let last = self.last;
        let new = self.slots.get_mut(slot)?;
        self.free = new.next;
        new.keys = Some(keys);
        (new.previous, new.next) = (last, NIL);
        new.waiting = waiting;
        let turn = if waiting { new.event.clone() } else { None };
        match self.slots.get_mut(last) {
            Some(last) => last.next = slot,
            None => self.first = slot,
        }
        self.last = slot;
        self.available = self.available.saturating_sub(1);
        self.active = self.active.saturating_add(1);
        self.waiting = self.waiting.saturating_add(waiting.into());
        Some(Entered { slot, turn })
    }

    /// Whether somebody who came before the claim `until` claims any of `keys`.
    fn is_claimed_before(&self, until: u32, keys: &Keys<K>) -> bool {
        if self.taken != 0 && self.keys_in_places().any(|key| keys.contains(key)) {
            return true;
        }
        let mut next = self.first;
        while next != until
            && let Some(slot) = self.slots.get(next)
        {
            if slot.keys.as_ref().is_some_and(|claimed| claimed.overlaps(keys)) {
                return true;
            }
            next = slot.next;
        }
        false
    }

    /// Lets those of the claims from `next` on through who waited for `left`, and for nobody else.
    fn admit(&mut self, mut next: u32, left: &Keys<K>) {
        while let Some(slot) = self.slots.get(next) {
            let (number, after) = (next, slot.next);
            next = after;
            let Some(keys) = slot.keys.as_ref().filter(|keys| slot.waiting && keys.overlaps(left)) else { continue };
            if self.is_claimed_before(number, keys) {
                continue;
            }
            if let Some(slot) = self.slots.get_mut(number) {
                slot.waiting = false;
                self.waiting = self.waiting.saturating_sub(1);
                if let Some(event) = &slot.event {
                    event.set();
                }
            }
        }
    }
}

impl<K: Kernel> Keys<K> {
    fn contains(&self, key: &Key) -> bool {
        match self {
            Self::One(one) => one == key,
            Self::Many(many) => many.as_ref().binary_search(key).is_ok(),
        }
    }

    fn overlaps(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::One(one), other) | (other, Self::One(one)) => other.contains(one),
            (Self::Many(one), Self::Many(other)) => share_a_key(one.as_ref(), other.as_ref()),
        }
    }
}

/// Whether two sorted lists have a key in common.
fn share_a_key(mut one: &[Key], mut other: &[Key]) -> bool {
    while let ([first, rest @ ..], [other_first, other_rest @ ..]) = (one, other) {
        match first.cmp(other_first) {
            Ordering::Equal => return true,
            Ordering::Less => one = rest,
            Ordering::Greater => other = other_rest,
        }
    }
    false
}

#[cfg(test)]
mod tests;
