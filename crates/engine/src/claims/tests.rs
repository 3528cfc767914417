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

/// Where a claim is.
#[derive(Clone, Copy)]
enum Stands {
    InQueue(u32),
    InPlace(Place),
}

/// A claim as the plainest possible model has it.
struct Claimant {
    stands: Stands,
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

/// Claims in a place of its own, if that is possible.
fn enter_place(claims: &mut Claims<HostKernel>, queue: &[Claimant], numbers: &BTreeSet<u64>) -> Option<Claimant> {
    let number = *numbers.first()?;
    let entered = claims.enter_place(&key(number));
    let others = || queue.iter().map(|claimant| &claimant.numbers);
    let possible = queue.iter().all(|claimant| matches!(claimant.stands, Stands::InPlace(_)))
        && others().all(|numbers| !numbers.contains(&number))
        && queue.len() < PLACES;
    assert_eq!(entered.is_some(), possible);
    let numbers = BTreeSet::from([number]);
    entered.map(|place| Claimant { stands: Stands::InPlace(place), numbers, turn: None, holds: true })
}

#[derive(Clone, Debug)]
enum Step {
    /// Somebody comes for some keys; for one of them in a place of its own, if that is possible.
    Come(BTreeSet<u64>, bool),
    /// One of those who hold leaves.
    Leave(prop::sample::Index),
}

fn step() -> impl Strategy<Value = Step> {
    let numbers = prop::collection::btree_set(0_u64..12, 1..5);
    prop_oneof![
        (numbers, any::<bool>()).prop_map(|(numbers, alone)| Step::Come(numbers, alone)),
        any::<prop::sample::Index>().prop_map(Step::Leave),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn each_address_is_served_in_the_order_of_arrival(steps in prop::collection::vec(step(), 1..120)) {
        let kernel = HostKernel::new();
        let mut claims = Claims::new(&kernel, 4).expect("memory");
        let mut queue: Vec<Claimant> = Vec::new();
        for step in steps {
            match step {
                Step::Come(numbers, alone) => {
                    let placed = if alone { enter_place(&mut claims, &queue, &numbers) } else { None };
                    queue.push(placed.unwrap_or_else(|| {
                        let entered = claims.enter(&kernel, keys(&kernel, &numbers)).expect("memory");
                        let holds = entered.turn.is_none();
                        Claimant { stands: Stands::InQueue(entered.slot), numbers, turn: entered.turn, holds }
                    }));
                }
                Step::Leave(which) => {
                    let holding: Vec<_> = (0..queue.len()).filter(|position| queue[*position].holds).collect();
                    if !holding.is_empty() {
                        match queue.remove(*which.get(&holding)).stands {
                            Stands::InQueue(slot) => claims.leave(slot),
                            Stands::InPlace(place) => claims.leave_place(place),
                        }
                    }
                }
            }
            let expected = expected(&queue);
            for (claimant, holds) in queue.iter_mut().zip(expected) {
                let was_set = claimant.turn.as_ref().is_some_and(HostEvent::take);
                prop_assert!(!(was_set && claimant.holds), "the turn came twice");
                claimant.holds |= was_set;
                prop_assert_eq!(claimant.holds, holds, "{:?}", claimant.numbers);
            }
            prop_assert_eq!(claims.is_idle(), queue.is_empty());
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
