//! Cancel-safe queues: the driver's own queue of IRPs, with its own lock, and a cancel routine that the system supplies.
//!
//! Source: <https://learn.microsoft.com/windows-hardware/drivers/kernel/cancel-safe-irp-queues>

use std::mem::{offset_of, transmute};
use std::sync::atomic::{AtomicUsize, Ordering};

use netio_anycast_protocol::status::NtStatus;
use zerocopy::{FromBytes, Immutable, IntoBytes};

use super::cancel;
use crate::driver_memory;
use crate::layout::{Irp, SL_PENDING_RETURNED, StackLocation};
use crate::processor::{self, Irql};
use crate::violation::Rule;

/// `IO_TYPE_CSQ_IRP_CONTEXT`, `IO_TYPE_CSQ`, `IO_TYPE_CSQ_EX`.
const CONTEXT: u32 = 1;
const QUEUE: u32 = 2;
const QUEUE_EX: u32 = 3;
/// The system's word among `IRP.Tail.Overlay.DriverContext`.
const OWN_WORD: usize = offset_of!(Irp, driver_context) + 3 * size_of::<usize>();

/// `IO_CSQ`.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
struct Queue {
    kind: u32,
    padding: u32,
    insert: usize,
    remove: usize,
    peek_next: usize,
    acquire: usize,
    release: usize,
    complete_cancelled: usize,
    reserved: usize,
}

/// `IO_CSQ_IRP_CONTEXT`.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
struct Context {
    kind: u32,
    padding: u32,
    irp: usize,
    queue: usize,
}

const _: () = assert!(size_of::<Queue>() == 0x40 && size_of::<Context>() == 0x18);

/// `IoCsqInitialize`.
///
/// # Safety
/// Only the driver may call it, with the address of an `IO_CSQ` and its routines.
pub(super) unsafe extern "win64" fn initialize(
    queue: usize,
    insert: usize,
    remove: usize,
    peek_next: usize,
    acquire: usize,
    release: usize,
    complete_cancelled: usize,
) -> i32 {
    let new =
        Queue { kind: QUEUE, padding: 0, insert, remove, peek_next, acquire, release, complete_cancelled, reserved: 0 };
    // SAFETY: as the driver vouches.
    unsafe { driver_memory::write(queue, new) };
    NtStatus::SUCCESS.0
}

/// `IoCsqInitializeEx`: the routine that inserts gets a context, and may refuse.
///
/// # Safety
/// As for [`initialize`].
pub(super) unsafe extern "win64" fn initialize_ex(
    queue: usize,
    insert: usize,
    remove: usize,
    peek_next: usize,
    acquire: usize,
    release: usize,
    complete_cancelled: usize,
) -> i32 {
    // SAFETY: as the driver vouches.
    let status = unsafe { initialize(queue, insert, remove, peek_next, acquire, release, complete_cancelled) };
    // SAFETY: as the driver vouches.
    unsafe { driver_memory::write(queue, QUEUE_EX) };
    status
}

/// `IoCsqInsertIrp`.
///
/// # Safety
/// Only the driver may call it, with the addresses of a queue, of an IRP and, perhaps, of an `IO_CSQ_IRP_CONTEXT`.
pub(super) unsafe extern "win64" fn insert(queue: usize, irp: usize, context: usize) {
    // SAFETY: as the driver vouches.
    unsafe { insert_ex(queue, irp, context, 0) };
}

/// `IoCsqInsertIrpEx`. An IRP that is cancelled already, or meanwhile, is completed by the driver's routine for that.
///
/// # Safety
/// As for [`insert`].
pub(super) unsafe extern "win64" fn insert_ex(queue: usize, irp: usize, context: usize, insert_context: usize) -> i32 {
    // SAFETY: as the driver vouches.
    let Some(routines) = (unsafe { read(queue) }) else { return NtStatus::INVALID_PARAMETER.0 };
    // SAFETY: as the driver vouches.
    let before: usize = unsafe { driver_memory::read(irp + OWN_WORD) };
    if context != 0 {
        // SAFETY: as the driver vouches.
        unsafe { driver_memory::write(context, Context { kind: CONTEXT, padding: 0, irp, queue }) };
    }
    // SAFETY: as the driver vouches.
    unsafe { driver_memory::write(irp + OWN_WORD, if context == 0 { queue } else { context }) };
    // SAFETY: as the driver vouches.
    let lock = unsafe { routines.lock(queue) };
    // SAFETY: the routines are the driver's.
    let status = unsafe { routines.insert(queue, irp, insert_context) };
    if status.is_error() {
        // SAFETY: as the driver vouches.
        unsafe { driver_memory::write(irp + OWN_WORD, before) };
        // SAFETY: the routines are the driver's.
        unsafe { routines.unlock(queue, lock) };
        return status.0;
    }
    // SAFETY: as the driver vouches.
    unsafe { mark_pending(irp) };
    let routine = processor::core().cancel_safe_queue_routine();
    // SAFETY: as the driver vouches.
    unsafe { exchange_cancel_routine(irp, routine) };
    // SAFETY: as the driver vouches.
    let is_cancelled = unsafe { driver_memory::read::<u8>(irp + offset_of!(Irp, cancel)) } != 0;
    // If it has no cancel routine any more, that runs elsewhere, and waits for the queue's lock.
    // SAFETY: as the driver vouches.
    if !is_cancelled || unsafe { exchange_cancel_routine(irp, 0) } == 0 {
        // SAFETY: the routines are the driver's.
        unsafe { routines.unlock(queue, lock) };
        return status.0;
    }
    // SAFETY: as the driver vouches.
    unsafe { routines.take_out(queue, irp) };
    // SAFETY: the routines are the driver's.
    unsafe { routines.unlock(queue, lock) };
    // SAFETY: the routines are the driver's.
    unsafe { call(routines.complete_cancelled, [queue, irp, 0]) };
    status.0
}

