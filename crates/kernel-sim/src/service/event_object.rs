//! Events that are objects of their own, with handles and perhaps with names.
//!
//! Source: <https://learn.microsoft.com/windows-hardware/drivers/kernel/event-objects>

use netio_anycast_protocol::status::NtStatus;

use super::dispatcher::{self, Kind};
use super::pool;
use crate::core::{Core, Object};
use crate::layout::ObjectAttributes;
use crate::memory::Placement;
use crate::objects::ObjectKind;
use crate::{driver_memory, processor};

/// The length of a `KEVENT`.
const EVENT: usize = 0x18;
/// `EVENT_TYPE.SynchronizationEvent`.
const SYNCHRONIZATION: i32 = 1;

/// `IoCreateNotificationEvent`: signalled when it is new. Null if there is no memory.
///
/// # Safety
/// Only the driver may call it, with a name and room for a handle.
pub(super) unsafe extern "win64" fn create_notification(name: usize, handle: usize) -> usize {
    // SAFETY: as the driver vouches.
    unsafe { create_named(name, handle, Kind::NotificationEvent) }
}

/// `IoCreateSynchronizationEvent`.
///
/// # Safety
/// As for [`create_notification`].
pub(super) unsafe extern "win64" fn create_synchronization(name: usize, handle: usize) -> usize {
    // SAFETY: as the driver vouches.
    unsafe { create_named(name, handle, Kind::SynchronizationEvent) }
}

/// # Safety
/// The driver vouches for the name and for room for a handle.
unsafe fn create_named(name: usize, handle: usize, kind: Kind) -> usize {
    let core = processor::core();
    if core.fault() {
        return 0;
    }
    // SAFETY: as the caller promises.
    let name = unsafe { driver_memory::string(name) };
    let event = core.event(Some(name), kind, true);
    let value = core.new_handle(Object::Plain(ObjectKind::Event, event));
    // SAFETY: as the caller promises.
    unsafe { driver_memory::write(handle, value) };
    event
}

/// `ZwCreateEvent`.
///
/// # Safety
/// Only the driver may call it, with room for a handle and, perhaps, with `OBJECT_ATTRIBUTES`.
pub(super) unsafe extern "win64" fn create(
    handle: usize,
    _access: u32,
    attributes: usize,
    kind: i32,
    state: u8,
) -> i32 {
    let core = processor::core();
    if core.fault() {
        return pool::NO_MEMORY.0;
    }
    // SAFETY: as the driver vouches.
    let attributes = (attributes != 0).then(|| unsafe { driver_memory::read::<ObjectAttributes>(attributes) });
    let name = attributes.map(|attributes| attributes.object_name).filter(|name| *name != 0);
    // SAFETY: as the driver vouches.
    let name = name.map(|name| unsafe { driver_memory::string(name) });
    let kind = if kind == SYNCHRONIZATION { Kind::SynchronizationEvent } else { Kind::NotificationEvent };
    let event = core.event(name, kind, state != 0);
    let value = core.new_handle(Object::Plain(ObjectKind::Event, event));
    // SAFETY: as the driver vouches.
    unsafe { driver_memory::write(handle, value) };
    NtStatus::SUCCESS.0
}

impl Core {
    /// The event with this name, or a new one; with a reference for a new handle.
    fn event(&self, name: Option<String>, kind: Kind, signalled: bool) -> usize {
        let mut state = self.state();
        let name = name.map(|name| name.to_lowercase());
        if let Some(event) = name.as_ref().and_then(|name| state.events.get(name)).copied() {
            state.objects.retain(event);
            return event;
        }
        let block = self.arena.allocate(EVENT, Placement::AtEnd, 0);
        let address = block.address();
        // SAFETY: the block is as long as that.
        unsafe { dispatcher::initialize(address, kind, EVENT, i32::from(signalled)) };
        state.objects.insert(address, ObjectKind::Event);
        state.other_objects.insert(address, block);
        state.events.extend(name.map(|name| (name, address)));
        address
    }
}
