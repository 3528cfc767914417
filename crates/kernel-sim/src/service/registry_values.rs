//! `RtlQueryRegistryValues`: many values in one call, by a table.
//!
//! Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-rtlqueryregistryvalues>

use std::sync::Arc;

use netio_anycast_protocol::status::NtStatus;
use zerocopy::{FromBytes, Immutable, IntoBytes};

use super::{pool, string};
use crate::core::Core;
use crate::driver::returned_status;
use crate::layout::UnicodeString;
use crate::memory::Placement;
use crate::processor::{self, Irql};
use crate::registry::{DWORD, EXPAND_SZ, MULTI_SZ, NONE, SZ, Value};
use crate::violation::Rule;
use crate::{crash, driver_memory, status};

/// `RTL_REGISTRY_*`.
const HANDLE: u32 = 0x4000_0000;
const OPTIONAL: u32 = 0x8000_0000;
const ROOTS: [&str; 6] = [
    "",
    r"\Registry\Machine\System\CurrentControlSet\Services",
    r"\Registry\Machine\System\CurrentControlSet\Control",
    r"\Registry\Machine\Software\Microsoft\Windows NT\CurrentVersion",
    r"\Registry\Machine\Hardware\DeviceMap",
    r"\Registry\User\.Default",
];
/// `RTL_QUERY_REGISTRY_*`.
const SUBKEY: u32 = 0x1;
const TOPKEY: u32 = 0x2;
const REQUIRED: u32 = 0x4;
const NOVALUE: u32 = 0x8;
const NOEXPAND: u32 = 0x10;
const DIRECT: u32 = 0x20;
const TYPECHECK: u32 = 0x100;
/// Where `DefaultType` says which type is expected.
const TYPECHECK_SHIFT: u32 = 24;
const DEFAULT_TYPE: u32 = 0xFF;

/// `RTL_QUERY_REGISTRY_TABLE`.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
struct Entry {
    routine: usize,
    flags: u32,
    padding: u32,
    name: usize,
    context: usize,
    default_type: u32,
    padding2: u32,
    default_data: usize,
    default_length: u32,
    padding3: u32,
}

const _: () = assert!(size_of::<Entry>() == 0x38);

/// `RtlQueryRegistryValues`.
///
/// # Safety
/// Only the driver may call it, with a path and a table that ends as it should.
pub(super) unsafe extern "win64" fn query(
    relative_to: u32,
    path: usize,
    table: usize,
    context: usize,
    _environment: usize,
) -> i32 {
    // SAFETY: as the driver vouches.
    let status = unsafe { query_table(relative_to, path, table, context) };
    // SAFETY: there is nothing here to be dropped.
    unsafe { crash::propagate() };
    status.0
}

/// # Safety
/// The driver vouches for the path and the table.
unsafe fn query_table(relative_to: u32, path: usize, table: usize, context: usize) -> NtStatus {
    // SAFETY: as the caller promises.
    match unsafe { key(&processor::core(), relative_to, path) } {
        // SAFETY: as the caller promises.
        Ok(Some(top)) => unsafe { walk(&top, table, context) },
        Ok(None) => NtStatus::SUCCESS,
        Err(status) => status,
    }
}

/// The key that is meant; `None` if it is not there and need not be.
///
/// # Safety
/// The driver vouches for the path.
unsafe fn key(core: &Core, relative_to: u32, path: usize) -> Result<Option<String>, NtStatus> {
    if core.fault() {
        return Err(pool::NO_MEMORY);
    }
    if relative_to & HANDLE != 0 {
        return core.key_of(path).map(Some);
    }
    let root = ROOTS.get((relative_to & !(HANDLE | OPTIONAL)) as usize).ok_or(NtStatus::INVALID_PARAMETER)?;
    // SAFETY: as the caller promises.
    let path = unsafe { string::terminated(path) };
    let path = if root.is_empty() { path } else { format!(r"{root}\{path}") };
    match core.registry_key(&path) {
        Ok(key) => Ok(Some(key)),
        Err(_) if relative_to & OPTIONAL != 0 => Ok(None),
        Err(status) => Err(status),
    }
}

