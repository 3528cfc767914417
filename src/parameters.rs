//! The limits that an administrator has set, from the service's Parameters key.

use core::mem::{MaybeUninit, offset_of};
use core::ptr::{NonNull, null_mut};

use netio_anycast_engine::Limits;
use netio_anycast_protocol::status::NtStatus;
use wdk_sys::_KEY_VALUE_INFORMATION_CLASS::KeyValuePartialInformation;
use wdk_sys::ntddk::{ZwClose, ZwOpenKey, ZwQueryValueKey};
use wdk_sys::{
    HANDLE, KEY_QUERY_VALUE, KEY_VALUE_PARTIAL_INFORMATION, OBJ_CASE_INSENSITIVE, OBJ_KERNEL_HANDLE, OBJECT_ATTRIBUTES,
    REG_DWORD, ULONG, UNICODE_STRING,
};

use crate::pool_block::PoolBlock;
use crate::unicode_string::{unicode_string, utf16};

/// The key below the service's own.
static PARAMETERS: [u16; 11] = utf16("\\Parameters");

/// The limits, those that nobody has set by their defaults. IRQL: PASSIVE_LEVEL.
///
/// # Errors
/// [`NtStatus::INSUFFICIENT_RESOURCES`], or what the registry says of a key that is there and can't be read: a limit that somebody
/// has set is not passed over.
pub(crate) fn read(service: &UNICODE_STRING) -> Result<Limits, NtStatus> {
    static MAX_APPLY_ITEMS: [u16; 13] = utf16("MaxApplyItems");
    static MAX_LEASES_PER_HANDLE: [u16; 18] = utf16("MaxLeasesPerHandle");
    static MAX_LEASES: [u16; 9] = utf16("MaxLeases");
    static MAX_PENDING_WAITS: [u16; 15] = utf16("MaxPendingWaits");
    let Some(key) = Key::open_parameters(service)? else { return Ok(Limits::DEFAULT) };
    let default = Limits::DEFAULT;
    Ok(Limits {
        max_apply_items: key.number(&MAX_APPLY_ITEMS)?.unwrap_or(default.max_apply_items),
        max_leases_per_handle: key.number(&MAX_LEASES_PER_HANDLE)?.unwrap_or(default.max_leases_per_handle),
        max_leases: key.number(&MAX_LEASES)?.unwrap_or(default.max_leases),
        max_pending_waits: key.number(&MAX_PENDING_WAITS)?.unwrap_or(default.max_pending_waits),
    })
}

/// An open key, closed when it is dropped.
struct Key {
    handle: HANDLE,
}

impl Key {
    /// The service's Parameters key, or `None` if it has none.
    fn open_parameters(service: &UNICODE_STRING) -> Result<Option<Self>, NtStatus> {
        let path = join(service)?;
        let bytes = size_of_val(path.as_ref());
        let bytes = u16::try_from(bytes).map_err(|_| NtStatus::OBJECT_NAME_INVALID)?;
        let mut name =
            UNICODE_STRING { Length: bytes, MaximumLength: bytes, Buffer: path.as_ref().as_ptr().cast_mut() };
        #[expect(clippy::cast_possible_truncation, reason = "it is a few bytes")]
        let length = size_of::<OBJECT_ATTRIBUTES>() as ULONG;
        let mut attributes = OBJECT_ATTRIBUTES {
            Length: length,
            ObjectName: &raw mut name,
            Attributes: OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE,
            ..OBJECT_ATTRIBUTES::default()
        };
        let mut handle = null_mut();
        // SAFETY: PASSIVE_LEVEL; everything pointed to lives through the call.
        let status = NtStatus(unsafe { ZwOpenKey(&raw mut handle, KEY_QUERY_VALUE, &raw mut attributes) });
        match status {
            NtStatus::SUCCESS => Ok(Some(Self { handle })),
            NtStatus::OBJECT_NAME_NOT_FOUND => Ok(None),
            failure => Err(failure),
        }
    }

    /// The value of this name if it is a REG_DWORD; `None` if there is no such value, or one of another type.
    fn number<const N: usize>(&self, name: &'static [u16; N]) -> Result<Option<u32>, NtStatus> {
        let mut name = unicode_string(name);
        let mut value = MaybeUninit::<NumberValue>::zeroed();
        #[expect(clippy::cast_possible_truncation, reason = "it is a few bytes")]
        let room = size_of::<NumberValue>() as ULONG;
        let mut length = 0;
        // SAFETY: PASSIVE_LEVEL; everything pointed to lives through the call, and there is room for `room` bytes.
        let status = NtStatus(unsafe {
            ZwQueryValueKey(
                self.handle,
                &raw mut name,
                KeyValuePartialInformation,
                value.as_mut_ptr().cast(),
                room,
                &raw mut length,
            )
        });
        match status {
            // SAFETY: every bit pattern is a value, and what the call has not written is zero.
            NtStatus::SUCCESS => Ok(unsafe { value.assume_init() }.number()),
            // Longer than a number.
            NtStatus::OBJECT_NAME_NOT_FOUND | NtStatus::BUFFER_OVERFLOW => Ok(None),
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

impl NumberValue {
    fn number(&self) -> Option<u32> {
        (self.kind == REG_DWORD && self.length as usize == size_of::<u32>()).then_some(self.data)
    }
}

const _: () = {
    assert!(offset_of!(NumberValue, kind) == offset_of!(KEY_VALUE_PARTIAL_INFORMATION, Type));
    assert!(offset_of!(NumberValue, length) == offset_of!(KEY_VALUE_PARTIAL_INFORMATION, DataLength));
    assert!(offset_of!(NumberValue, data) == offset_of!(KEY_VALUE_PARTIAL_INFORMATION, Data));
};

/// The path of the service's Parameters key.
fn join(service: &UNICODE_STRING) -> Result<PoolBlock<u16>, NtStatus> {
    let length = usize::from(service.Length) / size_of::<u16>();
    let characters = NonNull::new(service.Buffer).map_or(&[][..], |first| {
        // SAFETY: the I/O manager's string has so many characters, and lives as long as it is borrowed.
        unsafe { core::slice::from_raw_parts(first.as_ptr(), length) }
    });
    let total = length.saturating_add(PARAMETERS.len());
    let mut path = PoolBlock::<u16>::try_new(total).ok_or(NtStatus::INSUFFICIENT_RESOURCES)?;
    let joined = characters.iter().chain(&PARAMETERS);
    path.as_mut().iter_mut().zip(joined).for_each(|(place, character)| *place = *character);
    Ok(path)
}
