//! Taking and releasing locks of every kind, push locks, and the regions in which APCs are disabled.
//!
//! Source: <https://learn.microsoft.com/windows-hardware/drivers/kernel/introduction-to-push-locks>

use std::sync::Arc;

use crate::core::Core;
use crate::driver_memory;
use crate::locks::{Held, Hold, Kind};
use crate::processor::{self, Irql};
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

/// `KeEnterGuardedRegion`.
///
/// # Safety
/// Only the driver may call it.
pub(super) unsafe extern "win64" fn enter_guarded_region() {
    processor::change_guarded_regions(1);
}

/// `KeLeaveGuardedRegion`.
///
/// # Safety
/// Only the driver may call it.
pub(super) unsafe extern "win64" fn leave_guarded_region() {
    if processor::guarded_regions() == 0 {
        return processor::core().report(Rule::CriticalRegion, "a guarded region is left that was not entered");
    }
    processor::change_guarded_regions(-1);
}

/// `KeAreApcsDisabled`.
///
/// # Safety
/// Only the driver may call it.
pub(super) unsafe extern "win64" fn are_apcs_disabled() -> u8 {
    u8::from(processor::are_apcs_disabled())
}

/// `KeAreAllApcsDisabled`.
///
/// # Safety
/// Only the driver may call it.
pub(super) unsafe extern "win64" fn are_all_apcs_disabled() -> u8 {
    u8::from(processor::are_all_apcs_disabled())
}

/// `ExInitializePushLock`.
///
/// # Safety
/// Only the driver may call it, with the address of room for a push lock.
pub(super) unsafe extern "win64" fn initialize_push_lock(address: usize) {
    // SAFETY: as the driver vouches.
    unsafe { driver_memory::write(address, 0_usize) };
}

/// `ExAcquirePushLockExclusiveEx`.
///
/// # Safety
/// Only the driver may call it, with the address of a push lock.
pub(super) unsafe extern "win64" fn acquire_exclusive(address: usize, _flags: u32) {
    // SAFETY: as the driver vouches.
    unsafe { acquire(address, Held::Exclusive) };
}

/// `ExAcquirePushLockSharedEx`.
///
/// # Safety
/// Only the driver may call it, with the address of a push lock.
pub(super) unsafe extern "win64" fn acquire_shared(address: usize, _flags: u32) {
    // SAFETY: as the driver vouches.
    unsafe { acquire(address, Held::Shared) };
}

/// # Safety
/// The driver vouches for the push lock.
unsafe fn acquire(address: usize, how: Held) {
    // The lock itself stays as it is: it is read so that one in memory that is gone is noticed.
    // SAFETY: as the caller promises.
    let _: usize = unsafe { driver_memory::read(address) };
    let core = processor::core();
    core.judge_apcs(Kind::Push);
    core.acquire(address, Kind::Push, how, None);
}

/// `ExReleasePushLockExclusiveEx`.
///
/// # Safety
/// Only the driver may call it, with the address of a push lock.
pub(super) unsafe extern "win64" fn release_exclusive(address: usize, _flags: u32) {
    processor::core().release_push_lock(address, Held::Exclusive);
}

/// `ExReleasePushLockSharedEx`.
///
/// # Safety
/// Only the driver may call it, with the address of a push lock.
pub(super) unsafe extern "win64" fn release_shared(address: usize, _flags: u32) {
    processor::core().release_push_lock(address, Held::Shared);
}

impl Core {
    fn release_push_lock(&self, address: usize, how: Held) {
        let held_so = self.change(|it| {
            let held_so = it.locks.own(address).is_some_and(|hold| hold.how == how);
            held_so && it.locks.release(address, processor::thread()).is_some()
        });
        if !held_so {
            self.report(Rule::LockOwner, "the push lock is released, and this thread does not hold it so");
        }
    }

