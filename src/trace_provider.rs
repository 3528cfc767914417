//! The ETW provider, and the form of its events: TraceLogging, in which each event brings its own description along.
//!
//! This is what the crate `tracelogging` does with its features `etw` and `kernel_mode`. It can't be used: its
//! `Provider::register` panics if it finds itself registered already, which no optimizer can exclude, so that the image would
//! import KeBugCheckEx. Its decoder's constants and the provider's GUID are compared with this in `tests/simulated/tracing.rs`.
//!
//! Source: <https://learn.microsoft.com/windows/win32/tracelogging/trace-logging-about>, and the layout of the metadata in
//! `TraceLoggingProvider.h` of the Windows SDK.

use core::cell::UnsafeCell;
use core::ptr::{null, null_mut};
use core::sync::atomic::{AtomicU64, Ordering};

use wdk_sys::ntddk::{EtwRegister, EtwUnregister, EtwWriteTransfer};
use wdk_sys::{
    EVENT_DATA_DESCRIPTOR, EVENT_DESCRIPTOR, EVENT_FILTER_DESCRIPTOR, GUID, LPCGUID, PVOID, REGHANDLE, UCHAR, ULONG,
    ULONGLONG,
};

/// The provider's name: what `tracelog`, `wpr` and `PerfView` (as `*NetioAnycast`) know it by.
pub(crate) const NAME: &str = "NetioAnycast";

/// The GUID that ETW's tools make of [`NAME`].
static ID: GUID =
    GUID { Data1: 0x9BDB_97E3, Data2: 0xD9F4, Data3: 0x50B1, Data4: [0xCC, 0x7B, 0xB3, 0x5D, 0xAA, 0x25, 0xA5, 0xD1] };

/// `WINEVENT_LEVEL_*` of `winmeta.h`.
#[derive(Clone, Copy)]
#[repr(u8)]
pub(crate) enum Level {
    Error = 2,
    Warning = 3,
    Information = 4,
}

/// How a field's bytes are to be read: the `TlgIn` and `TlgOut` constants of `TraceLoggingProvider.h`.
#[derive(Clone, Copy)]
pub(crate) enum Field {
    /// A 32-bit number.
    Number32,
    /// A 64-bit number.
    Number64,
    /// A 64-bit number that people read in hexadecimal.
    Hex64,
    /// A 32-bit boolean.
    Boolean,
    /// A process id.
    Process,
    /// An NTSTATUS.
    Status,
    /// A `SOCKADDR`, after its length in two bytes.
    SocketAddress,
    /// A string of one-byte characters that ends with a zero.
    Text,
}

impl Field {
    /// The format of the bytes, and that of the text.
    const fn formats(self) -> (u8, u8) {
        const DEFAULT: u8 = 0;
        match self {
            Self::Number32 => (8, DEFAULT),
            Self::Number64 => (10, DEFAULT),
            Self::Hex64 => (21, DEFAULT),
            Self::Boolean => (13, DEFAULT),
            Self::Process => (8, 5),
            Self::Status => (20, 14),
            Self::SocketAddress => (14, 10),
            Self::Text => (2, 35),
        }
    }
}

/// A kind of event: its level, its keyword and its description.
pub(crate) struct Kind {
    pub(crate) level: Level,
    pub(crate) keyword: u64,
    pub(crate) description: &'static [u8],
}

/// The length of an event's description: its own length, no tags, its name, and for each field the name and two formats.
pub(crate) const fn description_length(name: &str, fields: &[(&str, Field)]) -> usize {
    let mut length = 2 + 1 + name.len() + 1;
    let mut position = 0;
    while position < fields.len() {
        let (name, field) = fields[position];
        length += name.len() + 1 + format_length(field);
        position += 1;
    }
    length
}

/// The format of the text is left out where it is the default.
const fn format_length(field: Field) -> usize {
    if field.formats().1 == 0 { 1 } else { 2 }
}

/// An event's description. `N` is its [length](description_length).
pub(crate) const fn description<const N: usize>(name: &str, fields: &[(&str, Field)]) -> [u8; N] {
    /// Another byte, the format of the text, follows.
    const FOLLOWED: u8 = 0x80;
    let mut bytes = [0; N];
    #[expect(clippy::cast_possible_truncation, reason = "asserted")]
    {
        assert!(N <= u16::MAX as usize);
        bytes[0] = N as u8;
        bytes[1] = (N >> 8) as u8;
    }
    // Two for the length, one for the tags that there are not.
    let mut end = put(&mut bytes, 3, name);
    let mut position = 0;
    while position < fields.len() {
        let (name, field) = fields[position];
        end = put(&mut bytes, end, name);
        let (bytes_format, text_format) = field.formats();
        if text_format == 0 {
            bytes[end] = bytes_format;
        } else {
            bytes[end] = bytes_format | FOLLOWED;
            bytes[end + 1] = text_format;
        }
        end += format_length(field);
        position += 1;
    }
    assert!(end == N);
    bytes
}

