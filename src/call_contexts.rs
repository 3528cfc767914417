//! The contexts of the direct-call interface: who has references to which, and whose leases go with the last.

use core::ptr::{NonNull, from_ref, null_mut};
use core::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, Ordering};

use netio_anycast_engine::HandleId;
use netio_anycast_protocol::status::NtStatus;
use wdk_sys::ntddk::{ObfDereferenceObject, ObfReferenceObject};
use wdk_sys::{DEVICE_OBJECT, FILE_OBJECT, PVOID};

use crate::device::{self, Extension};
use crate::netio::PassiveLevel;
use crate::work_item::WorkItem;

/// The contexts that there may be at a time. A client needs one.
const MOST: usize = 256;

/// A place for a context.
struct Place {
    /// The context's number within the place, which moves with every context there, and its references: [`State`].
    state: AtomicU64,
    handle: AtomicU32,
    extension: AtomicPtr<Extension>,
    /// What keeps the driver loaded.
    file: AtomicPtr<FILE_OBJECT>,
    /// What ends the context, made with it so that ending never fails.
    end: AtomicPtr<core::ffi::c_void>,
}

static PLACES: [Place; MOST] = [const { Place::new() }; MOST];

/// What is known of a place in one word.
#[derive(Clone, Copy, PartialEq, Eq)]
struct State {
    sequence: u32,
    /// [`FREE`](Self::FREE), [`TAKEN`](Self::TAKEN), or how many references there are.
    references: u32,
}

impl State {
    /// Nobody has the place.
    const FREE: u32 = 0;
    /// A context is made there, or ended.
    const TAKEN: u32 = u32::MAX;

    const fn from_word(word: u64) -> Self {
        #[expect(clippy::cast_possible_truncation, reason = "the halves of the word")]
        Self { sequence: (word >> 32) as u32, references: word as u32 }
    }

    const fn word(self) -> u64 {
        (self.sequence as u64) << 32 | self.references as u64
    }

    const fn is_live(self) -> bool {
        self.references != Self::FREE && self.references != Self::TAKEN
    }
}

/// A context that somebody has a reference to.
#[derive(Clone, Copy)]
pub(crate) struct Context {
    handle: HandleId,
    extension: NonNull<Extension>,
}

impl Context {
    /// Whose leases are made.
    pub(crate) const fn handle(self) -> HandleId {
        self.handle
    }

    /// What the device carries, which the caller's reference keeps.
    pub(crate) fn extension(&self) -> &Extension {
        // SAFETY: a context keeps a file object of the device open, and with it the device.
        unsafe { self.extension.as_ref() }
    }
}

impl Place {
    const fn new() -> Self {
        Self {
            state: AtomicU64::new(0),
            handle: AtomicU32::new(0),
            extension: AtomicPtr::new(null_mut()),
            file: AtomicPtr::new(null_mut()),
            end: AtomicPtr::new(null_mut()),
        }
    }

    fn state(&self) -> State {
        State::from_word(self.state.load(Ordering::Acquire))
    }

    /// Changes the state if `change` wants it changed; the one before then.
    fn change(&self, change: impl Fn(State) -> Option<State>) -> Option<State> {
        let change = |word| change(State::from_word(word)).map(State::word);
        self.state.fetch_update(Ordering::AcqRel, Ordering::Acquire, change).ok().map(State::from_word)
    }
}

/// Makes a context with one reference; its number. `file` is what it was asked for through, `process_id` by whom. IRQL:
/// PASSIVE_LEVEL.
///
/// # Errors
/// [`NtStatus::INSUFFICIENT_RESOURCES`]: there is no memory, or there are as many contexts as may be.
pub(crate) fn open(extension: &Extension, file: NonNull<FILE_OBJECT>, process_id: u32) -> Result<usize, NtStatus> {
    let end = WorkItem::allocate(extension.device).ok_or(NtStatus::INSUFFICIENT_RESOURCES)?;
    let handle = extension.engine.open(process_id)?;
    let take = |state: State| {
        let next = State { sequence: state.sequence.wrapping_add(1), references: State::TAKEN };
        (state.references == State::FREE).then_some(next)
    };
    let taken = PLACES.iter().enumerate().find_map(|(number, place)| Some((number, place, place.change(take)?)));
    let Some((number, place, State { sequence, .. })) = taken else {
        if let Some(level) = PassiveLevel::now() {
            extension.engine.close(level, handle);
        }
        return Err(NtStatus::INSUFFICIENT_RESOURCES);
    };
    // SAFETY: the file object is that of a request that is under way, which keeps it.
    let _ = unsafe { ObfReferenceObject(file.as_ptr().cast()) };
    place.handle.store(handle.number(), Ordering::Relaxed);
    place.extension.store(from_ref(extension).cast_mut(), Ordering::Relaxed);
    place.file.store(file.as_ptr(), Ordering::Relaxed);
    place.end.store(end.into_raw(), Ordering::Relaxed);
    let sequence = sequence.wrapping_add(1);
    place.state.store(State { sequence, references: 1 }.word(), Ordering::Release);
    Ok(number_of(number, sequence))
}

