//! Records in chunks, addressed by number.
//!
//! A record never moves, so its number stays good until it is removed. Growing takes one chunk (and now and then a longer
//! list of chunks); nothing is copied but the list. When the last record goes, so do all chunks but the first.

use core::mem;

use crate::kernel::Kernel;

/// No record: the end of every list.
pub(crate) const NIL: u32 = u32::MAX;

/// The records of one chunk.
const CHUNK: usize = 64;
/// The shortest list of chunks.
const SHORTEST_LIST: usize = 16;
/// The most records of a slab.
pub(crate) const MAX_RECORDS: u32 = 1 << 20;

/// A record that a slab keeps.
pub(crate) trait Record: Default + Send {
    /// A field in which a slab keeps a number while the record is not in use.
    fn free_link(&mut self) -> &mut u32;
}

/// A chunk, or room for one.
type Chunk<K, T> = Option<<K as Kernel>::Block<T>>;

/// Records of one type.
pub(crate) struct Slab<K: Kernel, T: Record> {
    chunks: Option<K::Block<Chunk<K, T>>>,
    /// The records that were removed, linked.
    free: u32,
    /// The first record that was never used.
    fresh: u32,
    /// The records in use.
    len: u32,
}

impl<K: Kernel, T: Record> Slab<K, T> {
    pub(crate) const fn new() -> Self {
        Self { chunks: None, free: NIL, fresh: 0, len: 0 }
    }

    /// The records in use.
    pub(crate) const fn len(&self) -> u32 {
        self.len
    }

    /// Every record has a lower number.
    pub(crate) const fn end(&self) -> u32 {
        self.fresh
    }

    /// Keeps `record`; its number, or `None` if there is no memory.
    pub(crate) fn insert(&mut self, kernel: &K, record: T) -> Option<u32> {
        let number = match self.free {
            NIL => self.take_fresh(kernel)?,
            number => {
                self.free = *self.get_mut(number)?.free_link();
                number
            }
        };
        *self.get_mut(number)? = record;
        self.len = self.len.saturating_add(1);
        Some(number)
    }

    /// Forgets the record `number`, which is in use.
    pub(crate) fn remove(&mut self, number: u32) {
        let next = self.free;
        let Some(record) = self.get_mut(number) else { return };
        *record = T::default();
        *record.free_link() = next;
        self.free = number;
        self.len = self.len.saturating_sub(1);
        if self.len == 0 {
            self.give_back();
        }
    }

    pub(crate) fn get(&self, number: u32) -> Option<&T> {
        let (chunk, place) = position(number);
        self.chunks.as_ref()?.as_ref().get(chunk)?.as_ref()?.as_ref().get(place)
    }

    pub(crate) fn get_mut(&mut self, number: u32) -> Option<&mut T> {
        let (chunk, place) = position(number);
        self.chunks.as_mut()?.as_mut().get_mut(chunk)?.as_mut()?.as_mut().get_mut(place)
    }

    fn take_fresh(&mut self, kernel: &K) -> Option<u32> {
        let number = self.fresh;
        if number >= MAX_RECORDS {
            return None;
        }
        let (chunk, _) = position(number);
        self.lengthen_list(kernel, chunk)?;
        let place = self.chunks.as_mut()?.as_mut().get_mut(chunk)?;
        if place.is_none() {
            *place = Some(kernel.allocate(CHUNK)?);
        }
        self.fresh = number.saturating_add(1);
        Some(number)
    }

    /// Makes the list of chunks long enough for one at the position `chunk`.
    fn lengthen_list(&mut self, kernel: &K, chunk: usize) -> Option<()> {
        let length = self.chunks.as_ref().map_or(0, |chunks| chunks.as_ref().len());
        if chunk < length {
            return Some(());
        }
        let mut longer: K::Block<Chunk<K, T>> = kernel.allocate(length.saturating_mul(2).max(SHORTEST_LIST))?;
        let old = self.chunks.as_mut().map(AsMut::as_mut).unwrap_or_default();
        for (old, new) in old.iter_mut().zip(longer.as_mut()) {
            mem::swap(old, new);
        }
        self.chunks = Some(longer);
        Some(())
    }

    /// Frees every chunk but the first, and begins anew.
    fn give_back(&mut self) {
        let chunks = self.chunks.as_mut().map(AsMut::as_mut).unwrap_or_default();
        // The first chunk's records were used before, but no more than that is left of them.
        for chunk in chunks.iter_mut().skip(1) {
            *chunk = None;
        }
        self.free = NIL;
        self.fresh = 0;
    }
}

/// The chunk of a record, and its place in there.
const fn position(number: u32) -> (usize, usize) {
    (number as usize / CHUNK, number as usize % CHUNK)
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::collections::BTreeMap;
    use std::vec::Vec;

    use proptest::prelude::*;

    use super::*;
    use crate::host_kernel::HostKernel;

    #[derive(Default, Debug, PartialEq, Clone, Copy)]
    struct Number {
        value: u64,
        link: u32,
    }

    impl Record for Number {
        fn free_link(&mut self) -> &mut u32 {
            &mut self.link
        }
    }

    fn number(value: u64) -> Number {
        Number { value, link: 0 }
    }

    proptest! {
        /// `true` inserts, `false` removes some record; the allocations whose number is listed fail.
        #[test]
        fn keeps_what_a_map_keeps(
            steps in prop::collection::vec((any::<bool>(), any::<prop::sample::Index>()), 0..600),
            failures in prop::collection::vec(1_u64..20, 0..5),
        ) {
            let kernel = HostKernel::new();
            let mut slab = Slab::<HostKernel, Number>::new();
            let mut map = BTreeMap::new();
            for failure in failures {
                kernel.fail_allocation(failure);
            }
            for (position, (insert, which)) in steps.iter().enumerate() {
                if *insert {
                    let value = number(position as u64);
                    if let Some(number) = slab.insert(&kernel, value) {
                        prop_assert_eq!(map.insert(number, value), None, "a record in use was given out");
                    }
                } else if !map.is_empty() {
                    let numbers: Vec<_> = map.keys().copied().collect();
                    let number = *which.get(&numbers);
                    slab.remove(number);
                    map.remove(&number);
                }
                prop_assert_eq!(slab.len() as usize, map.len());
            }
            for (number, value) in &map {
                prop_assert_eq!(slab.get(*number), Some(value));
            }
        }
    }

    #[test]
    fn gives_memory_back_when_it_is_empty() {
        let kernel = HostKernel::new();
        let mut slab = Slab::<HostKernel, Number>::new();
        let first = slab.insert(&kernel, number(1)).expect("memory");
        let one = kernel.allocated_bytes();
        let more: Vec<_> = (0..10_000).map(|value| slab.insert(&kernel, number(value)).expect("memory")).collect();
        assert!(kernel.allocated_bytes() > 10_000 * size_of::<Number>());
        more.into_iter().chain([first]).for_each(|number| slab.remove(number));
        assert!(kernel.allocated_bytes() < one + 10_000, "{} bytes are left", kernel.allocated_bytes());
        slab.insert(&kernel, number(2)).expect("memory");
        drop(slab);
        assert_eq!(kernel.allocated_bytes(), 0);
    }

    #[test]
    fn is_full_at_some_time() {
        let kernel = HostKernel::new();
        let mut slab = Slab::<HostKernel, Number>::new();
        for value in 0..MAX_RECORDS {
            slab.insert(&kernel, number(value.into())).expect("memory");
        }
        assert_eq!(slab.insert(&kernel, number(0)), None);
        slab.remove(77);
        assert_eq!(slab.insert(&kernel, number(0)), Some(77));
    }
}