/// Puts a name and its zero behind what there is; where that ends.
const fn put(bytes: &mut [u8], start: usize, name: &str) -> usize {
    let name = name.as_bytes();
    let mut position = 0;
    while position < name.len() {
        assert!(name[position] != 0);
        bytes[start + position] = name[position];
        position += 1;
    }
    start + name.len() + 1
}

/// The provider's description: its length and its name.
static PROVIDER_DESCRIPTION: [u8; 2 + NAME.len() + 1] = {
    let mut bytes = [0; 2 + NAME.len() + 1];
    #[expect(clippy::cast_possible_truncation, reason = "it is a few bytes")]
    {
        bytes[0] = bytes.len() as u8;
    }
    put(&mut bytes, 2, NAME);
    bytes
};

/// What ETW has told, in one word: the keywords that somebody listens for, as far as there are such. Zero: nobody listens.
static ENABLED: AtomicU64 = AtomicU64::new(0);

/// What ETW knows the provider by.
struct Registration {
    handle: UnsafeCell<REGHANDLE>,
}

// SAFETY: the handle is written by DriverEntry and DriverUnload, before and after everything else.
unsafe impl Sync for Registration {}

static REGISTRATION: Registration = Registration { handle: UnsafeCell::new(0) };

/// Makes the provider known. A driver without it works as well, so a failure is none of the driver's. IRQL: PASSIVE_LEVEL.
pub(crate) fn register() {
    // SAFETY: PASSIVE_LEVEL, once before `unregister`; everything pointed to is static.
    let _ = unsafe { EtwRegister(&raw const ID, Some(enabled), null_mut(), REGISTRATION.handle.get()) };
}

/// Ends what [`register`] began. Nobody writes any more. IRQL: PASSIVE_LEVEL.
pub(crate) fn unregister() {
    // SAFETY: nobody else uses it any more.
    let handle = unsafe { REGISTRATION.handle.get().replace(0) };
    if handle != 0 {
        // SAFETY: PASSIVE_LEVEL; it was registered, and is unregistered once.
        let _ = unsafe { EtwUnregister(handle) };
    }
    ENABLED.store(0, Ordering::Relaxed);
}

/// Whether somebody listens, whatever for.
#[inline]
pub(crate) fn is_enabled() -> bool {
    ENABLED.load(Ordering::Relaxed) != 0
}

/// Writes an event. ETW passes over what nobody listens for. IRQL: PASSIVE_LEVEL.
pub(crate) fn write(kind: &Kind, fields: &[u8]) {
    /// `EVENT_DATA_DESCRIPTOR_TYPE_*` of `evntprov.h`.
    const EVENT_METADATA: u32 = 1;
    const PROVIDER_METADATA: u32 = 2;
    /// `WINEVENT_CHANNEL_TRACELOGGING`.
    const TRACE_LOGGING: u8 = 11;
    if ENABLED.load(Ordering::Relaxed) & kind.keyword == 0 {
        return;
    }
    let descriptor = EVENT_DESCRIPTOR {
        Channel: TRACE_LOGGING,
        Level: kind.level as u8,
        Keyword: kind.keyword,
        ..EVENT_DESCRIPTOR::default()
    };
    let mut data =
        [data(&PROVIDER_DESCRIPTION, PROVIDER_METADATA), data(kind.description, EVENT_METADATA), data(fields, 0)];
    // SAFETY: the provider is registered before requests come, and unregistered after the last.
    let handle = unsafe { REGISTRATION.handle.get().read() };
    // SAFETY: everything pointed to lives through the call and is resident. A failure means that a session has no room.
    let _ = unsafe { EtwWriteTransfer(handle, &raw const descriptor, null(), null(), 3, data.as_mut_ptr()) };
}

#[expect(clippy::cast_possible_truncation, reason = "it is a few hundred bytes")]
fn data(bytes: &[u8], kind: u32) -> EVENT_DATA_DESCRIPTOR {
    EVENT_DATA_DESCRIPTOR { Ptr: bytes.as_ptr().addr() as u64, Size: bytes.len() as u32, Reserved: kind }
}

/// ETW's callback: somebody begins or ends to listen.
///
/// # Safety
/// Only ETW may call it.
unsafe extern "C" fn enabled(
    _source: LPCGUID,
    control_code: ULONG,
    _level: UCHAR,
    any_keyword: ULONGLONG,
    _all_keywords: ULONGLONG,
    _filter: *mut EVENT_FILTER_DESCRIPTOR,
    _context: PVOID,
) {
    /// `EVENT_CONTROL_CODE_*` of `evntcons.h`.
    const DISABLE_PROVIDER: u32 = 0;
    const ENABLE_PROVIDER: u32 = 1;
    match control_code {
        DISABLE_PROVIDER => ENABLED.store(0, Ordering::Relaxed),
        // No keyword means all.
        ENABLE_PROVIDER if any_keyword == 0 => ENABLED.store(u64::MAX, Ordering::Relaxed),
        ENABLE_PROVIDER => ENABLED.store(any_keyword, Ordering::Relaxed),
        _ => {}
    }
}
