//! Who listens to the events of drivers.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};

use zerocopy::{FromBytes, Immutable, IntoBytes};

use crate::core::{Core, lock};
use crate::leftovers::Leftover;
use crate::memory::Placement;
use crate::owner::{DriverNumber, Maker};
use crate::processor::Irql;
use crate::violation::Rule;

/// `EVENT_CONTROL_CODE_DISABLE_PROVIDER`, `EVENT_CONTROL_CODE_ENABLE_PROVIDER`.
const DISABLE: usize = 0;
const ENABLE: usize = 1;

/// A `GUID`, as it lies in memory.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Guid(pub [u8; 16]);

impl Guid {
    /// The GUID with these digits, as they are written.
    #[must_use]
    pub const fn from_u128(digits: u128) -> Self {
        let mut bytes = digits.to_be_bytes();
        // The first three groups are numbers, whose lowest byte comes first.
        let (long, rest) = bytes.split_at_mut(4);
        let (short, rest) = rest.split_at_mut(2);
        let (other_short, _) = rest.split_at_mut(2);
        long.reverse();
        short.reverse();
        other_short.reverse();
        Self(bytes)
    }
}

impl fmt::Display for Guid {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = self.0;
        for number in [0..4, 4..6, 6..8] {
            bytes[number].reverse();
        }
        let digits = bytes.map(|byte| format!("{byte:02x}")).concat();
        let groups = [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]];
        formatter.write_str(&groups.join("-"))
    }
}

impl fmt::Debug for Guid {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// `EVENT_DESCRIPTOR`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub struct EventDescriptor {
    /// Zero for the events of `TraceLogging`.
    pub id: u16,
    /// The version of the event.
    pub version: u8,
    /// 11 for the events of `TraceLogging`.
    pub channel: u8,
    /// 1 is critical, 5 verbose.
    pub level: u8,
    /// What part of an activity it is.
    pub opcode: u8,
    /// A number of the provider's own.
    pub task: u16,
    /// The provider's own categories.
    pub keyword: u64,
}

const _: () = assert!(size_of::<EventDescriptor>() == 16);

/// A piece of an event's data: what one `EVENT_DATA_DESCRIPTOR` leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventItem {
    /// `EVENT_DATA_DESCRIPTOR_TYPE_*`: 0 for data, 1 for the metadata of the event, 2 for that of the provider.
    pub kind: u8,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// An event that a driver has written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceEvent {
    /// The provider.
    pub provider: Guid,
    /// What kind of event it is.
    pub descriptor: EventDescriptor,
    /// The activity that it belongs to.
    pub activity: Option<Guid>,
    /// The activity that this one has come from.
    pub related: Option<Guid>,
    /// Its data, piece by piece.
    pub items: Vec<EventItem>,
}

impl TraceEvent {
    /// All its data but metadata, as it stands in a trace.
    #[must_use]
    pub fn data(&self) -> Vec<u8> {
        self.items.iter().filter(|item| item.kind == 0).flat_map(|item| item.bytes.iter().copied()).collect()
    }
}

/// A provider that a driver has registered, by its handle.
#[derive(Debug)]
pub(crate) struct Provider {
    pub(crate) id: Guid,
    pub(crate) callback: usize,
    pub(crate) context: usize,
    pub(crate) maker: Maker,
    /// What EtwSetInformation has said of it, by its class.
    pub(crate) information: BTreeMap<u32, Vec<u8>>,
}

/// Providers, and who listens to them.
#[derive(Debug, Default)]
pub(crate) struct Tracing {
    pub(crate) providers: BTreeMap<u64, Provider>,
    last_handle: u64,
    sessions: Vec<Arc<Session>>,
}

/// Somebody who listens.
#[derive(Debug)]
struct Session {
    provider: Guid,
    level: u8,
    keywords: u64,
    events: Mutex<Vec<TraceEvent>>,
}

impl Session {
    /// Whether it wants events of this level and keyword. An event without keywords belongs to all.
    fn wants(&self, level: u8, keyword: u64) -> bool {
        (self.level == 0 || level <= self.level) && (keyword == 0 || keyword & self.keywords != 0)
    }
}

impl Tracing {
    /// A handle that no provider has had.
    pub(crate) fn next_handle(&mut self) -> u64 {
        self.last_handle += 0x10;
        0xFFFF_B000_0000_0000 + self.last_handle
    }

    /// Whether anybody wants such events of a provider.
    pub(crate) fn wants(&self, handle: u64, level: u8, keyword: u64) -> bool {
        let provider = self.providers.get(&handle).map(|provider| provider.id);
        let mut listening = self.sessions.iter().filter(|session| Some(session.provider) == provider);
        listening.any(|session| session.wants(level, keyword))
    }

    /// Gives an event to everybody who wants it.
    pub(crate) fn publish(&self, event: &TraceEvent) {
        let EventDescriptor { level, keyword, .. } = event.descriptor;
        for session in self.sessions.iter().filter(|it| it.provider == event.provider && it.wants(level, keyword)) {
            lock(&session.events).push(event.clone());
        }
    }

    /// What a driver has registered and not unregistered.
    pub(crate) fn leftovers(&self, driver: DriverNumber) -> Vec<Leftover> {
        let own = self.providers.values().filter(|provider| provider.maker.driver == driver);
        own.map(|it| (Rule::ProviderLeft, format!("the provider {}, registered from here", it.id), it.maker.clone()))
            .collect()
    }

