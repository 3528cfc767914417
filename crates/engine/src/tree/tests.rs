//! The tree against the standard library's.

extern crate std;

use std::collections::BTreeMap;
use std::vec::Vec;

use netio_anycast_protocol::address::Luid;
use proptest::prelude::*;

use super::*;
use crate::host_kernel::HostKernel;

#[derive(Default)]
struct Leaf {
    key: Key,
    links: Links,
}

impl Record for Leaf {
    fn free_link(&mut self) -> &mut u32 {
        self.links.spare()
    }
}

impl Node for Leaf {
    fn key(&self) -> &Key {
        &self.key
    }

    fn links(&mut self) -> &mut Links {
        &mut self.links
    }

    fn linked(&self) -> &Links {
        &self.links
    }
}

fn key(number: u64) -> Key {
    Key::first_on(Luid(number))
}

struct Forest {
    kernel: HostKernel,
    slab: Slab<HostKernel, Leaf>,
    tree: Tree,
}

impl Forest {
    fn new() -> Self {
        Self { kernel: HostKernel::new(), slab: Slab::new(), tree: Tree::new() }
    }

    fn insert(&mut self, number: u64) -> u32 {
        let leaf = Leaf { key: key(number), links: Links::default() };
        let leaf = self.slab.insert(&self.kernel, leaf).expect("memory");
        self.tree.insert(&mut self.slab, leaf);
        leaf
    }

    /// The keys in their order, as whoever lists them meets them.
    fn keys(&self) -> Vec<Key> {
        let mut keys = Vec::new();
        let mut next = self.tree.first_from(&self.slab, &Key::FIRST, false);
        while let Some(leaf) = next {
            let key = *self.slab.get(leaf).expect("in the tree").key();
            keys.push(key);
            next = self.tree.first_from(&self.slab, &key, true);
        }
        keys
    }

    /// The height below `number`, checked node by node: the order, the heights kept and the balance.
    fn checked_height(&self, number: u32) -> u8 {
        let Some(leaf) = self.slab.get(number) else { return 0 };
        let links = *leaf.linked();
        let (left, right) = (self.checked_height(links.left), self.checked_height(links.right));
        assert!(left.abs_diff(right) <= 1, "out of balance: {left} and {right}");
        assert_eq!(links.height, left.max(right) + 1);
        links.height
    }
}

proptest! {
    #[test]
    fn holds_what_a_map_holds(steps in prop::collection::vec((any::<bool>(), 1_u64..80), 0..400), asked in 0_u64..90) {
        let mut forest = Forest::new();
        let mut map = BTreeMap::new();
        for (insert, number) in steps {
            if insert && !map.contains_key(&key(number)) {
                map.insert(key(number), forest.insert(number));
            } else {
                let removed = forest.tree.remove(&mut forest.slab, &key(number));
                prop_assert_eq!(removed, map.remove(&key(number)));
                if let Some(leaf) = removed {
                    forest.slab.remove(leaf);
                }
            }
            forest.checked_height(forest.tree.root);
        }
        prop_assert_eq!(forest.keys(), map.keys().copied().collect::<Vec<_>>());
        let asked = key(asked);
        prop_assert_eq!(forest.tree.find(&forest.slab, &asked), map.get(&asked).copied());
        let from = map.range(asked..).next().map(|(_, leaf)| *leaf);
        prop_assert_eq!(forest.tree.first_from(&forest.slab, &asked, false), from);
        let after = map.range(asked..).find(|(key, _)| **key != asked).map(|(_, leaf)| *leaf);
        prop_assert_eq!(forest.tree.first_from(&forest.slab, &asked, true), after);
    }
}

#[test]
fn a_second_record_with_a_key_stays_out() {
    let mut forest = Forest::new();
    let first = forest.insert(7);
    forest.insert(7);
    assert_eq!(forest.tree.find(&forest.slab, &key(7)), Some(first));
    assert_eq!(forest.keys(), [key(7)]);
}

/// Sorted input is what makes a tree without balance a list.
#[test]
fn sorted_input_stays_low() {
    let mut forest = Forest::new();
    for number in 0..100_000 {
        forest.insert(number);
    }
    let height = forest.checked_height(forest.tree.root);
    assert!(height <= 24, "{height}: 1.45 × log2(100,000) is 24.1");
    for number in (0..100_000).filter(|number| number % 3 != 0) {
        let leaf = forest.tree.remove(&mut forest.slab, &key(number)).expect("it is there");
        forest.slab.remove(leaf);
    }
    forest.checked_height(forest.tree.root);
    assert_eq!(forest.keys().len(), 33_334);
}
