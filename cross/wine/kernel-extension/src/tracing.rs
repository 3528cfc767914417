//! Event tracing. A file stands for the session that listens: [`SESSION`]. If it is there when a provider registers, the provider is
//! enabled, at every level and for every keyword, and what it writes is appended to the file; if not, nobody listens.
//!
//! The file is a sequence of records, little-endian, as `tests/wine/events.rs` reads them: the record's length, the provider's GUID,
//! the `EVENT_DESCRIPTOR`, the number of data, and for each its length, its type (`EVENT_DATA_DESCRIPTOR.Type`) and its bytes.
//!
//! Source: <https://learn.microsoft.com/windows-hardware/drivers/devtest/adding-event-tracing-to-kernel-mode-drivers>

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::ffi::c_void;
use core::ptr::{null, null_mut};
use core::slice;

use windows_sys::Wdk::Foundation::OBJECT_ATTRIBUTES;
use windows_sys::Win32::Foundation::{
    HANDLE, NTSTATUS, STATUS_INVALID_HANDLE, STATUS_INVALID_PARAMETER, STATUS_SUCCESS, UNICODE_STRING,
};
use windows_sys::Win32::System::IO::IO_STATUS_BLOCK;
use windows_sys::core::GUID;

use crate::lock::Lock;

/// The file that stands for the session.
const SESSION: &str = r"\??\C:\windows\temp\kernel-events.bin";
static SESSION_UTF16: [u16; SESSION.len()] = utf16(SESSION);

const fn utf16<const N: usize>(text: &str) -> [u16; N] {
    let bytes = text.as_bytes();
    let mut units = [0; N];
    let mut position = 0;
    while position < N {
        units[position] = bytes[position] as u16;
        position += 1;
    }
    units
}

#[link(name = "ntdll", kind = "raw-dylib")]
unsafe extern "system" {
    fn NtClose(handle: HANDLE) -> NTSTATUS;
    fn NtCreateFile(
        file: *mut HANDLE,
        access: u32,
        attributes: *const OBJECT_ATTRIBUTES,
        status: *mut IO_STATUS_BLOCK,
        size: *const i64,
        file_attributes: u32,
        sharing: u32,
        disposition: u32,
        options: u32,
        extended: *const c_void,
        extended_length: u32,
    ) -> NTSTATUS;
    fn NtWriteFile(
        file: HANDLE,
        event: HANDLE,
        routine: *const c_void,
        context: *const c_void,
        status: *mut IO_STATUS_BLOCK,
        buffer: *const u8,
        length: u32,
        offset: *const i64,
        key: *const u32,
    ) -> NTSTATUS;
}

/// `PETWENABLECALLBACK`: the source, EVENT_CONTROL_CODE, the level, any and all keywords, the filter, the context.
type EnableCallback = unsafe extern "system" fn(*const GUID, u32, u8, u64, u64, *const c_void, *mut c_void);

const ENABLE_PROVIDER: u32 = 1;
const EVERY_LEVEL: u8 = 0xFF;
const EVERY_KEYWORD: u64 = u64::MAX;

/// `EVENT_DESCRIPTOR`, of which only its bytes matter here.
type Descriptor = [u8; 16];

/// `EVENT_DATA_DESCRIPTOR`.
#[repr(C)]
struct Datum {
    address: u64,
    length: u32,
    kind: u32,
}

/// A provider that has registered.
struct Provider {
    id: GUID,
    /// The session's file, if one listens.
    session: Option<File>,
}

/// An open file, closed when it is dropped.
struct File(HANDLE);

// SAFETY: a handle is a number that any thread of the process may use.
unsafe impl Send for File {}

struct Providers {
    registered: BTreeMap<u64, Provider>,
    registered_so_far: u64,
}

static PROVIDERS: Lock<Providers> = Lock::new(Providers { registered: BTreeMap::new(), registered_so_far: 0 });

