//! The tables of leases against maps and sets of the standard library.

extern crate std;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::vec;
use std::vec::Vec;

use netio_anycast_protocol::address::Luid;
use proptest::prelude::*;
use proptest::sample::Index;

use super::*;
use crate::host_kernel::HostKernel;

const LIMITS: Limits = Limits { max_apply_items: 0, max_leases_per_handle: 6, max_leases: 20, max_pending_waits: 0 };

fn key(number: u64) -> Key {
    Key::first_on(Luid(number))
}

#[derive(Clone, Debug)]
enum Step {
    Open,
    Close(Index),
    /// A lease for an address, or one more holder for the lease that it has.
    Hold(Index, u64),
    Remove(u64),
    GiveUp(Index, u64),
    /// A handle gives its share up and takes it back.
    Return(Index, u64),
    Orphan(u64),

    Postpone,
    Suspend(u64),
    Resume,
    NoMemory(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let number = || 1_u64..16;
    let which = any::<Index>;
    prop_oneof![
        2 => Just(Step::Open),
        1 => which().prop_map(Step::Close),
        12 => (which(), number()).prop_map(|(handle, number)| Step::Hold(handle, number)),
        3 => number().prop_map(Step::Remove),
        3 => (which(), number()).prop_map(|(handle, number)| Step::GiveUp(handle, number)),
        2 => (which(), number()).prop_map(|(handle, number)| Step::Return(handle, number)),
        2 => number().prop_map(Step::Orphan),
        1 => Just(Step::Postpone),
        2 => number().prop_map(Step::Suspend),
        2 => Just(Step::Resume),
        1 => (1_u64..4).prop_map(Step::NoMemory),
    ]
}

#[derive(Clone, Debug, PartialEq)]
struct ModelLease {
    holders: BTreeSet<u32>,
    orphaned: bool,
}

/// The same, as plainly as it can be said.
#[derive(Default)]
struct Model {
    handles: BTreeSet<u32>,
    leases: BTreeMap<u64, ModelLease>,
    suspended: Vec<(u32, u64, ModelLease)>,
    orphans: VecDeque<u64>,
}

impl Model {
    fn held(&self, handle: u32) -> usize {
        self.leases.values().filter(|lease| lease.holders.contains(&handle)).count()
    }

    fn shares(&self) -> usize {
        self.leases.values().map(|lease| lease.holders.len()).sum()
    }

    fn may_hold(&self, handle: u32) -> Result<(), NtStatus> {
        let limits = (LIMITS.max_leases_per_handle as usize, LIMITS.max_leases as usize);
        if self.held(handle) >= limits.0 || self.shares() >= limits.1 {
            return Err(NtStatus::QUOTA_EXCEEDED);
        }
        Ok(())
    }

    fn insert(&mut self, number: u64, lease: ModelLease) {
        if lease.orphaned {
            self.orphans.push_back(number);
        }
        self.leases.insert(number, lease);
    }

    fn remove(&mut self, number: u64) -> Option<ModelLease> {
        self.orphans.retain(|orphan| *orphan != number);
        self.leases.remove(&number)
    }
}

struct Tables {
    kernel: HostKernel,
    leases: Leases<HostKernel>,
    model: Model,
    memory_is_short: bool,
}

impl Tables {
    fn new() -> Self {
        let kernel = HostKernel::new();
        Self { kernel, leases: Leases::new(LIMITS), model: Model::default(), memory_is_short: false }
    }

    fn handle(&self, which: Index) -> Option<u32> {
        let handles: Vec<_> = self.model.handles.iter().copied().collect();
        (!handles.is_empty()).then(|| *which.get(&handles))
    }

    fn find(&self, number: u64) -> Option<u32> {
        self.leases.find(&key(number))
    }

    fn hold(&mut self, handle: u32, number: u64) -> Result<(), TestCaseError> {
        let expected = self.model.may_hold(handle);
        let held = match self.find(number) {
            None => {
                let reserved = self.leases.reserve(&self.kernel, handle, key(number), true);
                reserved.inspect(|lease| self.leases.grant(*lease))
            }
            Some(lease) => {
                if self.leases.share_of(lease, handle).is_some() || self.leases.get(lease).unwrap().state != State::Live
                {
                    return Ok(());
                }
                let added = self.leases.add_share(&self.kernel, handle, lease);
                added.inspect(|_| self.leases.grant_share(lease))
            }
        };
        if self.memory_is_short && held == Err(NtStatus::INSUFFICIENT_RESOURCES) {
            return Ok(());
        }
        prop_assert_eq!(held.map(|_| ()), expected);
        if held.is_ok() {
            let fresh = || ModelLease { holders: BTreeSet::new(), orphaned: false };
            self.model.leases.entry(number).or_insert_with(fresh).holders.insert(handle);
        }
        Ok(())
    }

    /// Ends all shares of a handle as a cleanup does.
    fn clean_up(&mut self, handle: u32) {
        while let Some(key) = self.leases.first_of(handle) {
            let number = key.luid().0;
            let lease = self.find(number).expect("no lease is suspended");
            if self.leases.get(lease).expect("found").holders > 1 {
                let share = self.leases.share_of(lease, handle).expect("held");
                self.leases.give_share_up(lease, share);
                self.model.leases.get_mut(&number).expect("known").holders.remove(&handle);
            } else {
                self.leases.remove(lease);
                self.model.remove(number);
            }
        }
    }

    fn resume(&mut self) {
        if let Some((lease, number, kept)) = self.model.suspended.pop() {
            if self.find(number).is_some() {
                self.leases.remove(lease);
            } else {
                self.leases.resume(&self.kernel, lease);
                self.model.insert(number, kept);
            }
        }
    }

