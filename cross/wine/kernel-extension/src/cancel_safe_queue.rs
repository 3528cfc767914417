//! Cancel-safe queues of IRPs, over the driver's own list and lock.
//!
//! Source: <https://learn.microsoft.com/windows-hardware/drivers/kernel/cancel-safe-irp-queues>

use core::ffi::c_void;
use core::mem::transmute;
use core::ptr::null_mut;
use core::sync::atomic::{AtomicUsize, Ordering};

use windows_sys::Wdk::Foundation::{DEVICE_OBJECT, IRP};
use windows_sys::Wdk::System::SystemServices::{
    IO_TYPE_CSQ, IO_TYPE_CSQ_EX, IO_TYPE_CSQ_IRP_CONTEXT, IoReleaseCancelSpinLock,
};
use windows_sys::Win32::Foundation::{NTSTATUS, STATUS_SUCCESS};
use wine_common::irp::current_location;

/// SL_PENDING_RETURNED.
const PENDING_RETURNED: u8 = 0x01;

/// `IO_CSQ`, with the parameters that windows-sys leaves out.
#[repr(C)]
struct Queue {
    kind: u32,
    /// Of type [`InsertEx`] if `kind` is IO_TYPE_CSQ_EX.
    insert: Insert,
    remove: Remove,
    peek_next: PeekNext,
    acquire_lock: AcquireLock,
    release_lock: ReleaseLock,
    complete_canceled: Remove,
    reserved: *mut c_void,
}

type Insert = unsafe extern "system" fn(*const Queue, *mut IRP);
type Remove = unsafe extern "system" fn(*const Queue, *mut IRP);
type PeekNext = unsafe extern "system" fn(*const Queue, *mut IRP, *mut c_void) -> *mut IRP;
type AcquireLock = unsafe extern "system" fn(*const Queue, *mut u8);
type ReleaseLock = unsafe extern "system" fn(*const Queue, u8);
type InsertEx = unsafe extern "system" fn(*const Queue, *mut IRP, *mut c_void) -> NTSTATUS;

/// `IO_CSQ_IRP_CONTEXT`: names one IRP in a queue.
#[repr(C)]
struct Context {
    kind: u32,
    irp: *mut IRP,
    queue: *const Queue,
}

/// IoCsqInitialize, which Wine exports and does not implement.
///
/// # Safety
/// `queue` may be written; the functions are those that the page above asks for.
#[unsafe(no_mangle)]
unsafe extern "system" fn extension_IoCsqInitialize(
    queue: *mut Queue,
    insert: Insert,
    remove: Remove,
    peek_next: PeekNext,
    acquire_lock: AcquireLock,
    release_lock: ReleaseLock,
    complete_canceled: Remove,
) -> NTSTATUS {
    let kind = IO_TYPE_CSQ;
    let new =
        Queue { kind, insert, remove, peek_next, acquire_lock, release_lock, complete_canceled, reserved: null_mut() };
    // SAFETY: as the caller promises.
    unsafe { queue.write(new) };
    STATUS_SUCCESS
}

/// IoCsqInitializeEx: as IoCsqInitialize, with an insertion that may fail.
///
/// # Safety
/// As for IoCsqInitialize.
#[unsafe(no_mangle)]
unsafe extern "system" fn extension_IoCsqInitializeEx(
    queue: *mut Queue,
    insert: InsertEx,
    remove: Remove,
    peek_next: PeekNext,
    acquire_lock: AcquireLock,
    release_lock: ReleaseLock,
    complete_canceled: Remove,
) -> NTSTATUS {
    let kind = IO_TYPE_CSQ_EX;
    // SAFETY: it is called as what it is, since `kind` tells.
    let insert = unsafe { transmute::<InsertEx, Insert>(insert) };
    let new =
        Queue { kind, insert, remove, peek_next, acquire_lock, release_lock, complete_canceled, reserved: null_mut() };
    // SAFETY: as the caller promises.
    unsafe { queue.write(new) };
    STATUS_SUCCESS
}