/// `IoCsqRemoveIrp`: the IRP of a context, or null if it was cancelled or removed.
///
/// # Safety
/// Only the driver may call it, with the addresses of a queue and of an `IO_CSQ_IRP_CONTEXT`.
pub(super) unsafe extern "win64" fn remove(queue: usize, context: usize) -> usize {
    // SAFETY: as the driver vouches.
    let Some(routines) = (unsafe { read(queue) }) else { return 0 };
    // SAFETY: as the driver vouches.
    let lock = unsafe { routines.lock(queue) };
    // SAFETY: as the driver vouches.
    let irp: usize = unsafe { driver_memory::read(context + offset_of!(Context, irp)) };
    // SAFETY: as the driver vouches: the IRP is in the queue as long as the context names it.
    let is_ours = irp != 0 && unsafe { exchange_cancel_routine(irp, 0) } != 0;
    if is_ours {
        // SAFETY: as the driver vouches.
        unsafe { routines.take_out(queue, irp) };
    }
    // SAFETY: the routines are the driver's.
    unsafe { routines.unlock(queue, lock) };
    if is_ours { irp } else { 0 }
}

/// `IoCsqRemoveNextIrp`: the next IRP that the driver's routine finds and that is not being cancelled, or null.
///
/// # Safety
/// Only the driver may call it, with the address of a queue and what its routine expects.
pub(super) unsafe extern "win64" fn remove_next(queue: usize, peek_context: usize) -> usize {
    // SAFETY: as the driver vouches.
    let Some(routines) = (unsafe { read(queue) }) else { return 0 };
    // SAFETY: as the driver vouches.
    let lock = unsafe { routines.lock(queue) };
    let mut irp = 0;
    loop {
        // SAFETY: the routines are the driver's.
        irp = unsafe { call(routines.peek_next, [queue, irp, peek_context]) };
        // SAFETY: the driver's routine vouches for the IRP.
        if irp == 0 || unsafe { exchange_cancel_routine(irp, 0) } != 0 {
            break;
        }
    }
    if irp != 0 {
        // SAFETY: as the driver vouches.
        unsafe { routines.take_out(queue, irp) };
    }
    // SAFETY: the routines are the driver's.
    unsafe { routines.unlock(queue, lock) };
    irp
}

/// The cancel routine of every IRP in a cancel-safe queue.
///
/// # Safety
/// Only the I/O manager may call it, with an IRP that is in a queue, and the cancel spin lock held.
pub(super) unsafe extern "win64" fn cancel_routine(_device: usize, irp: usize) {
    // SAFETY: the I/O manager vouches for the IRP, which nobody completes before this has taken it out of its queue.
    let level = unsafe { driver_memory::read(irp + offset_of!(Irp, cancel_irql)) };
    // SAFETY: the lock is held.
    unsafe { cancel::release_lock(level) };
    // SAFETY: as above; the word is the system's own.
    let word: usize = unsafe { driver_memory::read(irp + OWN_WORD) };
    // SAFETY: it leads to a context or a queue, which both begin with their kind.
    let queue = match unsafe { driver_memory::read::<u32>(word) } {
        // SAFETY: as above.
        CONTEXT => unsafe { driver_memory::read(word + offset_of!(Context, queue)) },
        _ => word,
    };
    // SAFETY: the driver vouches for the queue, as long as there are IRPs in it.
    let Some(routines) = (unsafe { read(queue) }) else { return };
    // SAFETY: the routines are the driver's.
    let lock = unsafe { routines.lock(queue) };
    // SAFETY: as above.
    unsafe { routines.take_out(queue, irp) };
    // SAFETY: the routines are the driver's.
    unsafe { routines.unlock(queue, lock) };
    // SAFETY: the routines are the driver's.
    unsafe { call(routines.complete_cancelled, [queue, irp, 0]) };
}

