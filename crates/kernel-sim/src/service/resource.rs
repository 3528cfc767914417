//! Executive resources: locks that many may share, or one may have alone, and take again.
//!
//! Source: <https://learn.microsoft.com/windows-hardware/drivers/kernel/introduction-to-eresource-routines>

use std::sync::Arc;

use netio_anycast_protocol::status::NtStatus;

use crate::core::Core;
use crate::driver_memory;
use crate::locks::{Held, Kind};
use crate::owner::Maker;
use crate::processor;
use crate::synchronization::Synchronization;
use crate::violation::Rule;

/// The length of an `ERESOURCE`.
const LENGTH: usize = 0x68;

/// An `ERESOURCE` that was initialized and not deleted.
#[derive(Debug)]
pub(crate) struct Resource {
    /// Threads that wait to have it alone, and to share it.
    exclusive_waiters: u32,
    shared_waiters: u32,
    /// Who initialized it.
    pub(crate) maker: Maker,
}

/// Whom a thread lets go first that wants to share a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Courtesy {
    /// Those who wait to have it alone, unless the thread has it already.
    Usual,
    /// Nobody: `ExAcquireSharedStarveExclusive`.
    StarveExclusive,
    /// Those who wait to have it alone, in any case: `ExAcquireSharedWaitForExclusive`.
    WaitForExclusive,
}

/// `ExInitializeResourceLite`.
///
/// # Safety
/// Only the driver may call it, with the address of an `ERESOURCE`.
pub(super) unsafe extern "win64" fn initialize(resource: usize) -> i32 {
    let core = processor::core();
    // SAFETY: as the driver vouches.
    unsafe { driver_memory::write_bytes(resource, &[0; LENGTH]) };
    let new = Resource { exclusive_waiters: 0, shared_waiters: 0, maker: core.maker() };
    if core.change(|it| it.resources.insert(resource, new)).is_some() {
        core.report(Rule::Resource, "it is initialized again and was not deleted");
    }
    NtStatus::SUCCESS.0
}

/// `ExReinitializeResourceLite`: as if it had just been initialized.
///
/// # Safety
/// Only the driver may call it, with the address of an `ERESOURCE`.
pub(super) unsafe extern "win64" fn reinitialize(resource: usize) -> i32 {
    // SAFETY: as the driver vouches.
    let core = unsafe { known(resource) };
    judge_free(&core, resource, "reinitialized");
    NtStatus::SUCCESS.0
}

/// `ExDeleteResourceLite`.
///
/// # Safety
/// Only the driver may call it, with the address of an `ERESOURCE`.
pub(super) unsafe extern "win64" fn delete(resource: usize) -> i32 {
    // SAFETY: as the driver vouches.
    let core = unsafe { known(resource) };
    judge_free(&core, resource, "deleted");
    core.change(|it| {
        it.resources.remove(&resource);
        it.locks.forget(&(resource..resource + LENGTH));
    });
    NtStatus::SUCCESS.0
}

/// `ExAcquireResourceExclusiveLite`. Returns whether it has it; without `wait`, it may not.
///
/// # Safety
/// Only the driver may call it, with the address of an `ERESOURCE`.
pub(super) unsafe extern "win64" fn acquire_exclusive(resource: usize, wait: u8) -> u8 {
    // SAFETY: as the driver vouches.
    let core = unsafe { known(resource) };
    core.judge_apcs(Kind::Resource);
    u8::from(core.acquire_resource_exclusive(resource, wait != 0))
}

/// `ExAcquireResourceSharedLite`. Returns whether it has it; without `wait`, it may not.
///
/// # Safety
/// Only the driver may call it, with the address of an `ERESOURCE`.
pub(super) unsafe extern "win64" fn acquire_shared(resource: usize, wait: u8) -> u8 {
    // SAFETY: as the driver vouches.
    unsafe { share(resource, wait, Courtesy::Usual) }
}

/// `ExAcquireSharedStarveExclusive`.
///
/// # Safety
/// Only the driver may call it, with the address of an `ERESOURCE`.
pub(super) unsafe extern "win64" fn acquire_shared_first(resource: usize, wait: u8) -> u8 {
    // SAFETY: as the driver vouches.
    unsafe { share(resource, wait, Courtesy::StarveExclusive) }
}

/// `ExAcquireSharedWaitForExclusive`.
///
/// # Safety
/// Only the driver may call it, with the address of an `ERESOURCE`.
pub(super) unsafe extern "win64" fn acquire_shared_last(resource: usize, wait: u8) -> u8 {
    // SAFETY: as the driver vouches.
    unsafe { share(resource, wait, Courtesy::WaitForExclusive) }
}