/// IoCsqInsertIrp.
///
/// # Safety
/// As for [`extension_IoCsqInsertIrpEx`].
#[unsafe(no_mangle)]
unsafe extern "system" fn extension_IoCsqInsertIrp(queue: *const Queue, irp: *mut IRP, context: *mut Context) {
    // A queue of this kind has no insertion that fails.
    // SAFETY: as the caller promises.
    let _ = unsafe { extension_IoCsqInsertIrpEx(queue, irp, context, null_mut()) };
}

/// IoCsqInsertIrpEx.
///
/// # Safety
/// The queue is initialized; the driver has the IRP, which is in no queue; `context` is null or lives as long as the IRP is
/// in the queue.
#[unsafe(no_mangle)]
unsafe extern "system" fn extension_IoCsqInsertIrpEx(
    queue: *const Queue,
    irp: *mut IRP,
    context: *mut Context,
    insert_context: *mut c_void,
) -> NTSTATUS {
    // SAFETY: as the caller promises.
    let locked = unsafe { Locked::new(queue) };
    // SAFETY: as the caller promises.
    unsafe { enter(queue, irp, context) };
    // SAFETY: the queue is locked, and the IRP is in none.
    let status = unsafe { locked.insert(irp, insert_context) };
    if status < 0 {
        // SAFETY: the IRP is still the driver's alone.
        unsafe { leave(irp) };
        return status;
    }
    // SAFETY: the driver has the IRP.
    let location = unsafe { current_location(irp) };
    // SAFETY: an IRP that a driver has, has a current location.
    unsafe { (*location).Control |= PENDING_RETURNED };
    // SAFETY: the IRP is in the locked queue.
    unsafe { set_cancel_routine(irp, cancel as *mut c_void) };
    // SAFETY: the IRP is in the locked queue.
    let cancelled = unsafe { &raw const (*irp).Cancel };
    // SAFETY: it is a boolean that others may set at any time.
    let cancelled = unsafe { cancelled.read_volatile() };
    // Cancelled before it had its routine, which is then never called.
    // SAFETY: the IRP is in the locked queue.
    if cancelled && !unsafe { set_cancel_routine(irp, null_mut()) }.is_null() {
        // SAFETY: the IRP is in the locked queue, and its cancel routine will not run.
        unsafe { locked.take(irp) };
        drop(locked);
        // SAFETY: the IRP is out of the queue.
        unsafe { complete_canceled(queue, irp) };
    }
    status
}

/// IoCsqRemoveNextIrp.
///
/// # Safety
/// The queue is initialized; `peek_context` is what its driver expects.
#[unsafe(no_mangle)]
unsafe extern "system" fn extension_IoCsqRemoveNextIrp(queue: *const Queue, peek_context: *mut c_void) -> *mut IRP {
    // SAFETY: as the caller promises.
    let locked = unsafe { Locked::new(queue) };
    let mut irp = null_mut();
    loop {
        // SAFETY: the queue is locked, and the IRP before is in it.
        irp = unsafe { locked.peek_next(irp, peek_context) };
        if irp.is_null() {
            return irp;
        }
        // One whose cancel routine has been taken is being cancelled, and waits for the lock.
        // SAFETY: the IRP is in the locked queue.
        if !unsafe { set_cancel_routine(irp, null_mut()) }.is_null() {
            // SAFETY: the IRP is in the locked queue, and its cancel routine will not run.
            unsafe { locked.take(irp) };
            return irp;
        }
    }
}

/// IoCsqRemoveIrp.
///
/// # Safety
/// `context` is that of an IRP which was put into this queue.
#[unsafe(no_mangle)]
unsafe extern "system" fn extension_IoCsqRemoveIrp(queue: *const Queue, context: *mut Context) -> *mut IRP {
    // SAFETY: as the caller promises.
    let locked = unsafe { Locked::new(queue) };
    // SAFETY: the context is changed under the lock only.
    let irp = unsafe { (*context).irp };
    // SAFETY: the IRP is in the locked queue.
    if irp.is_null() || unsafe { set_cancel_routine(irp, null_mut()) }.is_null() {
        return null_mut();
    }
    // SAFETY: the IRP is in the locked queue, and its cancel routine will not run.
    unsafe { locked.take(irp) };
    irp
}

