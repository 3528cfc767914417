//! A cancel-safe queue of IRPs that pend.
//!
//! The I/O manager's own queue (IoCsq) sees to it that an IRP is either taken out or cancelled, never both. What is the driver's
//! is here: a list, its spin lock, and which IRP is meant.
//!
//! Source: <https://learn.microsoft.com/windows-hardware/drivers/kernel/cancel-safe-irp-queues>

use core::cell::UnsafeCell;
use core::mem::offset_of;
use core::ptr::{NonNull, from_ref, null_mut};

use netio_anycast_engine::Wait;
use netio_anycast_protocol::status::NtStatus;
use wdk_sys::ntddk::{
    IoCsqInitializeEx, IoCsqInsertIrpEx, IoCsqRemoveNextIrp, KeAcquireSpinLockRaiseToDpc, KeReleaseSpinLock,
};
use wdk_sys::{FILE_OBJECT, IO_CSQ, IRP, KIRQL, KSPIN_LOCK, LIST_ENTRY, NTSTATUS, PIRP, PKIRQL, PVOID};

use crate::irp::{Dispatched, Irp};

/// What is done with an IRP that was cancelled while it was in a queue.
pub(crate) type CompleteCancelled = fn(&IrpQueue, Irp);

/// IRPs that pend, in the order in which they came. It may not move once it is initialized.
#[repr(C)]
pub(crate) struct IrpQueue {
    /// The first member: its address is the queue's, which is how the routines below find the queue.
    csq: UnsafeCell<IO_CSQ>,
    lock: UnsafeCell<KSPIN_LOCK>,
    list: UnsafeCell<LIST_ENTRY>,
    complete_cancelled: CompleteCancelled,
}

// SAFETY: the list is reached with the lock held only, and the rest does not change once it is initialized.
unsafe impl Sync for IrpQueue {}

/// Which IRPs are meant.
#[derive(Clone, Copy)]
pub(crate) enum Which {
    /// Any.
    First,
    /// Those that were sent through this file object.
    OfFile(NonNull<FILE_OBJECT>),
    /// Those that wait for a generation other than theirs, and this is one.
    WaitingForOtherThan(Wait),
}

impl Which {
    fn is_meant(self, irp: &Irp) -> bool {
        match self {
            Self::First => true,
            Self::OfFile(file) => irp.file_object() == Some(file),
            Self::WaitingForOtherThan(generation) => irp.wait() != generation,
        }
    }
}

impl IrpQueue {
    /// A queue that is to be put where it stays, and [initialized](Self::initialize) there.
    pub(crate) fn new(complete_cancelled: CompleteCancelled) -> Self {
        Self {
            csq: UnsafeCell::default(),
            lock: UnsafeCell::default(),
            list: UnsafeCell::default(),
            complete_cancelled,
        }
    }

    /// Makes the queue usable. IRQL <= DISPATCH_LEVEL.
    ///
    /// # Safety
    /// The queue is at the place where it stays, and nobody uses it yet.
    pub(crate) unsafe fn initialize(&self) {
        let list = self.list.get();
        // SAFETY: nobody else uses the list yet.
        unsafe { list.write(LIST_ENTRY { Flink: list, Blink: list }) };
        // SAFETY: the queue stays where it is. A spin lock of zero is free: that is what the inline function
        // KeInitializeSpinLock makes of it. IoCsqInitializeEx always succeeds.
        let _ = unsafe {
            IoCsqInitializeEx(
                self.csq.get(),
                Some(insert),
                Some(remove),
                Some(peek_next),
                Some(acquire_lock),
                Some(release_lock),
                Some(complete_canceled),
            )
        };
    }

    /// Makes the IRP pend in the queue. From then on it may be completed at any moment. IRQL <= DISPATCH_LEVEL.
    ///
    /// # Errors
    /// Its handle is being closed: the IRP is given back, with the status that it is to end with.
    pub(crate) fn insert(&self, irp: Irp) -> Result<Dispatched, (Irp, NtStatus)> {
        // SAFETY: the queue is initialized, and the IRP is the driver's to queue; its `Irp` is given up, or given back if it
        // was refused and so is in no queue.
        let status = NtStatus(unsafe { IoCsqInsertIrpEx(self.csq.get(), irp.as_ptr(), null_mut(), null_mut()) });
        if status.is_error() { Err((irp, status)) } else { Ok(irp.pended()) }
    }

    /// Takes the first of the IRPs that are meant out of the queue; it is not cancelled any more. IRQL <= DISPATCH_LEVEL.
    pub(crate) fn remove(&self, which: Which) -> Option<Irp> {
        // SAFETY: the queue is initialized, and `peek_next` takes the context for what it is.
        let irp = unsafe { IoCsqRemoveNextIrp(self.csq.get(), from_ref(&which).cast_mut().cast()) };
        // SAFETY: what was in the queue was given up to it, and is the driver's again.
        NonNull::new(irp).map(|irp| unsafe { Irp::from_queue(irp) })
    }

    /// # Safety
    /// `csq` is the first member of a queue.
    unsafe fn of<'a>(csq: *mut IO_CSQ) -> &'a Self {
        // SAFETY: as the caller promises; the queue lives as long as the system calls its routines.
        unsafe { &*csq.cast::<Self>() }
    }
}

