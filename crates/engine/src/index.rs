//! Which record has which key: a hash table over the records of a slab, linked by their numbers.
//!
//! It grows and shrinks by one bucket at a time (linear hashing), so that no request pays for the many before it. A bucket more
//! takes memory now and then; without it the chains get longer, and nothing else: entering and taking out never fail.
//!
//! Source of the algorithm: Litwin, Linear hashing: a new tool for file and table addressing, VLDB 1980.

use crate::kernel::Kernel;
use crate::key::Key;
use crate::slab::{NIL, Record, Slab};

/// A record that can be in an index.
pub(crate) trait Node: Record {
    /// What it is found by. It does not change while the record is in the index.
    fn key(&self) -> &Key;
    /// The next record of the same bucket.
    fn next(&self) -> u32;
    /// The same, to be changed.
    fn next_mut(&mut self) -> &mut u32;
}

/// A bucket but the first.
struct Bucket {
    head: u32,
}

impl Default for Bucket {
    fn default() -> Self {
        Self { head: NIL }
    }
}

impl Record for Bucket {
    fn free_link(&mut self) -> &mut u32 {
        &mut self.head
    }
}

/// The records of a bucket, on average, before there is another bucket.
const LOAD: u32 = 2;

/// An index. The records are in a slab, always the same one.
pub(crate) struct Index<K: Kernel> {
    /// The first bucket's records, which there is room for without memory.
    first: u32,
    /// The other buckets, by their number less one.
    others: Slab<K, Bucket>,
    records: u32,
}

impl<K: Kernel> Index<K> {
    pub(crate) const fn new() -> Self {
        Self { first: NIL, others: Slab::new(), records: 0 }
    }

    /// The record with `key`.
    pub(crate) fn find<T: Node>(&self, slab: &Slab<K, T>, key: &Key) -> Option<u32> {
        let mut next = *self.head(self.bucket_of(key))?;
        while let Some(node) = slab.get(next) {
            if node.key() == key {
                return Some(next);
            }
            next = node.next();
        }
        None
    }

    /// Enters the record `number`, which is not in the index, and whose key is none's that is.
    pub(crate) fn insert<T: Node>(&mut self, kernel: &K, slab: &mut Slab<K, T>, number: u32) {
        let Some(key) = slab.get(number).map(|node| *node.key()) else { return };
        let bucket = self.bucket_of(&key);
        self.push(slab, bucket, number);
        self.records = self.records.saturating_add(1);
        if self.records > self.buckets().saturating_mul(LOAD) {
            self.grow(kernel, slab);
        }
    }

    /// Takes the record with `key` out of the index. It stays in the slab.
    pub(crate) fn remove<T: Node>(&mut self, slab: &mut Slab<K, T>, key: &Key) {
        let bucket = self.bucket_of(key);
        let (mut previous, mut next) = (NIL, self.head(bucket).copied().unwrap_or(NIL));
        while let Some(node) = slab.get(next) {
            let after = node.next();
            if node.key() == key {
                match slab.get_mut(previous) {
                    Some(previous) => *previous.next_mut() = after,
                    None => self.set_head(bucket, after),
                }
                self.records = self.records.saturating_sub(1);
                // One bucket for each record: far from where it grows, so that it does not do both in turns.
                if self.records < self.buckets() {
                    self.shrink(slab);
                }
                return;
            }
            (previous, next) = (next, after);
        }
    }

    fn buckets(&self) -> u32 {
        self.others.len().saturating_add(1)
    }

    /// The bucket of a key: as many bits of its digest as there are bucket numbers for, one less where there is none.
    fn bucket_of(&self, key: &Key) -> u32 {
        #[expect(clippy::cast_possible_truncation, reason = "every bit depends on every bit of the key")]
        let digest = key.digest() as u32;
        let last = self.others.len();
        let mask = u32::MAX.checked_shr(last.leading_zeros()).unwrap_or(0);
        let bucket = digest & mask;
        if bucket <= last { bucket } else { digest & (mask >> 1) }
    }

    fn head(&self, bucket: u32) -> Option<&u32> {
        match bucket.checked_sub(1) {
            None => Some(&self.first),
            Some(other) => self.others.get(other).map(|bucket| &bucket.head),
        }
    }

    fn set_head(&mut self, bucket: u32, head: u32) {
        match bucket.checked_sub(1) {
            None => self.first = head,
            Some(other) => {
                if let Some(bucket) = self.others.get_mut(other) {
                    bucket.head = head;
                }
            }
        }
    }

    /// Puts a record in front of those of a bucket.
    fn push<T: Node>(&mut self, slab: &mut Slab<K, T>, bucket: u32, number: u32) {
        let head = self.head(bucket).copied().unwrap_or(NIL);
        if let Some(node) = slab.get_mut(number) {
            *node.next_mut() = head;
            self.set_head(bucket, number);
        }
    }

    /// One bucket more, if there is memory: it takes over those records of another that belong to it now.
    fn grow<T: Node>(&mut self, kernel: &K, slab: &mut Slab<K, T>) {
        let added = self.buckets();
        match self.others.insert(kernel, Bucket::default()) {
            Some(number) if number.saturating_add(1) == added => self.distribute(slab, buddy(added)),
            // The slab gives numbers out as they were given back, the last first.
            Some(number) => self.others.remove(number),
            None => {}
        }
    }

