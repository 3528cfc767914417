//! System worker threads for the routine that needs no device.
//!
//! Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-exqueueworkitem>

use core::ffi::c_void;
use core::mem::transmute;

use windows_sys::Wdk::Foundation::WORK_QUEUE_ITEM;
use windows_sys::Win32::Foundation::NTSTATUS;

#[link(name = "ntdll", kind = "raw-dylib")]
unsafe extern "system" {
    fn RtlQueueWorkItem(routine: Routine, context: *mut c_void, flags: u32) -> NTSTATUS;
    fn RtlRaiseStatus(status: NTSTATUS) -> !;
}

/// `WORKER_THREAD_ROUTINE`, which windows-sys declares without its parameter.
type Routine = unsafe extern "system" fn(*mut c_void);

/// WT_EXECUTELONGFUNCTION: the routine may wait.
const MAY_WAIT: u32 = 0x10;

/// ExQueueWorkItem, on ntdll's thread pool.
///
/// # Safety
/// `item` is initialized and lives until its routine is called.
#[unsafe(no_mangle)]
unsafe extern "system" fn extension_ExQueueWorkItem(item: *mut WORK_QUEUE_ITEM, _queue: i32) {
    // SAFETY: the item lives until `run` has read it, as the caller promises.
    let status = unsafe { RtlQueueWorkItem(run, item.cast(), MAY_WAIT) };
    if status != 0 {
        // The function that is stood in for can't fail.
        // SAFETY: raising an exception has no preconditions.
        unsafe { RtlRaiseStatus(status) };
    }
}

/// Calls the item's routine.
///
/// # Safety
/// `item` is a `WORK_QUEUE_ITEM` that nobody changes.
unsafe extern "system" fn run(item: *mut c_void) {
    let item = item.cast::<WORK_QUEUE_ITEM>();
    // SAFETY: as the caller promises. The item may be freed by its routine and is not used afterwards.
    let WORK_QUEUE_ITEM { WorkerRoutine: routine, Parameter: parameter, .. } = unsafe { item.read() };
    if let Some(routine) = routine {
        // SAFETY: a routine of this type is what the driver put there.
        let routine = unsafe { transmute::<unsafe extern "system" fn(), Routine>(routine) };
        // SAFETY: the driver set the routine together with its parameter.
        unsafe { routine(parameter) };
    }
}
