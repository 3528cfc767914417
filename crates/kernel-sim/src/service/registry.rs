//! The registry.

use netio_anycast_protocol::status::NtStatus;

use super::pool;
use crate::core::Object;
use crate::layout::ObjectAttributes;
use crate::violation::Rule;
use crate::{driver_memory, processor, status};

/// `KeyValuePartialInformation`.
const PARTIAL: u32 = 2;
/// `TitleIndex`, `Type` and `DataLength` of `KEY_VALUE_PARTIAL_INFORMATION`.
const PARTIAL_HEADER: usize = 12;

/// `ZwOpenKey`.
///
/// # Safety
/// Only the driver may call it.
pub(super) unsafe extern "win64" fn open_key(handle: usize, _access: u32, attributes: usize) -> i32 {
    let core = processor::core();
    if core.fault() {
        return pool::NO_MEMORY.0;
    }
    // SAFETY: as the driver vouches.
    let attributes: ObjectAttributes = unsafe { driver_memory::read(attributes) };
    // SAFETY: as the driver vouches.
    let path = unsafe { driver_memory::string(attributes.object_name) };
    let Some(path) = core.options.registry.keys().find(|key| key.eq_ignore_ascii_case(&path)) else {
        return NtStatus::OBJECT_NAME_NOT_FOUND.0;
    };
    let value = core.new_handle(Object::Key(path.clone()));
    // SAFETY: as the driver vouches.
    unsafe { driver_memory::write(handle, value) };
    NtStatus::SUCCESS.0
}

/// `ZwQueryValueKey`, for `KeyValuePartialInformation`.
///
/// # Safety
/// Only the driver may call it.
pub(super) unsafe extern "win64" fn query_value(
    handle: usize,
    name: usize,
    class: u32,
    information: usize,
    length: u32,
    result_length: usize,
) -> i32 {
    let core = processor::core();
    if core.fault() {
        return pool::NO_MEMORY.0;
    }
    // SAFETY: as the driver vouches.
    let name = unsafe { driver_memory::string(name) };
    let Some(Object::Key(path)) = core.state().object_of(handle) else {
        core.report(Rule::HandleInvalid, format!("{handle:#x} is no handle to a key"));
        return status::INVALID_HANDLE.0;
    };
    if class != PARTIAL {
        return NtStatus::INVALID_PARAMETER.0;
    }
    let values = core.options.registry.get(&path);
    let value = values.and_then(|values| values.iter().find(|(other, _)| other.eq_ignore_ascii_case(&name)));
    let Some((_, (kind, data))) = value else {
        return NtStatus::OBJECT_NAME_NOT_FOUND.0;
    };
    let mut answer = 0_u32.to_le_bytes().to_vec();
    answer.extend(kind.to_le_bytes());
    answer.extend(u32::try_from(data.len()).unwrap_or(u32::MAX).to_le_bytes());
    answer.extend(data);
    // SAFETY: as the driver vouches.
    unsafe { driver_memory::write(result_length, u32::try_from(answer.len()).unwrap_or(u32::MAX)) };
    if (length as usize) < PARTIAL_HEADER {
        return NtStatus::BUFFER_TOO_SMALL.0;
    }
    let fits = answer.len().min(length as usize);
    // SAFETY: as the driver vouches: there is room for `length` bytes.
    unsafe { driver_memory::write_bytes(information, &answer[..fits]) };
    if fits < answer.len() { NtStatus::BUFFER_OVERFLOW.0 } else { NtStatus::SUCCESS.0 }
}