    /// One bucket less: another takes over its records.
    fn shrink<T: Node>(&mut self, slab: &mut Slab<K, T>) {
        let Some(last) = self.others.len().checked_sub(1) else { return };
        let mut next = self.others.get(last).map_or(NIL, |bucket| bucket.head);
        self.others.remove(last);
        let target = buddy(last.saturating_add(1));
        while let Some(node) = slab.get(next) {
            let after = node.next();
            self.push(slab, target, next);
            next = after;
        }
    }

    /// Puts every record of a bucket into the one that it belongs to.
    fn distribute<T: Node>(&mut self, slab: &mut Slab<K, T>, bucket: u32) {
        let mut next = self.head(bucket).copied().unwrap_or(NIL);
        self.set_head(bucket, NIL);
        while let Some(node) = slab.get(next) {
            let (after, target) = (node.next(), self.bucket_of(node.key()));
            self.push(slab, target, next);
            next = after;
        }
    }
}

/// The bucket that has the records of `bucket` while that is not there: its number without the highest bit.
const fn buddy(bucket: u32) -> u32 {
    match bucket.checked_ilog2() {
        Some(bit) => bucket & !(1 << bit),
        None => 0,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::vec::Vec;

    use netio_anycast_protocol::address::Luid;
    use proptest::prelude::*;

    use super::*;
    use crate::host_kernel::HostKernel;

    #[derive(Default)]
    struct Entry {
        key: Key,
        next: u32,
    }

    impl Record for Entry {
        fn free_link(&mut self) -> &mut u32 {
            &mut self.next
        }
    }

    impl Node for Entry {
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

    struct Indexed {
        kernel: HostKernel,
        slab: Slab<HostKernel, Entry>,
        index: Index<HostKernel>,
    }

    fn key(number: u64) -> Key {
        Key::first_on(Luid(number))
    }

    impl Indexed {
        fn new() -> Self {
            Self { kernel: HostKernel::new(), slab: Slab::new(), index: Index::new() }
        }

        fn insert(&mut self, number: u64) -> Option<u32> {
            let entry = self.slab.insert(&self.kernel, Entry { key: key(number), next: NIL })?;
            self.index.insert(&self.kernel, &mut self.slab, entry);
            Some(entry)
        }

        fn remove(&mut self, number: u64) {
            let entry = self.index.find(&self.slab, &key(number)).expect("it is there");
            self.index.remove(&mut self.slab, &key(number));
            self.slab.remove(entry);
        }

        /// The most records that a key shares its bucket with.
        fn longest_chain(&self) -> usize {
            let chain = |bucket| {
                let next = |number: &u32| Some(self.slab.get(*number)?.next());
                std::iter::successors(self.index.head(bucket).copied(), next).count() - 1
            };
            (0..self.index.buckets()).map(chain).max().expect("there is a bucket")
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(500))]

        /// `true` inserts, `false` removes; the allocations whose number is listed fail.
        #[test]
        fn finds_what_a_map_finds(
            steps in prop::collection::vec((prop::bool::weighted(0.6), 0_u64..1000), 0..1500),
            failures in prop::collection::vec(1_u64..60, 0..20),
        ) {
            let mut indexed = Indexed::new();
            let mut map = BTreeMap::new();
            for failure in failures {
                indexed.kernel.fail_allocation(failure);
            }
            for (insert, number) in steps {
                if insert && !map.contains_key(&number) {
                    if let Some(entry) = indexed.insert(number) {
                        map.insert(number, entry);
                    }
                } else if map.remove(&number).is_some() {
                    indexed.remove(number);
                }
                prop_assert_eq!(indexed.index.find(&indexed.slab, &key(number)), map.get(&number).copied());
            }
            let found: Vec<_> =
                (0..1000).filter_map(|number| indexed.index.find(&indexed.slab, &key(number))).collect();
            prop_assert_eq!(found, map.values().copied().collect::<Vec<_>>());
        }
    }

    #[test]
    fn it_grows_and_shrinks_with_what_is_in_it_and_chains_stay_short() {
        let mut indexed = Indexed::new();
        for number in 0..100_000 {
            indexed.insert(number).expect("memory");
        }
        assert_eq!(indexed.index.buckets(), 50_000);
        assert!(indexed.longest_chain() <= 16, "{} records share a bucket", indexed.longest_chain());
        for number in 0..100_000 {
            indexed.remove(number);
        }
        assert_eq!(indexed.index.buckets(), 1);
        assert_eq!(indexed.index.records, 0);
    }

    #[test]
    fn without_memory_for_buckets_everything_is_still_found() {
        let mut indexed = Indexed::new();
        let entries: Vec<_> = (0..64)
            .map(|number| {
                let entry = Entry { key: key(number), next: NIL };
                indexed.slab.insert(&indexed.kernel, entry).expect("memory")
            })
            .collect();
        for entry in &entries {
            for more in 1..10 {
                indexed.kernel.fail_allocation(more);
            }
            indexed.index.insert(&indexed.kernel, &mut indexed.slab, *entry);
        }
        assert_eq!(indexed.index.buckets(), 1);
        for (number, entry) in entries.iter().enumerate() {
            assert_eq!(indexed.index.find(&indexed.slab, &key(number as u64)), Some(*entry));
        }
    }
}