    fn take(&mut self, step: &Step) -> Result<(), TestCaseError> {
        match *step {
            Step::Open => {
                if let Some(handle) = self.leases.open(&self.kernel, 4) {
                    prop_assert!(self.model.handles.insert(handle), "a handle in use was given out");
                }
            }
            Step::NoMemory(next) => {
                self.kernel.fail_allocation(next);
                self.memory_is_short = true;
            }
            Step::Close(which) => {
                if let Some(handle) = self.handle(which).filter(|_| self.model.suspended.is_empty()) {
                    self.clean_up(handle);
                    self.leases.close(handle);
                    self.model.handles.remove(&handle);
                }
            }
            Step::Hold(which, number) => {
                if let Some(handle) = self.handle(which) {
                    self.hold(handle, number)?;
                }
            }
            Step::Postpone => {
                let first = self.leases.first_orphan().map(|key| key.luid().0);
                prop_assert_eq!(first, self.model.orphans.front().copied());
                if let Some(number) = first {
                    self.leases.postpone_orphan(self.find(number).expect("an orphan"));
                    self.model.orphans.rotate_left(1);
                }
            }
            Step::Resume => self.resume(),
            Step::Remove(number)
            | Step::GiveUp(_, number)
            | Step::Return(_, number)
            | Step::Orphan(number)
            | Step::Suspend(number) => {
                if let Some(lease) = self.find(number) {
                    self.end(step, number, lease);
                }
            }
        }
        Ok(())
    }

    fn end(&mut self, step: &Step, number: u64, lease: u32) {
        match *step {
            Step::Remove(_) => {
                self.leases.remove(lease);
                self.model.remove(number);
            }
            Step::GiveUp(which, _) | Step::Return(which, _) => {
                let holders = &mut self.model.leases.get_mut(&number).expect("known").holders;
                let listed: Vec<_> = holders.iter().copied().collect();
                if listed.len() > 1 {
                    let handle = *which.get(&listed);
                    let share = self.leases.share_of(lease, handle).expect("held");
                    if matches!(step, Step::Return(..)) {
                        self.leases.detach_share(lease, share);
                        assert_eq!(self.leases.share_of(lease, handle), None);
                        self.leases.attach_share(lease, share);
                    } else {
                        holders.remove(&handle);
                        self.leases.give_share_up(lease, share);
                    }
                }
            }
            Step::Orphan(_) => {
                self.leases.orphan(lease);
                let orphaned = self.model.leases.get(&number).expect("known").orphaned;
                if !orphaned {
                    self.model.insert(number, ModelLease { holders: BTreeSet::new(), orphaned: true });
                }
            }
            _ => {
                self.leases.suspend(lease);
                let kept = self.model.remove(number).expect("known");
                self.model.suspended.push((lease, number, kept));
            }
        }
    }

    fn check(&self) -> Result<(), TestCaseError> {
        let listed = (0..self.leases.places()).filter_map(|place| self.leases.listed_at(place));
        let listed = listed.map(|lease| (lease.key.luid().0, lease.holders as usize, lease.state));
        let mut listed: Vec<_> = listed.collect();
        listed.sort_by_key(|(key, _, _)| *key);
        let state = |lease: &ModelLease| if lease.orphaned { State::Orphaned } else { State::Live };
        let expected: Vec<_> =
            self.model.leases.iter().map(|(key, lease)| (*key, lease.holders.len(), state(lease))).collect();
        prop_assert_eq!(self.leases.listed() as usize, expected.len());
        prop_assert_eq!(listed, expected);
        prop_assert_eq!(self.leases.orphans() as usize, self.model.orphans.len());
        prop_assert_eq!(self.leases.shares as usize, self.model.shares());
        for handle in &self.model.handles {
            prop_assert_eq!(self.leases.handles.get(*handle).expect("open").held as usize, self.model.held(*handle));
            for (number, lease) in &self.model.leases {
                let share = self.leases.share_of(self.find(*number).expect("known"), *handle);
                prop_assert_eq!(share.is_some(), lease.holders.contains(handle));
            }
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn keep_what_maps_keep(steps in prop::collection::vec(step(), 0..150)) {
        let mut tables = Tables::new();
        for step in &steps {
            tables.take(step)?;
            tables.check()?;
        }
        while !tables.model.suspended.is_empty() {
            tables.resume();
        }
        for handle in tables.model.handles.iter().copied().collect::<Vec<_>>() {
            tables.clean_up(handle);
            tables.leases.close(handle);
        }
        prop_assert_eq!(tables.leases.handles.len(), 0);
        prop_assert_eq!(tables.leases.records.len(), tables.leases.orphans(), "nobody holds those that are left");
        prop_assert_eq!(tables.leases.holders.len(), 0);
    }
}

/// All that is asked of the pool for many leases, the lists of chunks included.
#[test]
fn a_lease_takes_at_most_128_bytes() {
    let unlimited = Limits { max_leases: u32::MAX, max_leases_per_handle: u32::MAX, ..LIMITS };
    for count in [1_000, 10_000, 100_000] {
        let kernel = HostKernel::new();
        let mut leases = Leases::new(unlimited);
        let handle = leases.open(&kernel, 4).expect("memory");
        let before = (kernel.allocated_bytes(), kernel.allocations());
        for number in 0..count {
            leases.reserve(&kernel, handle, key(number), false).expect("memory");
        }
        // The header of a pool block is 16 bytes; only what is still allocated has one, and this counts those that are not.
        let headers = usize::try_from((kernel.allocations() - before.1) * 16).expect("few");
        let bytes = kernel.allocated_bytes() - before.0 + headers;
        let count = usize::try_from(count).expect("few");
        assert!(bytes <= 128 * count, "{} bytes a lease for {count} leases", bytes / count);
    }
}
