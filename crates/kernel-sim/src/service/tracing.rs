//! Event tracing: drivers register as providers, and write events.
//!
//! Source: <https://learn.microsoft.com/windows-hardware/drivers/devtest/adding-event-tracing-to-kernel-mode-drivers>

use std::collections::BTreeMap;
use std::sync::Arc;

use netio_anycast_protocol::status::NtStatus;
use zerocopy::{FromBytes, Immutable, IntoBytes};

use super::pool;
use crate::core::Core;
use crate::synchronization::Synchronization;
use crate::tracing::{EventDescriptor, EventItem, Guid, Provider, TraceEvent};
use crate::violation::Rule;
use crate::{crash, driver_memory, processor, status};

/// `MAX_EVENT_DATA_DESCRIPTORS`.
const MOST_ITEMS: u32 = 128;
/// `EVENT_INFO_CLASS.MaxEventInfo`.
const INFORMATION_CLASSES: u32 = 4;
/// The level of events that `EtwWriteString` writes when no more is said.
const STRING_KIND: u8 = 0;

/// `EVENT_DATA_DESCRIPTOR`.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
struct DataDescriptor {
    address: u64,
    size: u32,
    /// `EVENT_DATA_DESCRIPTOR_TYPE_*` in the lowest byte.
    kind: u32,
}

/// What an event is written with.
struct Written {
    handle: u64,
    descriptor: usize,
    activity: usize,
    related: usize,
    count: u32,
    data: usize,
}

/// `EtwRegister`.
///
/// # Safety
/// Only the driver may call it, with a GUID and room for a handle.
pub(super) unsafe extern "win64" fn register(provider: usize, callback: usize, context: usize, handle: usize) -> i32 {
    // SAFETY: as the driver vouches.
    let id = Guid(unsafe { driver_memory::read(provider) });
    // SAFETY: as the driver vouches.
    let before: u64 = unsafe { driver_memory::read(handle) };
    let result = processor::core().register_provider(id, callback, context, before);
    // SAFETY: there is nothing here to be dropped.
    unsafe { crash::propagate() };
    match result {
        Ok(value) => {
            // SAFETY: as the driver vouches.
            unsafe { driver_memory::write(handle, value) };
            NtStatus::SUCCESS.0
        }
        Err(status) => status.0,
    }
}

/// `EtwUnregister`: returns when the enable callback does not run any more, since the driver may be gone after it.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-etwunregister>
///
/// # Safety
/// Only the driver may call it.
pub(super) unsafe extern "win64" fn unregister(handle: u64) -> i32 {
    let core = processor::core();
    if core.tracing().providers.remove(&handle).is_none() {
        return core.report_no_provider(handle).0;
    }
    let idle = |it: &mut Synchronization| (!it.enable_callbacks.contains_key(&handle)).then_some(());
    core.judge_wait(&core.wait_until(None, idle), "the enable callback does not end");
    NtStatus::SUCCESS.0
}

/// `EtwSetInformation`: what is known of the provider besides, such as its traits.
///
/// # Safety
/// Only the driver may call it, with so many bytes of information.
pub(super) unsafe extern "win64" fn set_information(handle: u64, class: u32, information: usize, length: u32) -> i32 {
    let core = processor::core();
    if core.fault() {
        return pool::NO_MEMORY.0;
    }
    if class >= INFORMATION_CLASSES {
        return NtStatus::INVALID_PARAMETER.0;
    }
    // SAFETY: as the driver vouches.
    let bytes = unsafe { driver_memory::bytes(information, length as usize) };
    let mut tracing = core.tracing();
    let Some(provider) = tracing.providers.get_mut(&handle) else {
        drop(tracing);
        return core.report_no_provider(handle).0;
    };
    provider.information.insert(class, bytes);
    NtStatus::SUCCESS.0
}

/// `EtwProviderEnabled`.
///
/// # Safety
/// Only the driver may call it.
pub(super) unsafe extern "win64" fn provider_enabled(handle: u64, level: u8, keyword: u64) -> u8 {
    u8::from(processor::core().tracing().wants(handle, level, keyword))
}

/// `EtwEventEnabled`.
///
/// # Safety
/// Only the driver may call it, with an `EVENT_DESCRIPTOR`.
pub(super) unsafe extern "win64" fn event_enabled(handle: u64, descriptor: usize) -> u8 {
    // SAFETY: as the driver vouches.
    let descriptor: EventDescriptor = unsafe { driver_memory::read(descriptor) };
    u8::from(processor::core().tracing().wants(handle, descriptor.level, descriptor.keyword))
}

/// `EtwWrite`.
///
/// # Safety
/// Only the driver may call it, with an `EVENT_DESCRIPTOR`, perhaps a GUID, and that many `EVENT_DATA_DESCRIPTOR`s.
pub(super) unsafe extern "win64" fn write(
    handle: u64,
    descriptor: usize,
    activity: usize,
    count: u32,
    data: usize,
) -> i32 {
    // SAFETY: as the driver vouches.
    unsafe { write_event(&Written { handle, descriptor, activity, related: 0, count, data }) }.0
}

/// `EtwWriteTransfer`.
///
/// # Safety
/// As for [`write()`], with perhaps a second GUID.
pub(super) unsafe extern "win64" fn write_transfer(
    handle: u64,
    descriptor: usize,
    activity: usize,
    related: usize,
    count: u32,
    data: usize,
) -> i32 {
    // SAFETY: as the driver vouches.
    unsafe { write_event(&Written { handle, descriptor, activity, related, count, data }) }.0
}