/// The cancel routine of every IRP in a queue.
///
/// # Safety
/// Only the I/O manager may call it, with the cancel spin lock.
unsafe extern "system" fn cancel(_device: *mut DEVICE_OBJECT, irp: *mut IRP) {
    // SAFETY: the IRP stays in the queue until this routine takes it out.
    let irql = unsafe { (*irp).CancelIrql };
    // SAFETY: the I/O manager acquired the lock at this level.
    unsafe { IoReleaseCancelSpinLock(irql) };
    // SAFETY: the IRP is in a queue.
    let queue = unsafe { queue_of(irp) };
    // SAFETY: the queue is initialized, since the IRP is in it.
    let locked = unsafe { Locked::new(queue) };
    // SAFETY: the IRP is in the locked queue: who finds its cancel routine gone leaves it there.
    unsafe { locked.take(irp) };
    drop(locked);
    // SAFETY: the IRP is out of the queue.
    unsafe { complete_canceled(queue, irp) };
}

/// A queue under its driver's lock.
struct Locked {
    queue: *const Queue,
    irql: u8,
}

impl Locked {
    /// # Safety
    /// The queue is initialized, and outlives this.
    unsafe fn new(queue: *const Queue) -> Self {
        let mut irql = 0;
        // SAFETY: as the caller promises.
        let acquire = unsafe { (*queue).acquire_lock };
        // SAFETY: the driver's function is called as the driver set it up.
        unsafe { acquire(queue, &raw mut irql) };
        Self { queue, irql }
    }

    /// # Safety
    /// The driver has the IRP, which is in no queue.
    unsafe fn insert(&self, irp: *mut IRP, insert_context: *mut c_void) -> NTSTATUS {
        // SAFETY: the queue is alive.
        let Queue { kind, insert, .. } = unsafe { &*self.queue };
        if *kind == IO_TYPE_CSQ_EX {
            // SAFETY: `kind` says that it is one.
            let insert = unsafe { transmute::<Insert, InsertEx>(*insert) };
            // SAFETY: the queue is locked, as the driver expects.
            return unsafe { insert(self.queue, irp, insert_context) };
        }
        debug_assert_eq!(*kind, IO_TYPE_CSQ);
        // SAFETY: the queue is locked, as the driver expects.
        unsafe { insert(self.queue, irp) };
        STATUS_SUCCESS
    }

    /// # Safety
    /// The IRP is null or in this queue.
    unsafe fn peek_next(&self, irp: *mut IRP, peek_context: *mut c_void) -> *mut IRP {
        // SAFETY: the queue is alive.
        let peek_next = unsafe { (*self.queue).peek_next };
        // SAFETY: the queue is locked, as the driver expects.
        unsafe { peek_next(self.queue, irp, peek_context) }
    }

    /// Takes an IRP out of the queue.
    ///
    /// # Safety
    /// The IRP is in this queue, and its cancel routine will not run or is running.
    unsafe fn take(&self, irp: *mut IRP) {
        // SAFETY: the queue is alive.
        let remove = unsafe { (*self.queue).remove };
        // SAFETY: the queue is locked, as the driver expects.
        unsafe { remove(self.queue, irp) };
        // SAFETY: the IRP was in the queue.
        unsafe { leave(irp) };
    }
}

impl Drop for Locked {
    fn drop(&mut self) {
        // SAFETY: the queue is alive.
        let release = unsafe { (*self.queue).release_lock };
        // SAFETY: the lock was acquired at this level.
        unsafe { release(self.queue, self.irql) };
    }
}

