//! The order of claims.

extern crate std;

use std::collections::BTreeSet;
use std::vec::Vec;

use netio_anycast_protocol::address::Luid;
use proptest::prelude::*;

use super::*;
use crate::host_kernel::{HostEvent, HostKernel};

fn key(number: u64) -> Key {
    Key::first_on(Luid(number))
}

fn keys(kernel: &HostKernel, numbers: &BTreeSet<u64>) -> Keys<HostKernel> {
    if let ([number], true) = (Vec::from_iter(numbers).as_slice(), numbers.len() == 1) {
        return Keys::One(key(**number));
    }
    let mut block = kernel.allocate::<Key>(numbers.len()).expect("memory");
    block.as_mut().iter_mut().zip(numbers).for_each(|(place, number)| *place = key(*number));
    Keys::Many(block)
}

/// A claim as the plainest possible model has it.
struct Claimant {
    slot: u32,
    numbers: BTreeSet<u64>,
    turn: Option<HostEvent>,
    holds: bool,
}

/// Those who hold: whoever shares no key with anybody before him.
fn expected(queue: &[Claimant]) -> Vec<bool> {
    let before = |position: usize| queue.iter().take(position);
    let free = |(position, claimant): (usize, &Claimant)| {
        before(position).all(|earlier| earlier.numbers.is_disjoint(&claimant.numbers))
    };
    queue.iter().enumerate().map(free).collect()
}

proptest! {
    /// At each step somebody comes for some keys, or one of those who hold leaves.
    #[test]
    fn each_address_is_served_in_the_order_of_arrival(
        steps in prop::collection::vec(
            (any::<bool>(), prop::collection::btree_set(0_u64..12, 1..5), any::<prop::sample::Index>()), 1..120,
        ),
    ) {
        let kernel = HostKernel::new();
        let mut claims = Claims::new(&kernel, 4).expect("memory");
        let mut queue: Vec<Claimant> = Vec::new();
        for (come, numbers, which) in steps {
            let holding: Vec<_> = (0..queue.len()).filter(|position| queue[*position].holds).collect();
            if come || holding.is_empty() {
                let entered = claims.enter(&kernel, keys(&kernel, &numbers)).expect("memory");
                let holds = entered.turn.is_none();
                queue.push(Claimant { slot: entered.slot, numbers, turn: entered.turn, holds });
            } else {
                let leaving = queue.remove(*which.get(&holding));
                claims.leave(leaving.slot);
            }
            let expected = expected(&queue);
            for (claimant, holds) in queue.iter_mut().zip(expected) {
                let was_set = claimant.turn.as_ref().is_some_and(HostEvent::take);
                prop_assert!(!(was_set && claimant.holds), "the turn came twice");
                claimant.holds |= was_set;
                prop_assert_eq!(claimant.holds, holds, "{:?}", claimant.numbers);
            }
            prop_assert_eq!(claims.active() as usize, queue.len());
        }
    }
}

#[test]
fn claims_need_no_memory_while_few_are_under_way() {
    let kernel = HostKernel::new();
    let mut claims = Claims::new(&kernel, 4).expect("memory");
    let before = kernel.allocations();
    for number in 0..1000 {
        for slot in [0, 1, 2, 3].map(|more| claims.enter(&kernel, Keys::One(key(number + more))).expect("room").slot) {
            claims.leave(slot);
        }
    }
    assert_eq!(kernel.allocations(), before);
}

#[test]
fn reserved_room_is_there_when_memory_is_not() {
    let kernel = HostKernel::new();
    let mut claims = Claims::new(&kernel, 1).expect("memory");
    claims.reserve(&kernel).expect("memory");
    kernel.fail_allocation(1);
    assert!(claims.enter(&kernel, Keys::One(key(1))).is_none(), "the room is reserved and there is no memory");
    for _ in 0..3 {
        let entered = claims.enter_reserved(key(2)).expect("reserved");
        assert!(entered.turn.is_none());
        kernel.fail_allocation(1);
        assert!(claims.enter(&kernel, Keys::One(key(1))).is_none());
        claims.leave_reserved(entered.slot);
    }
    claims.unreserve();
    assert!(claims.enter(&kernel, Keys::One(key(1))).is_some(), "nobody reserves it any more");
}

#[test]
fn no_memory_at_any_point_leaves_nothing_behind() {
    for failure in 1..10 {
        let kernel = HostKernel::new();
        kernel.fail_allocation(failure);
        drop(Claims::new(&kernel, 3));
        assert_eq!(kernel.allocated_bytes(), 0);
    }
}
