//! Requests of programs that pended and have ended. Wine frees their IRPs at once, though a cancellation may be on its way to them
//! in the queue of its server, and then calls whatever stands in their place. So they are kept for a while: a cancellation finds that
//! there is no cancel routine any more.
//!
//! A cancellation is in the queue before the request ends, or it never is; so it has been served when as many requests have ended
//! after it as a queue can hold.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use core::ffi::c_void;
use core::mem::transmute;
use core::ptr::null_mut;

use windows_sys::Wdk::Foundation::{DEVICE_OBJECT, IO_STACK_LOCATION, IRP};
use windows_sys::Wdk::System::SystemServices::IoFreeIrp;
use windows_sys::Win32::Foundation::{NTSTATUS, STATUS_MORE_PROCESSING_REQUIRED};
use wine_common::irp::CompletionRoutine;

use crate::lock::Lock;

#[link(name = "kernel32", kind = "raw-dylib")]
unsafe extern "system" {
    safe fn GetProcessHeap() -> *mut c_void;
    fn HeapFree(heap: *mut c_void, flags: u32, memory: *mut c_void) -> i32;
}

/// How many are kept.
const KEPT: usize = 4096;
const USER_MODE: i8 = 1;
/// SL_PENDING_RETURNED.
const PENDING_RETURNED: u8 = 0x01;
/// IRP_DEALLOCATE_BUFFER: the I/O manager frees the system buffer.
const DEALLOCATE_BUFFER: u32 = 0x20;

/// Wine's own completion routine of a request, and what it is called with.
struct Completion {
    routine: CompletionRoutine,
    context: *mut c_void,
}

/// An IRP that has ended.
struct Ended(*mut IRP);

// SAFETY: nobody else uses it but by its address.
unsafe impl Send for Ended {}

static ENDED: Lock<VecDeque<Ended>> = Lock::new(VecDeque::new());

/// Sees to it that the IRP, which is about to be completed, is kept if it pended.
///
/// # Safety
/// The caller has the IRP, and `location` is its current one.
pub(crate) unsafe fn keep(irp: &IRP, location: &mut IO_STACK_LOCATION) {
    let is_first_driver = irp.CurrentLocation == irp.StackCount;
    if irp.RequestorMode != USER_MODE || location.Control & PENDING_RETURNED == 0 || !is_first_driver {
        return;
    }
    let Some(routine) = location.CompletionRoutine else { return };
    // SAFETY: the type that windows-sys declares stands for this one.
    let routine = unsafe { transmute::<unsafe extern "system" fn() -> NTSTATUS, CompletionRoutine>(routine) };
    let completion = Box::new(Completion { routine, context: location.Context });
    // SAFETY: as above.
    let own = unsafe { transmute::<CompletionRoutine, unsafe extern "system" fn() -> NTSTATUS>(complete) };
    location.CompletionRoutine = Some(own);
    location.Context = Box::into_raw(completion).cast();
}

/// The completion routine in Wine's place: calls that, and keeps the IRP if it would be freed now.
///
/// # Safety
/// `completion` is what [`keep`] has put there, and it is called once.
unsafe extern "system" fn complete(device: *const DEVICE_OBJECT, irp: *const IRP, completion: *mut c_void) -> NTSTATUS {
    // SAFETY: it came from a box.
    let Completion { routine, context } = *unsafe { Box::from_raw(completion.cast::<Completion>()) };
    // SAFETY: it is called as the I/O manager would have done.
    let status = unsafe { routine(device, irp, context) };
    if status != STATUS_MORE_PROCESSING_REQUIRED {
        let irp = irp.cast_mut();
        // SAFETY: the IRP has ended, and nobody else uses it.
        let ended = unsafe { &mut *irp };
        // SAFETY: as above.
        unsafe { free_buffer(ended) };
        let oldest = ENDED.with(|ended| {
            ended.push_back(Ended(irp));
            if ended.len() > KEPT { ended.pop_front() } else { None }
        });
        if let Some(Ended(oldest)) = oldest {
            // SAFETY: it has ended, and no cancellation is on its way to it any more.
            unsafe { IoFreeIrp(oldest) };
        }
    }
    STATUS_MORE_PROCESSING_REQUIRED
}

/// Frees the system buffer, as Wine does at the end.
///
/// # Safety
/// The request has ended.
unsafe fn free_buffer(irp: &mut IRP) {
    if irp.Flags & DEALLOCATE_BUFFER != 0 {
        // SAFETY: this member is always the one in use for such a request.
        let buffer = unsafe { irp.AssociatedIrp.SystemBuffer };
        // SAFETY: Wine has allocated it from this heap, and nobody uses it any more.
        unsafe { HeapFree(GetProcessHeap(), 0, buffer) };
        irp.AssociatedIrp.SystemBuffer = null_mut();
    }
}
