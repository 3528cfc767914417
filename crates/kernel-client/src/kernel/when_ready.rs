//! The driver's device as soon as there is one, for drivers that are loaded first.

use alloc::boxed::Box;
use core::cell::UnsafeCell;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use netio_anycast_protocol::notice::Notice;
use netio_anycast_protocol::status::NtStatus;
use wdk_sys::{DEVICE_OBJECT, PVOID};

use super::device::Device;
use super::fallible_box::try_box;
use super::in_flight::InFlight;
use super::owner::Owner;
use super::registration::Registration;
use super::work_item::WorkItem;

/// There is a device, but its driver is just being loaded or unloaded.
const NO_SUCH_DEVICE: NtStatus = NtStatus::from_bits(0xC000_000E);

/// Calls a routine with the driver's device: at once if it is there, and whenever the driver has been loaded since.
///
/// The routine is called on a system thread at PASSIVE_LEVEL, one call at a time. It gets the device, or why that can't be opened
/// although the driver is there (STATUS_INSUFFICIENT_RESOURCES above all). It may be called again while it still has a device from
/// before, and drops the second one then.
///
/// Dropping this, at PASSIVE_LEVEL, waits until the routine has returned, then drops it with all that it holds. While the routine
/// holds a device, the netio-anycast driver stays loaded.
#[derive(Debug)]
pub struct WhenReady<F> {
    /// `None` once nobody is to begin another call.
    registration: Option<Registration>,
    calls: NonNull<Calls<F>>,
}

// SAFETY: what is shared with the system thread goes from thread to thread with the calls, which never overlap.
unsafe impl<F: Send> Send for WhenReady<F> {}
// SAFETY: nothing is done with a shared one.
unsafe impl<F: Send> Sync for WhenReady<F> {}

/// The calls of the routine.
struct Calls<F> {
    item: WorkItem,
    /// How many were asked for and are not over. The work item is queued when there were none.
    asked: AtomicU32,
    /// No more are to be made.
    is_over: AtomicBool,
    /// The runs of the work item.
    runs: InFlight,
    routine: UnsafeCell<F>,
}

impl<F: FnMut(Result<Device, NtStatus>) + Send + 'static> WhenReady<F> {
    /// Begins. `owner` is the driver that uses this. IRQL: PASSIVE_LEVEL.
    ///
    /// # Errors
    /// STATUS_INSUFFICIENT_RESOURCES, or what the executive says of a callback object of that name that is none of the driver's.
    pub fn start(owner: Owner, routine: F) -> Result<Self, NtStatus> {
        let item = WorkItem::allocate(owner).ok_or(NtStatus::INSUFFICIENT_RESOURCES)?;
        let calls = Calls {
            item,
            asked: AtomicU32::new(0),
            is_over: AtomicBool::new(false),
            runs: InFlight::default(),
            routine: UnsafeCell::new(routine),
        };
        let calls = NonNull::from(Box::leak(try_box(calls)?));
        // SAFETY: it is where it stays, and nobody uses it yet.
        unsafe { calls.as_ref().runs.initialize() };
        let mut this = Self { registration: None, calls };
        // SAFETY: the calls live until the registration is gone.
        this.registration = Some(unsafe { Registration::new(told::<F>, calls.as_ptr().cast()) }?);
        // The driver may have told before: it does not tell again.
        // SAFETY: the calls live as long as `this`.
        unsafe { ask(calls) };
        Ok(this)
    }
}

/// The callback routine.
///
/// # Safety
/// Only the executive may call it, with the calls that it was registered with.
unsafe extern "C" fn told<F: FnMut(Result<Device, NtStatus>) + Send + 'static>(calls: PVOID, notice: PVOID, _: PVOID) {
    if Notice::from_argument(notice.addr()) == Some(Notice::Ready) {
        // SAFETY: `start` has registered it with the calls, which live until it is unregistered.
        let calls = unsafe { NonNull::new_unchecked(calls.cast::<Calls<F>>()) };
        // SAFETY: as above.
        unsafe { ask(calls) };
    }
}

/// Asks for a call. IRQL <= DISPATCH_LEVEL.
///
/// # Safety
/// The calls live until nobody asks any more and what was asked for is over.
unsafe fn ask<F: FnMut(Result<Device, NtStatus>) + Send + 'static>(place: NonNull<Calls<F>>) {
    // SAFETY: as the caller promises.
    let calls = unsafe { place.as_ref() };
    if calls.asked.fetch_add(1, Ordering::AcqRel) == 0 && calls.runs.begin() {
        // SAFETY: the item's last run has nothing left to do but to end, and `runs` keeps the calls.
        unsafe { calls.item.queue(run::<F>, place.as_ptr().cast()) };
    }
}

/// The work item's routine: one call for all that were asked for before it, until none is left.
///
/// # Safety
/// Only the I/O manager may call it, with the calls.
unsafe extern "C" fn run<F: FnMut(Result<Device, NtStatus>) + Send + 'static>(_: *mut DEVICE_OBJECT, calls: PVOID) {
    // SAFETY: `ask` has queued it with the calls, which `runs` keeps.
    let calls = unsafe { &*calls.cast::<Calls<F>>() };
    loop {
        let asked = calls.asked.load(Ordering::Acquire);
        if !calls.is_over.load(Ordering::Acquire) {
            match Device::open() {
                // It tells when it is there.
                Err(NtStatus::OBJECT_NAME_NOT_FOUND | NO_SUCH_DEVICE) => {}
                // SAFETY: calls never overlap: the next one comes after this loop has ended, or by it.
                device => unsafe { (*calls.routine.get())(device) },
            }
        }
        if calls.asked.fetch_sub(asked, Ordering::AcqRel) == asked {
            break;
        }
    }
    // SAFETY: `ask` has begun it, and nothing of the calls is used any more.
    unsafe { calls.runs.end() };
}

impl<F> Drop for WhenReady<F> {
    fn drop(&mut self) {
        self.registration = None;
        // SAFETY: the calls live until the end of this.
        let calls = unsafe { self.calls.as_ref() };
        calls.is_over.store(true, Ordering::Release);
        calls.runs.wait();
        // SAFETY: it came out of a box in `start`; nobody asks any more, and nothing runs.
        drop(unsafe { Box::from_raw(self.calls.as_ptr()) });
    }
}
