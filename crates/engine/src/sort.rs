//! Sorting in place without allocation and without a panic.
//!
//! `slice::sort_unstable_by` of `core` panics when the order turns out not to be total, so it may not be in the driver.

use core::cmp::Ordering;
use core::mem;

/// Sorts `items` (heapsort: no worst case beyond n log n, no memory). Equal items may change places.
///
/// An `order` that is not total leaves the items in some order.
pub(crate) fn sort_by<T>(items: &mut [T], order: impl Fn(&T, &T) -> Ordering) {
    // NetIO's tables mostly come sorted.
    if items.is_sorted_by(|earlier, later| order(earlier, later).is_le()) {
        return;
    }
    heapify(items, &order);
    for last in (1..items.len()).rev() {
        swap(items, 0, last);
        if let Some(heap) = items.get_mut(..last) {
            sift_down(heap, 0, &order);
        }
    }
}

/// Makes a heap of `items`: the first of them is none's smaller.
pub(crate) fn heapify<T>(items: &mut [T], order: &impl Fn(&T, &T) -> Ordering) {
    for root in (0..items.len() / 2).rev() {
        sift_down(items, root, order);
    }
}

/// Moves the item at `root` down until it is no smaller than its children.
pub(crate) fn sift_down<T>(heap: &mut [T], mut root: usize, order: &impl Fn(&T, &T) -> Ordering) {
    while let Some((child, item)) = larger_child(heap, root, order) {
        if heap.get(root).is_none_or(|parent| order(parent, item).is_ge()) {
            return;
        }
        swap(heap, root, child);
        root = child;
    }
}

fn larger_child<'a, T>(heap: &'a [T], root: usize, order: &impl Fn(&T, &T) -> Ordering) -> Option<(usize, &'a T)> {
    let left = root.checked_mul(2)?.checked_add(1)?;
    let right = left.checked_add(1)?;
    let left_item = heap.get(left)?;
    match heap.get(right) {
        Some(right_item) if order(left_item, right_item).is_lt() => Some((right, right_item)),
        _ => Some((left, left_item)),
    }
}

/// As `slice::swap`, which panics when an index is out of range.
fn swap<T>(items: &mut [T], first: usize, second: usize) {
    if let Ok([first, second]) = items.get_disjoint_mut([first, second]) {
        mem::swap(first, second);
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::vec::Vec;

    use proptest::prelude::*;

    use super::sort_by;

    proptest! {
        #[test]
        fn sorts_as_the_standard_library_does(mut items in prop::collection::vec(0_u16..64, 0..300)) {
            let mut expected = items.clone();
            expected.sort_unstable();
            sort_by(&mut items, Ord::cmp);
            prop_assert_eq!(items, expected);
        }

        #[test]
        fn an_order_that_is_not_total_loses_no_item(items in prop::collection::vec(any::<u8>(), 0..100)) {
            let mut sorted = items.clone();
            sort_by(&mut sorted, |one, other| one.wrapping_sub(*other).cmp(&128));
            prop_assert_eq!(counted(sorted), counted(items));
        }
    }

    fn counted(mut items: Vec<u8>) -> Vec<u8> {
        items.sort_unstable();
        items
    }
}
