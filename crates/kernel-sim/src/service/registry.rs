//! Keys of the registry, opened and read.

use netio_anycast_protocol::status::NtStatus;

use super::pool;
use crate::core::{Core, Object};
use crate::layout::ObjectAttributes;
use crate::registry::Value;
use crate::violation::Rule;
use crate::{driver_memory, processor, status};

/// `KEY_VALUE_INFORMATION_CLASS`.
const VALUE_BASIC: u32 = 0;
const VALUE_FULL: u32 = 1;
const VALUE_PARTIAL: u32 = 2;
/// `KEY_INFORMATION_CLASS`.
const KEY_BASIC: u32 = 0;
const KEY_FULL: u32 = 2;
/// `DRIVER_REGKEY_TYPE.DriverRegKeyParameters`.
const PARAMETERS: u32 = 0;

/// What a query answers: its bytes, and how many of them are fixed.
struct Answer {
    bytes: Vec<u8>,
    fixed: usize,
}

/// Where an answer goes, and room for its length.
#[derive(Clone, Copy)]
struct Place {
    information: usize,
    length: u32,
    result_length: usize,
}

/// `ZwOpenKey`.
///
/// # Safety
/// Only the driver may call it, with room for a handle, and with `OBJECT_ATTRIBUTES`.
pub(super) unsafe extern "win64" fn open_key(handle: usize, _access: u32, attributes: usize) -> i32 {
    let core = processor::core();
    if core.fault() {
        return pool::NO_MEMORY.0;
    }
    // SAFETY: as the driver vouches.
    let attributes: ObjectAttributes = unsafe { driver_memory::read(attributes) };
    // SAFETY: as the driver vouches.
    let name = unsafe { driver_memory::string(attributes.object_name) };
    let path = match attributes.root_directory {
        0 => Ok(name),
        root => core.key_of(root).map(|root| format!(r"{root}\{name}")),
    };
    // SAFETY: as the driver vouches.
    unsafe { open(&core, path, handle) }
}

/// Opens the key at `path`, if there is a path and a key, and writes the handle where the driver wants it.
///
/// # Safety
/// The driver vouches for the place of the handle.
unsafe fn open(core: &Core, path: Result<String, NtStatus>, handle: usize) -> i32 {
    match path.and_then(|path| core.registry_key(&path)) {
        Ok(path) => {
            let value = core.new_handle(Object::Key(path));
            // SAFETY: as the caller promises.
            unsafe { driver_memory::write(handle, value) };
            NtStatus::SUCCESS.0
        }
        Err(status) => status.0,
    }
}

/// `ZwOpenKeyEx`.
///
/// # Safety
/// As for [`open_key`].
pub(super) unsafe extern "win64" fn open_key_with_options(
    handle: usize,
    access: u32,
    attributes: usize,
    _options: u32,
) -> i32 {
    // SAFETY: as the driver vouches.
    unsafe { open_key(handle, access, attributes) }
}

/// `IoOpenDriverRegistryKey`, for the driver's own parameters.
///
/// # Safety
/// Only the driver may call it, with its driver object and room for a handle.
pub(super) unsafe extern "win64" fn open_driver_key(
    driver: usize,
    kind: u32,
    _access: u32,
    _flags: u32,
    handle: usize,
) -> i32 {
    let core = processor::core();
    if core.fault() {
        return pool::NO_MEMORY.0;
    }
    let Some(owner) = core.state().drivers.get(&driver).cloned() else {
        core.report(Rule::ObjectInvalid, format!("{driver:#x} is no driver object"));
        return NtStatus::INVALID_PARAMETER.0;
    };
    if kind != PARAMETERS {
        return NtStatus::INVALID_PARAMETER.0;
    }
    let path = format!(r"\Registry\Machine\System\CurrentControlSet\Services\{}\Parameters", owner.name());
    // SAFETY: as the driver vouches.
    unsafe { open(&core, Ok(path), handle) }
}

/// `ZwQueryValueKey`.
///
/// # Safety
/// Only the driver may call it, with room for `length` bytes and for the length of the answer.
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
    let value = core.key_of(handle).and_then(|key| core.registry_value(&key, &name));
    let place = Place { information, length, result_length };
    // SAFETY: as the driver vouches.
    unsafe { answer(value.and_then(|value| describe_value(&value, class)), place) }.0
}

/// `ZwEnumerateValueKey`.
///
/// # Safety
/// As for [`query_value`].
pub(super) unsafe extern "win64" fn enumerate_values(
    handle: usize,
    index: u32,
    class: u32,
    information: usize,
    length: u32,
    result_length: usize,
) -> i32 {
    let core = processor::core();
    if core.fault() {
        return pool::NO_MEMORY.0;
    }
    let nth = |key: String| core.registry_values(&key).get(index as usize).cloned().ok_or(status::NO_MORE_ENTRIES);
    let value = core.key_of(handle).and_then(nth);
    let place = Place { information, length, result_length };
    // SAFETY: as the driver vouches.
    unsafe { answer(value.and_then(|value| describe_value(&value, class)), place) }.0
}