    /// Judges whether a thread may take a lock that needs normal kernel APCs to be disabled: one of them could want it too.
    /// Source: <https://learn.microsoft.com/windows-hardware/drivers/kernel/disabling-apcs>
    pub(crate) fn judge_apcs(&self, kind: Kind) {
        if !processor::are_apcs_disabled() {
            self.report(Rule::CriticalRegion, format!("a {kind} is taken outside of a critical region"));
        }
    }

    /// Takes a lock that this thread must not hold, once nobody stands in the way. Returns whether it has it now.
    pub(crate) fn acquire(self: &Arc<Self>, address: usize, kind: Kind, how: Held, raised_from: Option<Irql>) -> bool {
        if self.change(|it| it.locks.own(address).is_some()) {
            self.report(Rule::LockOwner, format!("the {kind} is held by this thread already"));
            return false;
        }
        self.judge_order(address, kind);
        let taken = self.wait_until(None, |it| {
            it.locks.is_free(address, how).then(|| it.locks.take(address, kind, how, raised_from))
        });
        self.judge_wait(&taken, format!("the {kind} was not released in time"));
        taken.is_ok()
    }

    /// Takes a lock if nobody stands in the way.
    pub(crate) fn try_acquire(&self, address: usize, kind: Kind, how: Held, raised_from: Option<Irql>) -> bool {
        self.change(|it| {
            let free = it.locks.is_free(address, how);
            if free {
                it.locks.take(address, kind, how, raised_from);
            }
            free
        })
    }

    /// Releases a lock that this thread should hold.
    pub(crate) fn release(&self, address: usize, kind: Kind) -> Option<Hold> {
        let hold = self.change(|it| it.locks.release(address, processor::thread()));
        if hold.is_none() {
            self.report(Rule::LockOwner, format!("the {kind} is released, and this thread does not hold it"));
        }
        hold
    }

    /// Judges the order of locks, before one is waited for: two threads that take two locks in different orders may each wait
    /// for the other, even if they have not done so today.
    /// Source: <https://learn.microsoft.com/windows-hardware/drivers/devtest/deadlock-detection>
    pub(crate) fn judge_order(&self, address: usize, kind: Kind) {
        // Locks on stacks come and go with no sign.
        if self.look(|it| it.locks.new_order(address).is_empty()) || !self.arena.contains(address) {
            return;
        }
        let stack = self.maker().stack;
        let reversed: Vec<_> = self.change(|it| {
            let held = it.locks.new_order(address);
            held.into_iter().filter_map(|held| Some((held, it.locks.note_order(held, address, &stack)?))).collect()
        });
        for (held, others) in reversed {
            let place = self.named(&others).first().map_or_else(|| "elsewhere".to_owned(), ToString::to_string);
            let detail = format!(
                "the {kind} {address:#x} is taken while the lock {held:#x} is held; they were taken the other way round at \
                 {place}"
            );
            self.report(Rule::LockOrder, detail);
        }
    }

    /// Judges what this thread still has of what it took during a call into the driver, and takes it away. The regions are
    /// those it was in before, critical and guarded.
    pub(crate) fn judge_held(&self, before: (isize, isize)) {
        let kept = self.change(|it| it.locks.drop_all());
        if let Some(irql) = kept.iter().filter_map(|hold| hold.raised_from).min() {
            processor::set_irql(irql);
        }
        if !kept.is_empty() {
            let kinds: Vec<String> = kept.iter().map(|hold| format!("a {}", hold.kind)).collect();
            self.report(Rule::LockKept, format!("held at return: {}", kinds.join(", ")));
        }
        let regions = (processor::critical_regions() - before.0, processor::guarded_regions() - before.1);
        processor::change_critical_regions(-regions.0);
        processor::change_guarded_regions(-regions.1);
        if regions.0 > 0 {
            self.report(Rule::CriticalRegion, "the driver returns inside a critical region");
        }
        if regions.1 > 0 {
            self.report(Rule::CriticalRegion, "the driver returns inside a guarded region");
        }
    }
}