/// `ExReleaseResourceLite`.
///
/// # Safety
/// Only the driver may call it, with the address of an `ERESOURCE`.
pub(super) unsafe extern "win64" fn release(resource: usize) {
    // SAFETY: as the driver vouches.
    unsafe { known(resource) }.release(resource, Kind::Resource);
}

/// `ExReleaseResourceForThreadLite`: for another thread, by its object.
///
/// # Safety
/// Only the driver may call it, with the address of an `ERESOURCE`.
pub(super) unsafe extern "win64" fn release_for_thread(resource: usize, thread: usize) {
    // SAFETY: as the driver vouches.
    let core = unsafe { known(resource) };
    if core.change(|it| it.locks.release(resource, thread)).is_none() {
        core.report(Rule::LockOwner, "the resource is released for a thread that does not hold it");
    }
}

/// `ExConvertExclusiveToSharedLite`.
///
/// # Safety
/// Only the driver may call it, with the address of an `ERESOURCE`.
pub(super) unsafe extern "win64" fn convert(resource: usize) {
    // SAFETY: as the driver vouches.
    let core = unsafe { known(resource) };
    let converted = core.change(|it| match it.locks.own(resource) {
        Some(hold) if hold.how == Held::Exclusive => {
            hold.how = Held::Shared;
            true
        }
        _ => false,
    });
    if !converted {
        core.report(Rule::LockOwner, "the resource is converted, and this thread does not hold it alone");
    }
}

/// `ExIsResourceAcquiredExclusiveLite`, by this thread.
///
/// # Safety
/// Only the driver may call it, with the address of an `ERESOURCE`.
pub(super) unsafe extern "win64" fn is_exclusive(resource: usize) -> u8 {
    // SAFETY: as the driver vouches.
    let core = unsafe { known(resource) };
    u8::from(core.change(|it| it.locks.own(resource).is_some_and(|hold| hold.how == Held::Exclusive)))
}

/// `ExIsResourceAcquiredSharedLite`, by this thread, or alone: how often.
///
/// # Safety
/// Only the driver may call it, with the address of an `ERESOURCE`.
pub(super) unsafe extern "win64" fn is_acquired(resource: usize) -> u32 {
    // SAFETY: as the driver vouches.
    let core = unsafe { known(resource) };
    core.change(|it| it.locks.own(resource).map_or(0, |hold| u32::try_from(hold.count).unwrap_or(u32::MAX)))
}

/// `ExGetExclusiveWaiterCount`.
///
/// # Safety
/// Only the driver may call it, with the address of an `ERESOURCE`.
pub(super) unsafe extern "win64" fn exclusive_waiters(resource: usize) -> u32 {
    // SAFETY: as the driver vouches.
    unsafe { known(resource) }.look(|it| it.resources.get(&resource).map_or(0, |resource| resource.exclusive_waiters))
}

/// `ExGetSharedWaiterCount`.
///
/// # Safety
/// Only the driver may call it, with the address of an `ERESOURCE`.
pub(super) unsafe extern "win64" fn shared_waiters(resource: usize) -> u32 {
    // SAFETY: as the driver vouches.
    unsafe { known(resource) }.look(|it| it.resources.get(&resource).map_or(0, |resource| resource.shared_waiters))
}

/// `ExEnterCriticalRegionAndAcquireResourceExclusive`.
///
/// # Safety
/// Only the driver may call it, with the address of an `ERESOURCE`.
pub(super) unsafe extern "win64" fn enter_and_acquire_exclusive(resource: usize) -> usize {
    processor::change_critical_regions(1);
    // SAFETY: as the driver vouches.
    unsafe { acquire_exclusive(resource, 1) };
    0
}

/// `ExEnterCriticalRegionAndAcquireResourceShared`.
///
/// # Safety
/// Only the driver may call it, with the address of an `ERESOURCE`.
pub(super) unsafe extern "win64" fn enter_and_acquire_shared(resource: usize) -> usize {
    processor::change_critical_regions(1);
    // SAFETY: as the driver vouches.
    unsafe { acquire_shared(resource, 1) };
    0
}

/// `ExReleaseResourceAndLeaveCriticalRegion`.
///
/// # Safety
/// Only the driver may call it, with the address of an `ERESOURCE`.
pub(super) unsafe extern "win64" fn release_and_leave(resource: usize) {
    // SAFETY: as the driver vouches.
    unsafe { release(resource) };
    // SAFETY: as the driver vouches.
    unsafe { super::lock::leave_critical_region() };
}