/// EtwRegister. If a session listens, `callback` is told so before this returns.
///
/// # Safety
/// `id` is valid, `callback` may be called with `context`, and `registration` may be written.
#[unsafe(no_mangle)]
unsafe extern "system" fn extension_EtwRegister(
    id: *const GUID,
    callback: Option<EnableCallback>,
    context: *mut c_void,
    registration: *mut u64,
) -> NTSTATUS {
    // SAFETY: as the caller promises.
    let provider = Provider { id: unsafe { id.read() }, session: File::open_session() };
    let is_enabled = provider.session.is_some();
    let handle = PROVIDERS.with(|providers| {
        providers.registered_so_far += 1;
        providers.registered.insert(providers.registered_so_far, provider);
        providers.registered_so_far
    });
    // SAFETY: as the caller promises.
    unsafe { registration.write(handle) };
    if let (true, Some(callback)) = (is_enabled, callback) {
        // SAFETY: as the caller promises. No source and no filter are known.
        unsafe { callback(&NOBODY, ENABLE_PROVIDER, EVERY_LEVEL, EVERY_KEYWORD, 0, null(), context) };
    }
    STATUS_SUCCESS
}

/// EtwUnregister.
#[unsafe(no_mangle)]
extern "system" fn extension_EtwUnregister(registration: u64) -> NTSTATUS {
    let removed = PROVIDERS.with(|providers| providers.registered.remove(&registration));
    if removed.is_some() { STATUS_SUCCESS } else { STATUS_INVALID_HANDLE }
}

/// EtwSetInformation. What a provider tells of itself comes with each of its events as well.
#[unsafe(no_mangle)]
extern "system" fn extension_EtwSetInformation(
    registration: u64,
    _class: i32,
    _information: *const c_void,
    _length: u32,
) -> NTSTATUS {
    if with_provider(registration, |_| ()).is_some() { STATUS_SUCCESS } else { STATUS_INVALID_HANDLE }
}

/// EtwProviderEnabled.
#[unsafe(no_mangle)]
extern "system" fn extension_EtwProviderEnabled(registration: u64, _level: u8, _keyword: u64) -> u8 {
    with_provider(registration, |provider| provider.session.is_some()).unwrap_or(false).into()
}

/// EtwEventEnabled.
#[unsafe(no_mangle)]
extern "system" fn extension_EtwEventEnabled(registration: u64, _event: *const Descriptor) -> u8 {
    extension_EtwProviderEnabled(registration, 0, 0)
}

/// EtwWrite.
///
/// # Safety
/// As for [`extension_EtwWriteTransfer`].
#[unsafe(no_mangle)]
unsafe extern "system" fn extension_EtwWrite(
    registration: u64,
    event: *const Descriptor,
    activity: *const GUID,
    count: u32,
    data: *const Datum,
) -> NTSTATUS {
    // SAFETY: as the caller promises.
    unsafe { extension_EtwWriteTransfer(registration, event, activity, null(), count, data) }
}

/// EtwWriteTransfer. Activities are not recorded.
///
/// # Safety
/// `event` is valid, and so are `count` data.
#[unsafe(no_mangle)]
unsafe extern "system" fn extension_EtwWriteTransfer(
    registration: u64,
    event: *const Descriptor,
    _activity: *const GUID,
    _related_activity: *const GUID,
    count: u32,
    data: *const Datum,
) -> NTSTATUS {
    let write = |provider: &Provider| {
        let Some(session) = &provider.session else { return STATUS_SUCCESS };
        // SAFETY: as the caller promises.
        match unsafe { record(&provider.id, event, count, data) } {
            Some(record) => session.append(&record),
            None => STATUS_INVALID_PARAMETER,
        }
    };
    with_provider(registration, write).unwrap_or(STATUS_INVALID_HANDLE)
}

/// The source of the session that the file stands for.
const NOBODY: GUID = GUID { data1: 0, data2: 0, data3: 0, data4: [0; 8] };