/// Goes through the table.
///
/// # Safety
/// The driver vouches for it.
unsafe fn walk(top: &str, table: usize, context: usize) -> NtStatus {
    let core = processor::core();
    let mut current = top.to_owned();
    for index in 0.. {
        // SAFETY: as the caller promises.
        let entry: Entry = unsafe { driver_memory::read(table + index * size_of::<Entry>()) };
        if entry.routine == 0 && entry.name == 0 && entry.flags & (SUBKEY | DIRECT) == 0 {
            break;
        }
        if entry.flags & (TOPKEY | SUBKEY) != 0 {
            top.clone_into(&mut current);
        }
        // SAFETY: as the caller promises.
        let status = unsafe { serve(&core, &mut current, &entry, context) };
        if status.is_error() {
            return status;
        }
    }
    NtStatus::SUCCESS
}

/// Does what one entry asks for.
///
/// # Safety
/// The driver vouches for it.
unsafe fn serve(core: &Arc<Core>, current: &mut String, entry: &Entry, context: usize) -> NtStatus {
    let has = |flag| entry.flags & flag != 0;
    // SAFETY: as the caller promises.
    let name = (entry.name != 0).then(|| unsafe { string::terminated(entry.name) });
    if has(SUBKEY) {
        let Some(name) = name else { return NtStatus::INVALID_PARAMETER };
        return match core.registry_key(&format!(r"{current}\{name}")) {
            Ok(key) => {
                *current = key;
                NtStatus::SUCCESS
            }
            Err(status) if has(REQUIRED) => status,
            Err(_) => NtStatus::SUCCESS,
        };
    }
    if has(DIRECT) {
        if !has(TYPECHECK) {
            core.report(Rule::RegistryType, "RTL_QUERY_REGISTRY_DIRECT is given without RTL_QUERY_REGISTRY_TYPECHECK");
        }
        let Some(name) = name.filter(|_| entry.routine == 0) else { return NtStatus::INVALID_PARAMETER };
        // SAFETY: as the caller promises.
        return match unsafe { find(core, current, entry, name) } {
            // SAFETY: as the caller promises.
            Ok(Some(value)) => unsafe { store(entry, &value) },
            Ok(None) => NtStatus::SUCCESS,
            Err(status) => status,
        };
    }
    let values = match name {
        _ if has(NOVALUE) => vec![Value { name: name.unwrap_or_default(), kind: NONE, data: Vec::new() }],
        None => core.registry_values(current),
        // SAFETY: as the caller promises.
        Some(name) => match unsafe { find(core, current, entry, name) } {
            Ok(value) => value.into_iter().collect(),
            Err(status) => return status,
        },
    };
    core.call_query_routine(entry, &values, context)
}

/// The value that an entry asks for, or its default; `None` if there is neither.
///
/// # Safety
/// The driver vouches for the entry.
unsafe fn find(core: &Core, key: &str, entry: &Entry, name: String) -> Result<Option<Value>, NtStatus> {
    if let Ok(value) = core.registry_value(key, &name) {
        let expected = entry.default_type >> TYPECHECK_SHIFT;
        let matches = entry.flags & TYPECHECK == 0 || value.kind == expected;
        return if matches { Ok(Some(value)) } else { Err(status::OBJECT_TYPE_MISMATCH) };
    }
    let kind = entry.default_type & DEFAULT_TYPE;
    if kind == NONE {
        return if entry.flags & REQUIRED == 0 { Ok(None) } else { Err(NtStatus::OBJECT_NAME_NOT_FOUND) };
    }
    let length = match (entry.default_length, kind) {
        // SAFETY: as the caller promises.
        (0, SZ | EXPAND_SZ) => unsafe { string::terminated_length(entry.default_data) + size_of::<u16>() },
        (length, _) => length as usize,
    };
    // SAFETY: as the caller promises.
    let data = unsafe { driver_memory::bytes(entry.default_data, length) };
    Ok(Some(Value { name, kind, data }))
}

/// Puts a value where the entry's context says.
///
/// # Safety
/// The driver vouches for the place, for a value of this type.
unsafe fn store(entry: &Entry, value: &Value) -> NtStatus {
    match value.kind {
        // SAFETY: as the caller promises.
        SZ | EXPAND_SZ => unsafe { store_string(entry.context, &value.data) },
        DWORD if value.data.len() == size_of::<u32>() => {
            // SAFETY: as the caller promises.
            unsafe { driver_memory::write_bytes(entry.context, &value.data) };
            NtStatus::SUCCESS
        }
        // SAFETY: as the caller promises.
        _ => unsafe { store_bytes(entry.context, value) },
    }
}