/// # Safety
/// The driver vouches for the resource.
unsafe fn share(resource: usize, wait: u8, courtesy: Courtesy) -> u8 {
    // SAFETY: as the caller promises.
    let core = unsafe { known(resource) };
    core.judge_apcs(Kind::Resource);
    u8::from(core.acquire_resource_shared(resource, wait != 0, courtesy))
}

/// The kernel, once the resource is known to be there and initialized, or reported.
///
/// # Safety
/// The driver vouches for the resource.
unsafe fn known(resource: usize) -> Arc<Core> {
    // SAFETY: as the caller promises.
    let _: usize = unsafe { driver_memory::read(resource) };
    let core = processor::core();
    if core.look(|it| !it.resources.contains_key(&resource)) {
        core.report(Rule::NotInitialized, "the resource was not initialized, or was deleted");
    }
    core
}

fn judge_free(core: &Core, resource: usize, what: &str) {
    let (held, waiting) = core.look(|it| {
        let waiting = it.resources.get(&resource).map_or(0, |it| it.exclusive_waiters + it.shared_waiters);
        (it.locks.of(resource).count(), waiting)
    });
    if held > 0 || waiting > 0 {
        core.report(Rule::Resource, format!("it is {what} while {held} threads hold it and {waiting} wait for it"));
    }
}

impl Synchronization {
    fn may_share(&mut self, resource: usize, courtesy: Courtesy) -> bool {
        let exclusive_waiters = self.resources.get(&resource).map_or(0, |resource| resource.exclusive_waiters);
        let own = self.locks.own(resource).is_some();
        let lets_others_go_first = match courtesy {
            Courtesy::Usual => exclusive_waiters > 0 && !own,
            Courtesy::StarveExclusive => false,
            Courtesy::WaitForExclusive => exclusive_waiters > 0,
        };
        let only_shared = self.locks.of(resource).all(|hold| hold.how == Held::Shared);
        only_shared && !lets_others_go_first
    }
}

impl Core {
    fn acquire_resource_exclusive(self: &Arc<Self>, resource: usize, wait: bool) -> bool {
        let own = self.change(|it| {
            let hold = it.locks.own(resource)?;
            hold.count += usize::from(hold.how == Held::Exclusive);
            Some(hold.how)
        });
        match own {
            Some(Held::Exclusive) => return true,
            // It would wait for itself.
            Some(Held::Shared) if wait => {
                self.report(Rule::LockOwner, "this thread shares the resource and waits to have it alone");
                return false;
            }
            Some(Held::Shared) => return false,
            None => {}
        }
        if !wait {
            return self.try_acquire(resource, Kind::Resource, Held::Exclusive, None);
        }
        self.judge_order(resource, Kind::Resource);
        self.count_waiter(resource, |it| &mut it.exclusive_waiters, 1);
        let taken = self.wait_until(None, |it| {
            let free = it.locks.is_free(resource, Held::Exclusive);
            free.then(|| it.locks.take(resource, Kind::Resource, Held::Exclusive, None))
        });
        self.count_waiter(resource, |it| &mut it.exclusive_waiters, -1);
        self.judge_wait(&taken, "the resource was not released in time");
        taken.is_ok()
    }

    fn acquire_resource_shared(self: &Arc<Self>, resource: usize, wait: bool, courtesy: Courtesy) -> bool {
        let take = |it: &mut Synchronization| {
            if let Some(hold) = it.locks.own(resource)
                && (hold.how == Held::Exclusive || courtesy != Courtesy::WaitForExclusive)
            {
                hold.count += 1;
                return Some(());
            }
            it.may_share(resource, courtesy).then(|| match it.locks.own(resource) {
                Some(hold) => hold.count += 1,
                None => it.locks.take(resource, Kind::Resource, Held::Shared, None),
            })
        };
        if !wait || self.change(|it| it.locks.own(resource).is_some()) {
            let taken = self.change(take).is_some();
            if taken || !wait {
                return taken;
            }
        }
        self.judge_order(resource, Kind::Resource);
        self.count_waiter(resource, |it| &mut it.shared_waiters, 1);
        let taken = self.wait_until(None, take);
        self.count_waiter(resource, |it| &mut it.shared_waiters, -1);
        self.judge_wait(&taken, "the resource was not released in time");
        taken.is_ok()
    }

    fn count_waiter(&self, resource: usize, which: impl Fn(&mut Resource) -> &mut u32, change: i32) {
        self.change(|it| {
            if let Some(count) = it.resources.get_mut(&resource).map(which) {
                *count = count.saturating_add_signed(change);
            }
        });
    }
}