/// `EtwWriteEx`.
///
/// # Safety
/// As for [`write_transfer`].
pub(super) unsafe extern "win64" fn write_filtered(
    handle: u64,
    descriptor: usize,
    _filter: u64,
    _flags: u32,
    activity: usize,
    related: usize,
    count: u32,
    data: usize,
) -> i32 {
    // SAFETY: as the driver vouches.
    unsafe { write_event(&Written { handle, descriptor, activity, related, count, data }) }.0
}

/// `EtwWriteString`: an event that is nothing but text.
///
/// # Safety
/// Only the driver may call it, with characters that end with a zero.
pub(super) unsafe extern "win64" fn write_string(
    handle: u64,
    level: u8,
    keyword: u64,
    activity: usize,
    text: usize,
) -> i32 {
    // SAFETY: as the driver vouches.
    let length = unsafe { super::string::terminated_length(text) } + size_of::<u16>();
    // SAFETY: as the driver vouches.
    let bytes = unsafe { driver_memory::bytes(text, length) };
    // SAFETY: as the driver vouches.
    let activity = unsafe { guid(activity) };
    let descriptor = EventDescriptor { level, keyword, ..EventDescriptor::default() };
    let items = vec![EventItem { kind: STRING_KIND, bytes }];
    processor::core().write_event(handle, descriptor, [activity, None], items).0
}

/// # Safety
/// The driver vouches for the event.
unsafe fn write_event(event: &Written) -> NtStatus {
    let core = processor::core();
    if event.count > MOST_ITEMS {
        return NtStatus::INVALID_PARAMETER;
    }
    // SAFETY: as the caller promises.
    let descriptor: EventDescriptor = unsafe { driver_memory::read(event.descriptor) };
    // Whether anybody listens or not: another time somebody will.
    // SAFETY: as the caller promises.
    let Some(items) = (unsafe { items(&core, event.count, event.data) }) else { return NtStatus::INVALID_PARAMETER };
    // SAFETY: as the caller promises.
    let activity = unsafe { guid(event.activity) };
    // SAFETY: as the caller promises.
    let related = unsafe { guid(event.related) };
    core.write_event(event.handle, descriptor, [activity, related], items)
}

/// The data of an event; `None`, and a violation, if some of it is not there.
///
/// # Safety
/// The driver vouches for the descriptors.
unsafe fn items(core: &Core, count: u32, data: usize) -> Option<Vec<EventItem>> {
    let mut items = Vec::new();
    for index in 0..count as usize {
        let address = data + index * size_of::<DataDescriptor>();
        // SAFETY: as the caller promises.
        let DataDescriptor { address, size, kind } = unsafe { driver_memory::read(address) };
        let (address, size) = (usize::try_from(address).ok()?, size as usize);
        if !driver_memory::is_there(address, size) {
            core.report(Rule::EventData, format!("item {index} of the event is {size} bytes at {address:#x}"));
            return None;
        }
        // SAFETY: the memory is there.
        let bytes = unsafe { driver_memory::bytes(address, size) };
        items.push(EventItem { kind: kind.to_le_bytes()[0], bytes });
    }
    Some(items)
}

/// # Safety
/// The driver vouches for the GUID, if there is one.
unsafe fn guid(address: usize) -> Option<Guid> {
    // SAFETY: as the caller promises.
    (address != 0).then(|| Guid(unsafe { driver_memory::read(address) }))
}

impl Core {
    fn register_provider(
        self: &Arc<Self>,
        id: Guid,
        callback: usize,
        context: usize,
        before: u64,
    ) -> Result<u64, NtStatus> {
        if self.fault() {
            return Err(pool::NO_MEMORY);
        }
        let maker = self.maker();
        let mut tracing = self.tracing();
        if tracing.providers.contains_key(&before) {
            drop(tracing);
            let detail = "the handle of a provider that is registered would be lost";
            self.report(Rule::ProviderInvalid, detail);
            return Err(NtStatus::INVALID_PARAMETER);
        }
        let handle = tracing.next_handle();
        tracing.providers.insert(handle, Provider { id, callback, context, maker, information: BTreeMap::new() });
        drop(tracing);
        // Whoever listened before it was there is told now.
        self.tell_provider(handle);
        Ok(handle)
    }

    fn report_no_provider(&self, handle: u64) -> NtStatus {
        self.report(Rule::ProviderInvalid, format!("{handle:#x} is no handle of a provider that is registered"));
        status::INVALID_HANDLE
    }

    fn write_event(
        &self,
        handle: u64,
        descriptor: EventDescriptor,
        [activity, related]: [Option<Guid>; 2],
        items: Vec<EventItem>,
    ) -> NtStatus {
        if self.fault() {
            return NtStatus::NO_MEMORY;
        }
        let tracing = self.tracing();
        let Some(provider) = tracing.providers.get(&handle).map(|provider| provider.id) else {
            drop(tracing);
            // Zero is what a driver has whose registration has failed: it may write all the same.
            return if handle == 0 { status::INVALID_HANDLE } else { self.report_no_provider(handle) };
        };
        tracing.publish(&TraceEvent { provider, descriptor, activity, related, items });
        NtStatus::SUCCESS
    }
}
