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

/// Who wants to have the driver's device as soon as it is there.
pub trait Ready: Send + 'static {
    /// The device is there; or it is, and can't be opened (STATUS_INSUFFICIENT_RESOURCES above all).
    ///
    /// Called on a system thread at PASSIVE_LEVEL, one call at a time. It may be called while there still is a device from before, and
    /// then does best to drop the new one.
    fn ready(&mut self, device: Result<Device, NtStatus>);
}

/// Tells a [`Ready`] when the driver's device is there: at once if it is, and whenever the driver has been loaded since.
///
/// Dropping this, at PASSIVE_LEVEL, waits until no call is under way, then drops the [`Ready`] with all that it holds. While it holds
/// a device, the netio-anycast driver stays loaded.
#[derive(Debug)]
pub struct WhenReady<R> {
    /// `None` once nobody is to begin another call.
    registration: Option<Registration>,
    calls: NonNull<Calls<R>>,
}

// SAFETY: what is shared with the system thread goes from thread to thread with the calls, which never overlap.
unsafe impl<R: Send> Send for WhenReady<R> {}
// SAFETY: nothing is done with a shared one.
unsafe impl<R: Send> Sync for WhenReady<R> {}

/// The calls of a [`Ready`].
struct Calls<R> {
    item: WorkItem,
    /// How many were asked for and are not over. The work item is queued when there were none.
    asked: AtomicU32,
    /// No more are to be made.
    is_over: AtomicBool,
    /// The runs of the work item.
    runs: InFlight,
    ready: UnsafeCell<R>,
}

impl<R: Ready> WhenReady<R> {
    /// Begins. `owner` is the driver that uses this. IRQL: PASSIVE_LEVEL.
    ///
    /// # Errors
    /// STATUS_INSUFFICIENT_RESOURCES, or what the executive says of a callback object of that name that is none of the driver's.
    pub fn start(owner: Owner, ready: R) -> Result<Self, NtStatus> {
        let item = WorkItem::allocate(owner).ok_or(NtStatus::INSUFFICIENT_RESOURCES)?;
        let calls = Calls {
            item,
            asked: AtomicU32::new(0),
            is_over: AtomicBool::new(false),
            runs: InFlight::default(),
            ready: UnsafeCell::new(ready),
        };
        let calls = NonNull::from(Box::leak(try_box(calls)?));
        // SAFETY: they came out of a box, whose they are.
        let runs = unsafe { &calls.as_ref().runs };
        // SAFETY: it is where it stays, and nobody uses it yet.
        unsafe { runs.initialize() };
        let mut this = Self { registration: None, calls };
        // SAFETY: the calls live until the registration is gone.
        this.registration = Some(unsafe { Registration::new(told::<R>, calls.as_ptr().cast()) }?);
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
unsafe extern "C" fn told<R: Ready>(calls: PVOID, notice: PVOID, _: PVOID) {
    if Notice::from_argument(notice.addr()) == Some(Notice::Ready) {
        // SAFETY: `start` has registered it with the calls, which live until it is unregistered.
        let calls = unsafe { NonNull::new_unchecked(calls.cast::<Calls<R>>()) };
        // SAFETY: as above.
        unsafe { ask(calls) };
    }
}

/// Asks for a call. IRQL <= DISPATCH_LEVEL.
///
/// # Safety
/// The calls live until nobody asks any more and what was asked for is over.
unsafe fn ask<R: Ready>(place: NonNull<Calls<R>>) {
    // SAFETY: as the caller promises.
    let calls = unsafe { place.as_ref() };
    if calls.asked.fetch_add(1, Ordering::AcqRel) == 0 && calls.runs.begin() {
        // SAFETY: the item's last run has nothing left to do but to end, and `runs` keeps the calls.
        unsafe { calls.item.queue(run::<R>, place.as_ptr().cast()) };
    }
}

/// The work item's routine: one call for all that were asked for before it, until none is left.
///
/// # Safety
/// Only the I/O manager may call it, with the calls.
unsafe extern "C" fn run<R: Ready>(_: *mut DEVICE_OBJECT, calls: PVOID) {
    // SAFETY: `ask` has queued it with the calls, which `runs` keeps.
    let calls = unsafe { &*calls.cast::<Calls<R>>() };
    loop {
        let asked = calls.asked.load(Ordering::Acquire);
        if !calls.is_over.load(Ordering::Acquire) {
            match Device::open() {
                // It tells when it is there.
                Err(NtStatus::OBJECT_NAME_NOT_FOUND | NO_SUCH_DEVICE) => {}
                // SAFETY: calls never overlap: the next one comes after this loop has ended, or by it.
                device => unsafe { &mut *calls.ready.get() }.ready(device),
            }
        }
        if calls.asked.fetch_sub(asked, Ordering::AcqRel) == asked {
            break;
        }
    }
    // SAFETY: `ask` has begun it, and nothing of the calls is used any more.
    unsafe { calls.runs.end() };
}

impl<R> Drop for WhenReady<R> {
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