const _: () = assert!(offset_of!(IrpQueue, csq) == 0);

/// CsqInsertIrpEx: refuses what comes through a user's handle that is being closed, since nobody would end it.
///
/// # Safety
/// Only the I/O manager may call it, with the queue's lock held.
unsafe extern "C" fn insert(csq: *mut IO_CSQ, irp: PIRP, _context: PVOID) -> NTSTATUS {
    // SAFETY: the I/O manager calls with the queue.
    let queue = unsafe { IrpQueue::of(csq) };
    // SAFETY: the IRP is being inserted, and stays the driver's during this call.
    let borrowed = unsafe { Irp::borrow(irp) };
    if borrowed.is_of_closed_handle() {
        return NtStatus::CANCELLED.0;
    }
    // SAFETY: the IRP is not in another list.
    let entry = unsafe { Irp::list_entry(irp) };
    let head = queue.list.get();
    // SAFETY: the list is initialized, and the lock is held.
    let last = unsafe { (*head).Blink };
    // SAFETY: the entry is the driver's while the IRP is in its queue.
    unsafe { entry.write(LIST_ENTRY { Flink: head, Blink: last }) };
    // SAFETY: an entry of the list, or its head.
    unsafe { (*last).Flink = entry };
    // SAFETY: the list's head.
    unsafe { (*head).Blink = entry };
    NtStatus::SUCCESS.0
}

/// CsqRemoveIrp.
///
/// # Safety
/// Only the I/O manager may call it, with the queue's lock held.
unsafe extern "C" fn remove(_csq: *mut IO_CSQ, irp: PIRP) {
    // SAFETY: the IRP is in the queue's list.
    let entry = unsafe { Irp::list_entry(irp) };
    // SAFETY: as above, and the lock is held.
    let LIST_ENTRY { Flink: next, Blink: previous } = unsafe { entry.read() };
    // SAFETY: a neighbour in the list, or its head.
    unsafe { (*previous).Flink = next };
    // SAFETY: as above.
    unsafe { (*next).Blink = previous };
}

/// CsqPeekNextIrp: the first IRP after `irp`, or of all, that is meant.
///
/// # Safety
/// Only the I/O manager may call it, with the queue's lock held, and with a context that is null or a [`Which`].
unsafe extern "C" fn peek_next(csq: *mut IO_CSQ, irp: PIRP, context: PVOID) -> PIRP {
    // SAFETY: the I/O manager calls with the queue.
    let queue = unsafe { IrpQueue::of(csq) };
    // SAFETY: `IrpQueue::remove` has passed it.
    let which = unsafe { context.cast::<Which>().as_ref() }.copied().unwrap_or(Which::First);
    let head = queue.list.get();
    let mut entry = if irp.is_null() {
        head
    } else {
        // SAFETY: the IRP is in the queue's list.
        unsafe { Irp::list_entry(irp) }
    };
    loop {
        // SAFETY: an entry of the list or its head, and the lock is held.
        entry = unsafe { (*entry).Flink };
        if entry == head {
            return null_mut();
        }
        // SAFETY: every entry but the head is that of an IRP.
        let next = unsafe { Irp::of_list_entry(entry) };
        // SAFETY: it is in the queue, and stays there while the lock is held.
        let queued = unsafe { Irp::borrow(next) };
        if which.is_meant(&queued) {
            return next;
        }
    }
}

/// CsqAcquireLock.
///
/// # Safety
/// Only the I/O manager may call it.
unsafe extern "C" fn acquire_lock(csq: *mut IO_CSQ, irql: PKIRQL) {
    // SAFETY: the I/O manager calls with the queue.
    let queue = unsafe { IrpQueue::of(csq) };
    // SAFETY: the lock is initialized; IRQL <= DISPATCH_LEVEL, as all who use the queue are.
    let before = unsafe { KeAcquireSpinLockRaiseToDpc(queue.lock.get()) };
    // SAFETY: the I/O manager gives a place for it.
    unsafe { irql.write(before) };
}

/// CsqReleaseLock.
///
/// # Safety
/// Only the I/O manager may call it, after `acquire_lock`.
unsafe extern "C" fn release_lock(csq: *mut IO_CSQ, irql: KIRQL) {
    // SAFETY: the I/O manager calls with the queue.
    let queue = unsafe { IrpQueue::of(csq) };
    // SAFETY: `acquire_lock` has acquired it on this processor.
    unsafe { KeReleaseSpinLock(queue.lock.get(), irql) };
}

/// CsqCompleteCanceledIrp.
///
/// # Safety
/// Only the I/O manager may call it, with an IRP that it has taken out of the queue.
unsafe extern "C" fn complete_canceled(csq: *mut IO_CSQ, irp: PIRP) {
    // SAFETY: the I/O manager calls with the queue.
    let queue = unsafe { IrpQueue::of(csq) };
    // SAFETY: the I/O manager calls with an IRP.
    let irp: NonNull<IRP> = unsafe { NonNull::new_unchecked(irp) };
    // SAFETY: it was in the queue, and is the driver's again.
    (queue.complete_cancelled)(queue, unsafe { Irp::from_queue(irp) });
}