/// Has the driver complete an IRP that was cancelled.
///
/// # Safety
/// The IRP is out of the queue, and nobody else has it.
unsafe fn complete_canceled(queue: *const Queue, irp: *mut IRP) {
    // SAFETY: the queue is alive, since its driver waits for the IRP's completion.
    let complete = unsafe { (*queue).complete_canceled };
    // SAFETY: the lock is not held, as the driver expects.
    unsafe { complete(queue, irp) };
}

/// Exchanges the IRP's cancel routine, as the inline function IoSetCancelRoutine does: what it was.
///
/// # Safety
/// The IRP is in a locked queue, where it stays alive.
unsafe fn set_cancel_routine(irp: *mut IRP, routine: *mut c_void) -> *mut c_void {
    // SAFETY: as the caller promises.
    let place = unsafe { &raw mut (*irp).CancelRoutine };
    // SAFETY: the field is an aligned pointer, which everybody exchanges atomically.
    let place = unsafe { AtomicUsize::from_ptr(place.cast()) };
    core::ptr::with_exposed_provenance_mut(place.swap(routine.expose_provenance(), Ordering::AcqRel))
}

/// Notes in the IRP which queue it is in, by the context if there is one.
///
/// # Safety
/// The driver has the IRP; `context` is null or may be written.
unsafe fn enter(queue: *const Queue, irp: *mut IRP, context: *mut Context) {
    let mut note = queue.cast_mut().cast::<c_void>();
    // SAFETY: as the caller promises.
    if let Some(context) = unsafe { context.as_mut() } {
        *context = Context { kind: IO_TYPE_CSQ_IRP_CONTEXT, irp, queue };
        note = core::ptr::from_mut(context).cast();
    }
    // SAFETY: the IRP is alive, as the caller promises.
    let place = unsafe { note_of(irp) };
    // SAFETY: as above.
    unsafe { place.write(note) };
}

/// Forgets which queue the IRP was in.
///
/// # Safety
/// [`enter`] was called for it, and its context lives yet.
unsafe fn leave(irp: *mut IRP) {
    // SAFETY: as the caller promises.
    let place = unsafe { note_of(irp) };
    // SAFETY: as the caller promises.
    let note = unsafe { place.read() };
    // SAFETY: `enter` wrote it.
    if let Some(context) = unsafe { context(note) } {
        context.irp = null_mut();
    }
    // SAFETY: as the caller promises.
    unsafe { place.write(null_mut()) };
}

/// The queue that the IRP is in.
///
/// # Safety
/// It is in one.
unsafe fn queue_of(irp: *mut IRP) -> *const Queue {
    // SAFETY: as the caller promises.
    let place = unsafe { note_of(irp) };
    // SAFETY: as the caller promises.
    let note = unsafe { place.read() };
    // SAFETY: `enter` wrote it.
    unsafe { context(note) }.map_or(note.cast_const().cast(), |context| context.queue)
}

/// What `enter` wrote, as a context if it is one: both structures begin with their kind.
///
/// # Safety
/// It is what `enter` wrote.
unsafe fn context<'a>(note: *mut c_void) -> Option<&'a mut Context> {
    // SAFETY: it is a queue or a context, which are aligned and begin with their kind.
    let kind = unsafe { note.cast::<u32>().read() };
    if kind != IO_TYPE_CSQ_IRP_CONTEXT {
        return None;
    }
    // SAFETY: its kind says that it is a context.
    unsafe { note.cast::<Context>().as_mut() }
}

/// Where the note is: `Tail.Overlay.DriverContext[3]`, which is the queue's while the IRP is in it.
///
/// # Safety
/// The IRP is alive.
unsafe fn note_of(irp: *mut IRP) -> *mut *mut c_void {
    // SAFETY: as the caller promises.
    let tail = unsafe { &mut (*irp).Tail };
    // SAFETY: `Overlay` is the member in use while a driver has the IRP.
    let overlay = unsafe { &mut tail.Overlay };
    // SAFETY: `DeviceQueueEntry`, which is beside it, is for drivers that use device queues instead.
    let context = unsafe { &mut overlay.Anonymous1.Anonymous.DriverContext };
    &raw mut context[3]
}
