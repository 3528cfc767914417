//! The interface that the driver uses, from the service's Parameters key.

use core::mem::{MaybeUninit, offset_of};
use core::ptr::{from_ref, null_mut};

use netio_anycast_kernel_client::protocol::status::NtStatus;
use wdk_sys::_KEY_VALUE_INFORMATION_CLASS::KeyValuePartialInformation;
use wdk_sys::ntddk::{RtlInitUnicodeString, ZwClose, ZwOpenKey, ZwQueryValueKey};
use wdk_sys::{
    HANDLE, KEY_QUERY_VALUE, KEY_VALUE_PARTIAL_INFORMATION, OBJ_CASE_INSENSITIVE, OBJ_KERNEL_HANDLE, OBJECT_ATTRIBUTES,
    REG_DWORD, ULONG, UNICODE_STRING,
};

/// "Parameters" and "InterfaceIndex", as UTF-16 with a terminator.
static PARAMETERS: [u16; 11] = utf16("Parameters");
static INTERFACE_INDEX: [u16; 15] = utf16("InterfaceIndex");

/// The index of the interface, the REG_DWORD `InterfaceIndex`. IRQL: PASSIVE_LEVEL.
///
/// # Errors
/// STATUS_OBJECT_NAME_NOT_FOUND: there is none; or what the registry says otherwise.
pub(crate) fn interface_index(service: &UNICODE_STRING) -> Result<u32, NtStatus> {
    let service = Key::open(null_mut(), service)?;
    Key::open(service.handle, &string(&PARAMETERS))?.number(&string(&INTERFACE_INDEX))
}

/// An open key, closed when it is dropped.
struct Key {
    handle: HANDLE,
}

impl Key {
    /// Opens the key `name` below `parent`, or by its whole path.
    fn open(parent: HANDLE, name: &UNICODE_STRING) -> Result<Self, NtStatus> {
        #[expect(clippy::cast_possible_truncation, reason = "it is a few bytes")]
        let length = size_of::<OBJECT_ATTRIBUTES>() as ULONG;
        let mut attributes = OBJECT_ATTRIBUTES {
            Length: length,
            RootDirectory: parent,
            ObjectName: from_ref(name).cast_mut(),
            Attributes: OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE,
            ..OBJECT_ATTRIBUTES::default()
        };
        let mut handle = null_mut();
        // SAFETY: PASSIVE_LEVEL; everything pointed to lives through the call, which only reads the name.
        let status = unsafe { ZwOpenKey(&raw mut handle, KEY_QUERY_VALUE, &raw mut attributes) };
        match NtStatus(status) {
            NtStatus::SUCCESS => Ok(Self { handle }),
            failure => Err(failure),
        }
    }

    /// The REG_DWORD of this name.
    fn number(&self, name: &UNICODE_STRING) -> Result<u32, NtStatus> {
        let mut value = MaybeUninit::<NumberValue>::zeroed();
        #[expect(clippy::cast_possible_truncation, reason = "it is a few bytes")]
        let room = size_of::<NumberValue>() as ULONG;
        let mut length = 0;
        // SAFETY: PASSIVE_LEVEL; everything pointed to lives through the call, which only reads the name and writes `room` bytes at most.
        let status = unsafe {
            ZwQueryValueKey(
                self.handle,
                from_ref(name).cast_mut(),
                KeyValuePartialInformation,
                value.as_mut_ptr().cast(),
                room,
                &raw mut length,
            )
        };
        // SAFETY: any bytes make a value, and what was not written is zero.
        let value = unsafe { value.assume_init() };
        match NtStatus(status) {
            NtStatus::SUCCESS if value.kind == REG_DWORD && value.length == 4 => Ok(value.data),
            NtStatus::SUCCESS | NtStatus::BUFFER_OVERFLOW => Err(NtStatus::INVALID_PARAMETER),
            failure => Err(failure),
        }
    }
}

impl Drop for Key {
    fn drop(&mut self) {
        // SAFETY: PASSIVE_LEVEL; the handle was opened, and is closed once.
        let _ = unsafe { ZwClose(self.handle) };
    }
}

/// `KEY_VALUE_PARTIAL_INFORMATION` with room for a number.
#[repr(C)]
struct NumberValue {
    title_index: u32,
    kind: u32,
    length: u32,
    data: u32,
}

const _: () = {
    assert!(offset_of!(NumberValue, kind) == offset_of!(KEY_VALUE_PARTIAL_INFORMATION, Type));
    assert!(offset_of!(NumberValue, length) == offset_of!(KEY_VALUE_PARTIAL_INFORMATION, DataLength));
    assert!(offset_of!(NumberValue, data) == offset_of!(KEY_VALUE_PARTIAL_INFORMATION, Data));
};

/// The UTF-16 form of ASCII text, with a terminator.
const fn utf16<const N: usize>(text: &str) -> [u16; N] {
    let bytes = text.as_bytes();
    assert!(text.is_ascii() && bytes.len() + 1 == N);
    let mut units = [0; N];
    let mut position = 0;
    while position < bytes.len() {
        units[position] = bytes[position] as u16;
        position += 1;
    }
    units
}

fn string<const N: usize>(units: &'static [u16; N]) -> UNICODE_STRING {
    let mut string = UNICODE_STRING::default();
    // SAFETY: the text has a terminator, and lives for ever.
    unsafe { RtlInitUnicodeString(&raw mut string, units.as_ptr()) };
    string
}
