//! Deferred procedure calls, whose queue does nothing in Wine.
//!
//! Source: <https://learn.microsoft.com/windows-hardware/drivers/kernel/introduction-to-dpcs>

use core::ffi::c_void;

use windows_sys::Wdk::Foundation::{KDPC, PKDEFERRED_ROUTINE};

use crate::processor;

/// KeInitializeDpc.
///
/// # Safety
/// `dpc` may be written.
#[unsafe(no_mangle)]
unsafe extern "system" fn extension_KeInitializeDpc(dpc: *mut KDPC, routine: PKDEFERRED_ROUTINE, context: *mut c_void) {
    let new = KDPC { DeferredRoutine: routine, DeferredContext: context, ..KDPC::default() };
    // SAFETY: as the caller promises.
    unsafe { dpc.write(new) };
}

/// KeInsertQueueDpc: 1 if it was queued, 0 if it was already.
///
/// # Safety
/// `dpc` is initialized, and lives until the call is made or removed.
#[unsafe(no_mangle)]
unsafe extern "system" fn extension_KeInsertQueueDpc(
    dpc: *mut KDPC,
    argument1: *mut c_void,
    argument2: *mut c_void,
) -> u8 {
    // SAFETY: as the caller promises.
    unsafe { processor::insert(dpc, argument1, argument2) }.into()
}

/// KeRemoveQueueDpc: 1 if it was queued.
///
/// # Safety
/// `dpc` is initialized.
#[unsafe(no_mangle)]
unsafe extern "system" fn extension_KeRemoveQueueDpc(dpc: *mut KDPC) -> u8 {
    // SAFETY: as the caller promises.
    unsafe { processor::remove(dpc) }.into()
}

/// KeFlushQueuedDpcs: waits for the calls that are queued.
#[unsafe(no_mangle)]
extern "system" fn extension_KeFlushQueuedDpcs() {
    processor::flush();
}
