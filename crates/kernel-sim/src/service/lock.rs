//! Push locks and critical regions.
//!
//! Who holds a lock is the simulator's own knowledge, by the lock's address: the driver's memory is only initialized by it.
//! Source: <https://learn.microsoft.com/windows-hardware/drivers/kernel/introduction-to-push-locks>

use std::sync::PoisonError;
use std::time::Instant;

use crate::core::{Core, Held, lock};
use crate::processor;
use crate::schedule;
use crate::violation::Rule;

/// `KeEnterCriticalRegion`.
///
/// # Safety
/// Only the driver may call it.
pub(super) unsafe extern "win64" fn enter_critical_region() {
    processor::change_critical_regions(1);
}

/// `KeLeaveCriticalRegion`.
///
/// # Safety
/// Only the driver may call it.
pub(super) unsafe extern "win64" fn leave_critical_region() {
    if processor::critical_regions() == 0 {
        return processor::core().report(Rule::CriticalRegion, "a critical region is left that was not entered");
    }
    processor::change_critical_regions(-1);
}

/// `ExAcquirePushLockExclusiveEx`.
///
/// # Safety
/// Only the driver may call it.
pub(super) unsafe extern "win64" fn acquire_exclusive(address: usize, _flags: u32) {
    processor::core().acquire(address, Held::Exclusive);
}

/// `ExAcquirePushLockSharedEx`.
///
/// # Safety
/// Only the driver may call it.
pub(super) unsafe extern "win64" fn acquire_shared(address: usize, _flags: u32) {
    processor::core().acquire(address, Held::Shared);
}

/// `ExReleasePushLockExclusiveEx`.
///
/// # Safety
/// Only the driver may call it.
pub(super) unsafe extern "win64" fn release_exclusive(address: usize, _flags: u32) {
    processor::core().release(address, Held::Exclusive);
}

/// `ExReleasePushLockSharedEx`.
///
/// # Safety
/// Only the driver may call it.
pub(super) unsafe extern "win64" fn release_shared(address: usize, _flags: u32) {
    processor::core().release(address, Held::Shared);
}

impl Core {
    /// Takes a lock, once nobody stands in the way.
    fn acquire(&self, address: usize, how: Held) {
        if processor::critical_regions() == 0 {
            self.report(Rule::CriticalRegion, "a push lock is taken outside of a critical region");
        }
        let thread = std::thread::current().id();
        if lock(&self.locks).iter().any(|(other, owner, _)| (*other, *owner) == (address, thread)) {
            return self.report(Rule::LockOwner, "the push lock is held by this thread already");
        }
        let deadline = Instant::now() + self.options.time_limit;
        let free = |locks: &[(usize, _, Held)]| {
            locks.iter().all(|(other, _, held)| *other != address || (*held, how) == (Held::Shared, Held::Shared))
        };
        loop {
            let mut locks = lock(&self.locks);
            if free(&locks) {
                return locks.push((address, thread, how));
            }
            let Some(left) = deadline.checked_duration_since(Instant::now()) else {
                drop(locks);
                return self.report(Rule::WaitForever, "the push lock was not released in time");
            };
            if schedule::is_taking_turns() {
                drop(locks);
                schedule::point();
            } else {
                drop(self.lock_released.wait_timeout(locks, left).unwrap_or_else(PoisonError::into_inner));
            }
        }
    }

    fn release(&self, address: usize, how: Held) {
        let entry = (address, std::thread::current().id(), how);
        let mut locks = lock(&self.locks);
        let position = locks.iter().position(|held| *held == entry);
        position.map(|position| locks.swap_remove(position));
        drop(locks);
        self.lock_released.notify_all();
        if position.is_none() {
            self.report(Rule::LockOwner, "the push lock is released, and this thread does not hold it so");
        }
    }

    /// Judges what this thread still has when the driver returns, and takes it away.
    pub(crate) fn judge_held(&self) {
        let thread = std::thread::current().id();
        let mut locks = lock(&self.locks);
        let before = locks.len();
        locks.retain(|(_, owner, _)| *owner != thread);
        let kept = before - locks.len();
        drop(locks);
        if kept > 0 {
            self.lock_released.notify_all();
            self.report(Rule::LockKept, format!("{kept} push locks are held at return"));
        }
        let regions = processor::critical_regions();
        if regions > 0 {
            processor::change_critical_regions(-regions);
            self.report(Rule::CriticalRegion, "the driver returns inside a critical region");
        }
    }
}
