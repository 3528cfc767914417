//! Run-down protection: an object is used by many until one waits for them to be gone.
//!
//! Source: <https://learn.microsoft.com/windows-hardware/drivers/kernel/run-down-protection>

use core::sync::atomic::{AtomicUsize, Ordering};

use crate::wait;

/// `EX_RUNDOWN_REF`: the lowest bit says that the object is being run down, the rest counts its users.
type RundownReference = AtomicUsize;

/// Set from the moment somebody waits for the users to be gone: nobody becomes one any more.
const RUNNING_DOWN: usize = 1;
/// One user.
const USER: usize = 2;

/// ExInitializeRundownProtection.
#[unsafe(no_mangle)]
extern "system" fn extension_ExInitializeRundownProtection(reference: &RundownReference) {
    reference.store(0, Ordering::Release);
}

/// ExReInitializeRundownProtection, after the run-down is completed.
#[unsafe(no_mangle)]
extern "system" fn extension_ExReInitializeRundownProtection(reference: &RundownReference) {
    reference.store(0, Ordering::Release);
}

/// ExRundownCompleted: as if the object had been run down.
#[unsafe(no_mangle)]
extern "system" fn extension_ExRundownCompleted(reference: &RundownReference) {
    reference.store(RUNNING_DOWN, Ordering::Release);
}

/// ExAcquireRundownProtection: 1 if the caller is a user now, 0 if the object is being run down.
#[unsafe(no_mangle)]
extern "system" fn extension_ExAcquireRundownProtection(reference: &RundownReference) -> u8 {
    let add_user = |state: usize| (state & RUNNING_DOWN == 0).then(|| state.wrapping_add(USER));
    reference.fetch_update(Ordering::Acquire, Ordering::Relaxed, add_user).is_ok().into()
}

/// ExReleaseRundownProtection.
#[unsafe(no_mangle)]
extern "system" fn extension_ExReleaseRundownProtection(reference: &RundownReference) {
    // The waiter may free it as soon as it is released.
    let address: *const RundownReference = reference;
    if reference.fetch_sub(USER, Ordering::Release) == (RUNNING_DOWN | USER) {
        wait::wake(address);
    }
}

/// ExWaitForRundownProtectionRelease: waits until there are no users, and lets nobody become one.
#[unsafe(no_mangle)]
extern "system" fn extension_ExWaitForRundownProtectionRelease(reference: &RundownReference) {
    let mut state = reference.fetch_or(RUNNING_DOWN, Ordering::Acquire) | RUNNING_DOWN;
    while state != RUNNING_DOWN {
        wait::while_equal(reference, state);
        state = reference.load(Ordering::Acquire);
    }
}