    /// The highest level and all keywords that somebody wants of a provider; `None` if nobody listens.
    fn enabled(&self, provider: Guid) -> Option<(u8, u64)> {
        let listening = self.sessions.iter().filter(|session| session.provider == provider);
        let rank = |level: u8| if level == 0 { u8::MAX } else { level };
        let both = listening.map(|session| (rank(session.level), session.keywords));
        both.reduce(|one, other| (one.0.max(other.0), one.1 | other.1))
    }
}

/// Listens to a provider as long as it lives.
#[derive(Debug)]
pub struct Trace {
    core: Arc<Core>,
    session: Arc<Session>,
}

impl Trace {
    /// What the provider has written since the last call of this, or from the beginning.
    #[must_use]
    pub fn take(&self) -> Vec<TraceEvent> {
        std::mem::take(&mut lock(&self.session.events))
    }

    /// What drivers have said of the provider with EtwSetInformation, by its class; class 2 are its traits.
    #[must_use]
    pub fn information(&self) -> BTreeMap<u32, Vec<u8>> {
        let tracing = self.core.tracing();
        let known = tracing.providers.values().filter(|provider| provider.id == self.session.provider);
        known.flat_map(|provider| provider.information.clone()).collect()
    }
}

impl Drop for Trace {
    fn drop(&mut self) {
        self.core.tracing().sessions.retain(|session| !Arc::ptr_eq(session, &self.session));
        self.core.tell_providers(self.session.provider);
    }
}

impl Core {
    pub(crate) fn tracing(&self) -> MutexGuard<'_, Tracing> {
        lock(&self.tracing)
    }

    /// Listens to a provider, and tells it so.
    pub(crate) fn trace(self: &Arc<Self>, provider: Guid, level: u8, keywords: u64) -> Trace {
        let session = Arc::new(Session { provider, level, keywords, events: Mutex::default() });
        self.tracing().sessions.push(Arc::clone(&session));
        self.tell_providers(provider);
        Trace { core: Arc::clone(self), session }
    }

    /// Tells everybody who has registered a provider what is wanted of it.
    fn tell_providers(self: &Arc<Self>, provider: Guid) {
        let tracing = self.tracing();
        let handles: Vec<u64> = tracing.providers.iter().filter(|it| it.1.id == provider).map(|it| *it.0).collect();
        drop(tracing);
        for handle in handles {
            self.call_enable_callback(handle);
        }
    }

    /// Tells a provider that was just registered what is wanted of it, if anything is.
    pub(crate) fn tell_provider(self: &Arc<Self>, handle: u64) {
        let tracing = self.tracing();
        let is_wanted = tracing.providers.get(&handle).is_some_and(|it| tracing.enabled(it.id).is_some());
        drop(tracing);
        if is_wanted {
            self.call_enable_callback(handle);
        }
    }

    /// Calls a provider's enable callback, if it has one. EtwUnregister waits for it.
    fn call_enable_callback(self: &Arc<Self>, handle: u64) {
        // Before it is looked for: who unregisters it either sees that it runs or has taken it away.
        self.change(|it| *it.enable_callbacks.entry(handle).or_default() += 1);
        self.tell_what_is_wanted(handle);
        self.change(|it| {
            let left = it.enable_callbacks.remove(&handle).unwrap_or_default() - 1;
            if left > 0 {
                it.enable_callbacks.insert(handle, left);
            }
        });
    }

    /// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nc-wdm-etwenablecallback>
    fn tell_what_is_wanted(self: &Arc<Self>, handle: u64) {
        let tracing = self.tracing();
        let Some(provider) = tracing.providers.get(&handle) else { return };
        let (callback, context, id) = (provider.callback, provider.context, provider.id);
        let enabled = tracing.enabled(id);
        drop(tracing);
        let Some(driver) = self.driver_at(callback).filter(|_| !self.is_stopped()) else { return };
        let source = self.arena.allocate(size_of::<Guid>(), Placement::AtEnd, 0);
        source.write_bytes(0, &id.0);
        let code = if enabled.is_some() { ENABLE } else { DISABLE };
        let (level, keywords) = enabled.unwrap_or_default();
        let keywords = usize::try_from(keywords).unwrap_or(usize::MAX);
        let arguments = [source.address(), code, usize::from(level), keywords, 0, 0, context];
        if let Ok((_, after)) = self.call_driver(&driver, callback, &arguments, Irql::PASSIVE_LEVEL, None) {
            self.judge_irql(&driver, callback, (Irql::PASSIVE_LEVEL, after), None);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guid_lies_in_memory_as_windows_lays_it_out_and_reads_as_it_is_written() {
        let guid = Guid::from_u128(0x0011_2233_4455_6677_8899_aabb_ccdd_eeff);
        assert_eq!(guid.0[..8], [0x33, 0x22, 0x11, 0x00, 0x55, 0x44, 0x77, 0x66]);
        assert_eq!(guid.to_string(), "00112233-4455-6677-8899-aabbccddeeff");
    }

    #[test]
    fn an_event_is_wanted_by_its_level_and_its_keywords() {
        let session = Session { provider: Guid([0; 16]), level: 4, keywords: 0b110, events: Mutex::default() };
        assert!(session.wants(4, 0b010) && session.wants(1, 0) && !session.wants(5, 0b010) && !session.wants(4, 0b001));
    }
}
