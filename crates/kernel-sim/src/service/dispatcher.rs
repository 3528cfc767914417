//! Dispatcher objects: what threads can wait for. They all begin with a header that says of which kind they are.
//!
//! Source: <https://learn.microsoft.com/windows-hardware/drivers/kernel/introduction-to-kernel-dispatcher-objects>

use crate::core::Core;
use crate::driver_memory;
use crate::locks::{Held, Kind as Lock};
use crate::synchronization::Synchronization;
use crate::violation::Rule;

/// `DISPATCHER_HEADER`: its type, its length in units of four bytes, its state, and the list of who waits.
const SIZE: usize = 2;
pub(super) const SIGNAL_STATE: usize = 4;
const WAIT_LIST: usize = 8;
pub(super) const HEADER: usize = 0x18;

/// What kinds there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    NotificationEvent,
    SynchronizationEvent,
    Mutex,
    Semaphore,
    Thread,
    NotificationTimer,
    SynchronizationTimer,
}

impl Kind {
    const ALL: [(u8, Self); 7] = [
        (0, Self::NotificationEvent),
        (1, Self::SynchronizationEvent),
        (2, Self::Mutex),
        (5, Self::Semaphore),
        (6, Self::Thread),
        (8, Self::NotificationTimer),
        (9, Self::SynchronizationTimer),
    ];

    fn of(number: u8) -> Option<Self> {
        Self::ALL.iter().find(|(other, _)| *other == number).map(|(_, kind)| *kind)
    }

    fn number(self) -> u8 {
        Self::ALL.iter().find(|(_, other)| *other == self).map_or(u8::MAX, |(number, _)| *number)
    }

    pub(super) const fn is_timer(self) -> bool {
        matches!(self, Self::NotificationTimer | Self::SynchronizationTimer)
    }
}

/// Makes an object of `length` bytes.
///
/// # Safety
/// The driver vouches for the object.
pub(super) unsafe fn initialize(object: usize, kind: Kind, length: usize, state: i32) {
    // SAFETY: as the caller promises.
    unsafe { driver_memory::write_bytes(object, &[0; HEADER]) };
    // SAFETY: as the caller promises.
    unsafe { driver_memory::write(object, kind.number()) };
    // SAFETY: as the caller promises.
    unsafe { driver_memory::write(object + SIZE, u8::try_from(length / 4).unwrap_or(u8::MAX)) };
    // SAFETY: as the caller promises.
    unsafe { driver_memory::write(object + SIGNAL_STATE, state) };
    // An empty list: both its pointers lead to itself.
    // SAFETY: as the caller promises.
    unsafe { driver_memory::write(object + WAIT_LIST, [object + WAIT_LIST; 2]) };
}

/// Signals an object for good, as the end of a thread does.
///
/// # Safety
/// The object is there.
pub(super) unsafe fn signal(object: usize) {
    // SAFETY: as the caller promises.
    unsafe { driver_memory::write(object + SIGNAL_STATE, 1_i32) };
}

/// What an object is; `None`, and a violation, if it was never initialized.
///
/// # Safety
/// The driver vouches for the object.
pub(super) unsafe fn kind(core: &Core, object: usize) -> Option<Kind> {
    // SAFETY: as the caller promises.
    let number: u8 = unsafe { driver_memory::read(object) };
    // SAFETY: as the caller promises.
    let list: usize = unsafe { driver_memory::read(object + WAIT_LIST) };
    let kind = Kind::of(number).filter(|_| list != 0);
    if kind.is_none() {
        core.report(Rule::NotInitialized, format!("the object {object:#x} is none that can be waited for"));
    }
    kind
}

/// Whether a wait for the object ends now.
///
/// # Safety
/// The driver vouches for the object, and has been seen to be right.
pub(super) unsafe fn is_signalled(it: &mut Synchronization, object: usize, kind: Kind) -> bool {
    match kind {
        Kind::Mutex => it.locks.own(object).is_some() || it.locks.is_free(object, Held::Exclusive),
        timer if timer.is_timer() => it.timers.get(&object).is_some_and(|timer| timer.is_signalled),
        // SAFETY: as the caller promises.
        _ => unsafe { driver_memory::read::<i32>(object + SIGNAL_STATE) > 0 },
    }
}

/// Does to a signalled object what the end of a wait for it does.
///
/// # Safety
/// As for [`is_signalled`].
pub(super) unsafe fn satisfy(it: &mut Synchronization, object: usize, kind: Kind) {
    match kind {
        Kind::Mutex => match it.locks.own(object) {
            Some(hold) => hold.count += 1,
            None => it.locks.take(object, Lock::Mutex, Held::Exclusive, None),
        },
        Kind::SynchronizationTimer => {
            if let Some(timer) = it.timers.get_mut(&object) {
                timer.is_signalled = false;
            }
        }
        // SAFETY: as the caller promises.
        Kind::SynchronizationEvent => unsafe { driver_memory::write(object + SIGNAL_STATE, 0_i32) },
        Kind::Semaphore => {
            // SAFETY: as the caller promises.
            let count: i32 = unsafe { driver_memory::read(object + SIGNAL_STATE) };
            // SAFETY: as the caller promises.
            unsafe { driver_memory::write(object + SIGNAL_STATE, count - 1) };
        }
        Kind::NotificationEvent | Kind::NotificationTimer | Kind::Thread => {}
    }
}