/// A queue's routines; `None`, and a violation, if it was not initialized.
///
/// # Safety
/// The driver vouches for the queue.
unsafe fn read(queue: usize) -> Option<Queue> {
    // SAFETY: as the caller promises.
    let routines: Queue = unsafe { driver_memory::read(queue) };
    if matches!(routines.kind, QUEUE | QUEUE_EX) {
        return Some(routines);
    }
    processor::core().report(Rule::NotInitialized, format!("{queue:#x} is used as a cancel-safe queue and is none"));
    None
}

impl Queue {
    /// Returns what the driver's routine wants back, and the IRQL before.
    ///
    /// # Safety
    /// The routines are the driver's.
    unsafe fn lock(&self, queue: usize) -> (u8, Irql) {
        let (before, mut level) = (processor::irql(), 0_u8);
        // SAFETY: as the caller promises.
        unsafe { call(self.acquire, [queue, (&raw mut level) as usize, 0]) };
        (level, before)
    }

    /// # Safety
    /// The routines are the driver's.
    unsafe fn unlock(&self, queue: usize, (level, before): (u8, Irql)) {
        // SAFETY: as the caller promises.
        unsafe { call(self.release, [queue, usize::from(level), 0]) };
        let after = processor::irql();
        if after != before {
            let detail = format!("the queue's lock was taken at {before}, and after its release it is {after}");
            processor::core().report(Rule::IrqlChanged, detail);
        }
    }

    /// # Safety
    /// The routines are the driver's, and the IRP is one.
    unsafe fn insert(&self, queue: usize, irp: usize, context: usize) -> NtStatus {
        // SAFETY: as the caller promises.
        let status = unsafe { call(self.insert, [queue, irp, context]) };
        if self.kind == QUEUE { NtStatus::SUCCESS } else { crate::driver::returned_status(status) }
    }

    /// Takes an IRP out of the queue, whose lock is held.
    ///
    /// # Safety
    /// The routines are the driver's, and the IRP is in the queue.
    unsafe fn take_out(&self, queue: usize, irp: usize) {
        // SAFETY: as the caller promises.
        unsafe { call(self.remove, [queue, irp, 0]) };
        // SAFETY: as the caller promises; the word is the system's own.
        let word: usize = unsafe { driver_memory::read(irp + OWN_WORD) };
        // SAFETY: as the caller promises.
        unsafe { driver_memory::write(irp + OWN_WORD, 0_usize) };
        // SAFETY: it leads to a context or a queue, which both begin with their kind.
        if word != 0 && unsafe { driver_memory::read::<u32>(word) } == CONTEXT {
            // SAFETY: as above.
            unsafe { driver_memory::write(word + offset_of!(Context, irp), 0_usize) };
        }
    }
}

/// Calls a routine of the driver's in the middle of a service: it belongs to the call of the driver that is under way, and if it
/// crashes that ends. Afterwards it is the service that runs, as before.
///
/// # Safety
/// The routine is the driver's. Nothing is on the stack that must be dropped.
unsafe fn call(routine: usize, arguments: [usize; 3]) -> usize {
    type Routine = unsafe extern "win64" fn(usize, usize, usize) -> usize;
    let service = processor::call();
    // SAFETY: as the caller promises: code that follows the convention.
    let function: Routine = unsafe { transmute::<usize, Routine>(routine) };
    // SAFETY: as the caller promises.
    let result = unsafe { function(arguments[0], arguments[1], arguments[2]) };
    processor::set_call(service);
    result
}

/// IoMarkIrpPending, which is a macro.
///
/// # Safety
/// The driver vouches for the IRP.
unsafe fn mark_pending(irp: usize) {
    // SAFETY: as the caller promises.
    let location: usize = unsafe { driver_memory::read(irp + offset_of!(Irp, current_stack_location)) };
    let control = location + offset_of!(StackLocation, control);
    // SAFETY: as the caller promises.
    let before: u8 = unsafe { driver_memory::read(control) };
    // SAFETY: as the caller promises.
    unsafe { driver_memory::write(control, before | SL_PENDING_RETURNED) };
}

/// IoSetCancelRoutine, which is a macro. Returns the cancel routine before.
///
/// # Safety
/// The driver vouches for the IRP.
unsafe fn exchange_cancel_routine(irp: usize, routine: usize) -> usize {
    // SAFETY: as the caller promises; the member is aligned, and the driver uses interlocked operations too.
    let place = unsafe { AtomicUsize::from_ptr((irp + offset_of!(Irp, cancel_routine)) as *mut usize) };
    place.swap(routine, Ordering::SeqCst)
}