/// A string goes into a `UNICODE_STRING`, whose characters are allocated if it has none.
///
/// # Safety
/// The driver vouches for the place.
unsafe fn store_string(place: usize, data: &[u8]) -> NtStatus {
    // SAFETY: as the caller promises.
    let mut header: UnicodeString = unsafe { driver_memory::read(place) };
    let Ok(length) = u16::try_from(data.len()) else { return NtStatus::BUFFER_TOO_SMALL };
    if header.buffer == 0 {
        header.buffer = string::allocate(data);
        header.maximum_length = length;
    } else if length > header.maximum_length {
        return NtStatus::BUFFER_TOO_SMALL;
    } else {
        // SAFETY: as the caller promises: there is room up to the maximum length.
        unsafe { driver_memory::write_bytes(header.buffer, data) };
    }
    let terminator = if data.ends_with(&[0, 0]) { 2 } else { 0 };
    header.length = length - terminator;
    // SAFETY: as the caller promises.
    unsafe { driver_memory::write(place, header) };
    NtStatus::SUCCESS
}

/// Anything else goes into a buffer that begins with its size, negative if it wants the data alone.
///
/// # Safety
/// The driver vouches for the place.
unsafe fn store_bytes(place: usize, value: &Value) -> NtStatus {
    if value.data.len() <= size_of::<u32>() {
        // SAFETY: as the caller promises.
        unsafe { driver_memory::write_bytes(place, &value.data) };
        return NtStatus::SUCCESS;
    }
    // SAFETY: as the caller promises.
    let room: i32 = unsafe { driver_memory::read(place) };
    let length = u32::try_from(value.data.len()).unwrap_or(u32::MAX);
    let header = if room < 0 { Vec::new() } else { [length.to_le_bytes(), value.kind.to_le_bytes()].concat() };
    let bytes = [header, value.data.clone()].concat();
    if bytes.len() > room.unsigned_abs() as usize {
        return NtStatus::BUFFER_TOO_SMALL;
    }
    // SAFETY: as the caller promises: there is so much room.
    unsafe { driver_memory::write_bytes(place, &bytes) };
    NtStatus::SUCCESS
}

/// The strings of a `REG_MULTI_SZ`, each with the zero that ends it.
fn strings(data: &[u8]) -> Vec<&[u8]> {
    let mut strings = Vec::new();
    let mut start = 0;
    for (index, character) in data.chunks_exact(2).enumerate() {
        let end = (index + 1) * 2;
        if character == [0, 0] {
            strings.push(&data[start..end]);
            start = end;
        }
    }
    // An empty one ends the list.
    strings.retain(|string| string.len() > 2);
    strings
}

impl Core {
    /// Calls the entry's routine for each of the values.
    fn call_query_routine(self: &Arc<Self>, entry: &Entry, values: &[Value], context: usize) -> NtStatus {
        for value in values {
            let apart = entry.flags & NOEXPAND == 0 && value.kind == MULTI_SZ;
            let (kind, pieces) =
                if apart { (SZ, strings(&value.data)) } else { (value.kind, vec![value.data.as_slice()]) };
            for data in pieces {
                let status = self.call_with_value(entry, &value.name, (kind, data), context);
                if status.is_error() && status != NtStatus::BUFFER_TOO_SMALL {
                    return status;
                }
            }
        }
        NtStatus::SUCCESS
    }

    fn call_with_value(
        self: &Arc<Self>,
        entry: &Entry,
        name: &str,
        (kind, data): (u32, &[u8]),
        context: usize,
    ) -> NtStatus {
        let Some(driver) = self.driver_at(entry.routine) else { return NtStatus::INVALID_PARAMETER };
        let characters: Vec<u8> = name.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect();
        let name = self.arena.allocate(characters.len(), Placement::AtEnd, 0);
        name.write_bytes(0, &characters);
        let copy = (!data.is_empty()).then(|| self.arena.allocate(data.len(), Placement::AtEnd, 0));
        let address = copy.as_ref().map_or(0, |copy| {
            copy.write_bytes(0, data);
            copy.address()
        });
        let arguments = [name.address(), kind as usize, address, data.len(), context, entry.context];
        let result = self.call_driver(&driver, entry.routine, &arguments, Irql::PASSIVE_LEVEL, None);
        result.map_or(NtStatus::UNSUCCESSFUL, |(value, _)| returned_status(value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_strings_comes_apart() {
        let data = [b'a', 0, 0, 0, b'b', 0, b'c', 0, 0, 0, 0, 0];
        assert_eq!(strings(&data), [&data[0..4], &data[4..10]]);
        assert!(strings(&[0, 0]).is_empty());
    }
}