/// The number that a caller knows a context by: never zero, and never that of another.
const fn number_of(place: usize, sequence: u32) -> usize {
    (place.saturating_add(1)) << 32 | sequence as usize
}

/// The place and the sequence of a number.
fn place_of(context: usize) -> Option<(&'static Place, u32)> {
    let place = PLACES.get((context >> 32).checked_sub(1)?)?;
    #[expect(clippy::cast_possible_truncation, reason = "the lower half")]
    Some((place, context as u32))
}

/// The context of this number, if there is one. Any IRQL.
pub(crate) fn find(context: usize) -> Option<Context> {
    let (place, sequence) = place_of(context)?;
    let state = place.state();
    if !state.is_live() || state.sequence != sequence {
        return None;
    }
    let handle = HandleId::from_number(place.handle.load(Ordering::Relaxed));
    let extension = NonNull::new(place.extension.load(Ordering::Relaxed))?;
    Some(Context { handle, extension })
}

/// One reference more. Does nothing for a context that there is not. IRQL <= DISPATCH_LEVEL.
pub(crate) fn reference(context: usize) {
    let Some((place, sequence)) = place_of(context) else { return };
    let more = |state: State| {
        let references = state.references.checked_add(1).filter(|references| *references != State::TAKEN)?;
        (state.is_live() && state.sequence == sequence).then_some(State { references, ..state })
    };
    let _ = place.change(more);
}

/// One reference less; the last ends the context. Does nothing for a context that there is not. IRQL <= DISPATCH_LEVEL.
pub(crate) fn dereference(context: usize) {
    let Some((place, sequence)) = place_of(context) else { return };
    let less = |state: State| {
        let references = if state.references == 1 { State::TAKEN } else { state.references.checked_sub(1)? };
        (state.is_live() && state.sequence == sequence).then_some(State { references, ..state })
    };
    if place.change(less).is_none_or(|before| before.references != 1) {
        return;
    }
    // At PASSIVE_LEVEL the leases are gone when the caller goes on. What is left to do may let the driver go, and is not for a
    // thread that returns into it.
    if let (Some(level), Some(extension)) = (PassiveLevel::now(), NonNull::new(place.extension.load(Ordering::Relaxed)))
    {
        // SAFETY: the context, which is this thread's alone now, keeps the device.
        let engine = &unsafe { extension.as_ref() }.engine;
        engine.cleanup(level, HandleId::from_number(place.handle.load(Ordering::Relaxed)));
    }
    // SAFETY: `open` has put it there; `finish` takes it back for good.
    let end = unsafe { WorkItem::from_raw(place.end.load(Ordering::Relaxed)) };
    // SAFETY: the item is queued once, and the context keeps what the routine needs.
    unsafe { end.queue(finish, from_ref(place).cast_mut().cast()) };
    let _ = end.into_raw();
}

/// The work item's routine: closes what the context was, frees its place, and lets the file object go.
///
/// # Safety
/// Only the I/O manager may call it, with the control device and the place.
unsafe extern "C" fn finish(device: *mut DEVICE_OBJECT, place: PVOID) {
    // SAFETY: `dereference` has queued it with the place, which is static.
    let place = unsafe { &*place.cast::<Place>() };
    // SAFETY: the I/O manager calls with the device that the work item is for, and the file object keeps what it carries.
    let extension = unsafe { device::extension(device) };
    if let Some(level) = PassiveLevel::now() {
        extension.engine.close(level, HandleId::from_number(place.handle.load(Ordering::Relaxed)));
    }
    let file = place.file.load(Ordering::Relaxed);
    // SAFETY: `open` has put it there, and nobody else takes it back. A routine may free the item that it runs for.
    drop(unsafe { WorkItem::from_raw(place.end.load(Ordering::Relaxed)) });
    let free = State { references: State::FREE, ..place.state() };
    place.state.store(free.word(), Ordering::Release);
    // The last: the driver may be unloaded by it. The I/O manager keeps the device, and so the image, until this returns.
    // SAFETY: `open` has referenced it, and the reference is given back once.
    let _ = unsafe { ObfDereferenceObject(file.cast()) };
}