fn with_provider<R>(registration: u64, work: impl FnOnce(&Provider) -> R) -> Option<R> {
    PROVIDERS.with(|providers| providers.registered.get(&registration).map(work))
}

/// An event as it stands in the file; `None` if it is too long.
///
/// # Safety
/// As for [`extension_EtwWriteTransfer`].
unsafe fn record(id: &GUID, event: *const Descriptor, count: u32, data: *const Datum) -> Option<Vec<u8>> {
    let data = if data.is_null() {
        &[]
    } else {
        // SAFETY: as the caller promises.
        unsafe { slice::from_raw_parts(data, count as usize) }
    };
    let mut record = alloc::vec![0; 4];
    record.extend_from_slice(&id.data1.to_le_bytes());
    record.extend_from_slice(&id.data2.to_le_bytes());
    record.extend_from_slice(&id.data3.to_le_bytes());
    record.extend_from_slice(&id.data4);
    // SAFETY: as the caller promises; it may be anywhere.
    record.extend_from_slice(&unsafe { event.read_unaligned() });
    record.extend_from_slice(&u32::try_from(data.len()).ok()?.to_le_bytes());
    for datum in data {
        record.extend_from_slice(&datum.length.to_le_bytes());
        // The other bytes are reserved.
        record.extend_from_slice(&(datum.kind & 0xFF).to_le_bytes());
        if datum.length != 0 {
            let address = core::ptr::with_exposed_provenance::<u8>(usize::try_from(datum.address).ok()?);
            // SAFETY: as the caller promises.
            record.extend_from_slice(unsafe { slice::from_raw_parts(address, datum.length as usize) });
        }
    }
    let length = u32::try_from(record.len()).ok()?.to_le_bytes();
    record[..4].copy_from_slice(&length);
    Some(record)
}

impl File {
    /// The session's file, if it is there.
    fn open_session() -> Option<Self> {
        const APPEND_AND_SYNCHRONIZE: u32 = 0x0010_0004;
        const SHARE_ALL: u32 = 7;
        const OPEN: u32 = 1;
        const SYNCHRONOUS: u32 = 0x20;
        let length = u16::try_from(size_of_val(&SESSION_UTF16)).ok()?;
        let name = UNICODE_STRING { Length: length, MaximumLength: length, Buffer: SESSION_UTF16.as_ptr().cast_mut() };
        #[expect(clippy::cast_possible_truncation, reason = "the structure has 48 bytes")]
        let attributes_length = size_of::<OBJECT_ATTRIBUTES>() as u32;
        let attributes = OBJECT_ATTRIBUTES {
            Length: attributes_length,
            ObjectName: &raw const name,
            ..OBJECT_ATTRIBUTES::default()
        };
        let (mut handle, mut status) = (null_mut(), IO_STATUS_BLOCK::default());
        // SAFETY: everything pointed to lives through the call.
        let opened = unsafe {
            NtCreateFile(
                &raw mut handle,
                APPEND_AND_SYNCHRONIZE,
                &raw const attributes,
                &raw mut status,
                null(),
                0,
                SHARE_ALL,
                OPEN,
                SYNCHRONOUS,
                null(),
                0,
            )
        };
        (opened == STATUS_SUCCESS).then_some(Self(handle))
    }

    fn append(&self, record: &[u8]) -> NTSTATUS {
        let Ok(length) = u32::try_from(record.len()) else { return STATUS_INVALID_PARAMETER };
        let mut status = IO_STATUS_BLOCK::default();
        // SAFETY: the handle is open until `self` is dropped, and everything pointed to lives through the call, which is
        // synchronous.
        unsafe {
            NtWriteFile(self.0, null_mut(), null(), null(), &raw mut status, record.as_ptr(), length, null(), null())
        }
    }
}

impl Drop for File {
    fn drop(&mut self) {
        // SAFETY: the handle is open, and nobody uses it any more.
        unsafe { NtClose(self.0) };
    }
}