/// `ZwEnumerateKey`, for `KeyBasicInformation`.
///
/// # Safety
/// As for [`query_value`].
pub(super) unsafe extern "win64" fn enumerate_keys(
    handle: usize,
    index: u32,
    class: u32,
    information: usize,
    length: u32,
    result_length: usize,
) -> i32 {
    let core = processor::core();
    if core.fault() {
        return pool::NO_MEMORY.0;
    }
    let nth = |key: String| core.registry_subkeys(&key).get(index as usize).cloned().ok_or(status::NO_MORE_ENTRIES);
    let name = core.key_of(handle).and_then(nth);
    let place = Place { information, length, result_length };
    let described = name.and_then(|name| if class == KEY_BASIC { Ok(basic_key(&name)) } else { INVALID });
    // SAFETY: as the driver vouches.
    unsafe { answer(described, place) }.0
}

/// `ZwQueryKey`, for `KeyBasicInformation` and `KeyFullInformation`.
///
/// # Safety
/// As for [`query_value`].
pub(super) unsafe extern "win64" fn query_key(
    handle: usize,
    class: u32,
    information: usize,
    length: u32,
    result_length: usize,
) -> i32 {
    let core = processor::core();
    if core.fault() {
        return pool::NO_MEMORY.0;
    }
    let described = core.key_of(handle).and_then(|key| match class {
        KEY_BASIC => Ok(basic_key(key.rsplit('\\').next().unwrap_or_default())),
        KEY_FULL => Ok(core.full_key(&key)),
        _ => INVALID,
    });
    let place = Place { information, length, result_length };
    // SAFETY: as the driver vouches.
    unsafe { answer(described, place) }.0
}

const INVALID: Result<Answer, NtStatus> = Err(NtStatus::INVALID_PARAMETER);

/// Gives an answer, as much of it as there is room for.
///
/// # Safety
/// The driver vouches for the place.
unsafe fn answer(answer: Result<Answer, NtStatus>, place: Place) -> NtStatus {
    let Answer { bytes, fixed } = match answer {
        Ok(answer) => answer,
        Err(status) => return status,
    };
    // SAFETY: as the caller promises.
    unsafe { driver_memory::write(place.result_length, length32(bytes.len())) };
    if (place.length as usize) < fixed {
        return NtStatus::BUFFER_TOO_SMALL;
    }
    let fits = bytes.len().min(place.length as usize);
    // SAFETY: as the caller promises: there is room for `length` bytes.
    unsafe { driver_memory::write_bytes(place.information, &bytes[..fits]) };
    if fits < bytes.len() { NtStatus::BUFFER_OVERFLOW } else { NtStatus::SUCCESS }
}

fn length32(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// Numbers of 32 bits, one after the other.
fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

/// `KEY_VALUE_BASIC_INFORMATION`, `KEY_VALUE_FULL_INFORMATION` or `KEY_VALUE_PARTIAL_INFORMATION`.
fn describe_value(value: &Value, class: u32) -> Result<Answer, NtStatus> {
    let name = utf16(&value.name);
    let (kind, data_length, name_length) = (value.kind, length32(value.data.len()), length32(name.len()));
    match class {
        VALUE_BASIC => Ok(joined(words(&[0, kind, name_length]), &[&name])),
        VALUE_FULL => {
            const HEADER: u32 = 20;
            let offset = (HEADER + name_length).next_multiple_of(8);
            let padding = vec![0; (offset - HEADER - name_length) as usize];
            let header = words(&[0, kind, offset, data_length, name_length]);
            Ok(joined(header, &[&name, &padding, &value.data]))
        }
        VALUE_PARTIAL => Ok(joined(words(&[0, kind, data_length]), &[&value.data])),
        _ => INVALID,
    }
}

/// `KEY_BASIC_INFORMATION`.
fn basic_key(name: &str) -> Answer {
    let name = utf16(name);
    joined(words(&[0, 0, 0, length32(name.len())]), &[&name])
}

/// What is fixed, and what follows it.
fn joined(fixed: Vec<u8>, rest: &[&[u8]]) -> Answer {
    let length = fixed.len();
    Answer { bytes: fixed.into_iter().chain(rest.concat()).collect(), fixed: length }
}

impl Core {
    /// The key that a handle of the driver stands for.
    pub(super) fn key_of(&self, handle: usize) -> Result<String, NtStatus> {
        let object = self.state().object_of(handle);
        if let Some(Object::Key(path)) = object {
            return Ok(path);
        }
        self.report(Rule::HandleInvalid, format!("{handle:#x} is no handle to a key"));
        Err(status::INVALID_HANDLE)
    }

    /// `KEY_FULL_INFORMATION`, without a class.
    fn full_key(&self, key: &str) -> Answer {
        /// Where the class would be, which is also how long it is without one.
        const CLASS: u32 = 44;
        let (subkeys, values) = (self.registry_subkeys(key), self.registry_values(key));
        let longest = |lengths: &mut dyn Iterator<Item = usize>| length32(lengths.max().unwrap_or(0));
        let header = words(&[
            0,
            0,
            0,
            CLASS,
            0,
            length32(subkeys.len()),
            longest(&mut subkeys.iter().map(|name| utf16(name).len())),
            0,
            length32(values.len()),
            longest(&mut values.iter().map(|value| utf16(&value.name).len())),
            longest(&mut values.iter().map(|value| value.data.len())),
        ]);
        joined(header, &[])
    }
}
