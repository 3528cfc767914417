//! Counted strings.

use netio_anycast_protocol::status::NtStatus;
use zerocopy::FromBytes;

use super::pool;
use crate::core::PoolBlock;
use crate::driver_memory;
use crate::layout::UnicodeString;
use crate::memory::Placement;
use crate::processor;

/// The tag of strings that the kernel allocates for drivers: "Strg" read as bytes.
const TAG: u32 = u32::from_le_bytes(*b"Strg");

/// `GUID`.
#[derive(FromBytes)]
#[repr(C)]
struct Guid {
    long: u32,
    short: u16,
    short2: u16,
    bytes: [u8; 8],
}

/// The length in bytes of characters that end with a zero.
///
/// # Safety
/// The driver vouches for them.
pub(super) unsafe fn terminated_length(characters: usize) -> usize {
    let mut length = 0;
    // SAFETY: as the caller promises.
    while unsafe { driver_memory::read::<u16>(characters + length) } != 0 {
        length += 2;
    }
    length
}

/// Reads characters that end with a zero.
///
/// # Safety
/// The driver vouches for them.
pub(super) unsafe fn terminated(characters: usize) -> String {
    // SAFETY: as the caller promises.
    let length = unsafe { terminated_length(characters) };
    // SAFETY: as the caller promises.
    let bytes = unsafe { driver_memory::bytes(characters, length) };
    let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
    String::from_utf16_lossy(&units)
}

/// Memory for characters, which the driver that has called a service frees as a string. Returns its address.
pub(super) fn allocate(characters: &[u8]) -> usize {
    let core = processor::core();
    let block = core.arena.allocate(characters.len(), Placement::Pool, 0);
    block.write_bytes(0, characters);
    let address = block.address();
    let maker = core.maker();
    core.state().pool.insert(address, PoolBlock { block, tag: TAG, is_paged: true, charged: None, maker });
    address
}

/// `RtlInitUnicodeString`.
///
/// # Safety
/// Only the driver may call it.
pub(super) unsafe extern "win64" fn initialize(string: usize, characters: usize) {
    let mut header = UnicodeString { buffer: characters, ..UnicodeString::default() };
    if characters != 0 {
        // SAFETY: as the driver vouches.
        let length = unsafe { terminated_length(characters) };
        // The longest that fits, as the documentation says.
        header.length = u16::try_from(length).unwrap_or(u16::MAX - 3);
        header.maximum_length = header.length + 2;
    }
    // SAFETY: as the driver vouches.
    unsafe { driver_memory::write(string, header) };
}

/// `RtlAppendUnicodeStringToString`.
///
/// # Safety
/// Only the driver may call it.
pub(super) unsafe extern "win64" fn append_string(destination: usize, source: usize) -> i32 {
    // SAFETY: as the driver vouches.
    let source: UnicodeString = unsafe { driver_memory::read(source) };
    // SAFETY: as the driver vouches.
    unsafe { append(destination, source.buffer, usize::from(source.length)) }.0
}

/// `RtlAppendUnicodeToString`.
///
/// # Safety
/// Only the driver may call it.
pub(super) unsafe extern "win64" fn append_characters(destination: usize, source: usize) -> i32 {
    if source == 0 {
        return NtStatus::SUCCESS.0;
    }
    // SAFETY: as the driver vouches.
    let length = unsafe { terminated_length(source) };
    // SAFETY: as the driver vouches.
    unsafe { append(destination, source, length) }.0
}

/// # Safety
/// The driver vouches for the destination and the source.
unsafe fn append(destination: usize, source: usize, length: usize) -> NtStatus {
    // SAFETY: as the caller promises.
    let mut header: UnicodeString = unsafe { driver_memory::read(destination) };
    let end = usize::from(header.length) + length;
    if end > usize::from(header.maximum_length) {
        return NtStatus::BUFFER_TOO_SMALL;
    }
    // SAFETY: as the caller promises.
    let characters = unsafe { driver_memory::bytes(source, length) };
    // SAFETY: as the caller promises: there is room up to the maximum length.
    unsafe { driver_memory::write_bytes(header.buffer + usize::from(header.length), &characters) };
    header.length = u16::try_from(end).unwrap_or(u16::MAX);
    // SAFETY: as the caller promises.
    unsafe { driver_memory::write(destination, header) };
    NtStatus::SUCCESS
}

/// `RtlStringFromGUID`: the string is allocated for the driver, which frees it with RtlFreeUnicodeString.
///
/// # Safety
/// Only the driver may call it.
pub(super) unsafe extern "win64" fn from_guid(guid: usize, string: usize) -> i32 {
    let core = processor::core();
    if core.fault() {
        return pool::NO_MEMORY.0;
    }
    // SAFETY: as the driver vouches.
    let guid: Guid = unsafe { driver_memory::read(guid) };
    let bytes = guid.bytes.map(|byte| format!("{byte:02X}")).concat();
    let (clock, node) = bytes.split_at(4);
    let text = format!("{{{:08X}-{:04X}-{:04X}-{clock}-{node}}}", guid.long, guid.short, guid.short2);
    let characters: Vec<u8> = text.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect();
    let maximum_length = u16::try_from(characters.len()).unwrap_or(u16::MAX);
    let buffer = allocate(&characters);
    let header = UnicodeString { length: maximum_length - 2, maximum_length, padding: 0, buffer };
    // SAFETY: as the driver vouches.
    unsafe { driver_memory::write(string, header) };
    NtStatus::SUCCESS.0
}

/// `RtlFreeUnicodeString`.
///
/// # Safety
/// Only the driver may call it.
pub(super) unsafe extern "win64" fn free(string: usize) {
    // SAFETY: as the driver vouches.
    let header: UnicodeString = unsafe { driver_memory::read(string) };
    if header.buffer != 0 {
        pool::free(&processor::core(), header.buffer, TAG);
    }
    // SAFETY: as the driver vouches.
    unsafe { driver_memory::write(string, UnicodeString::default()) };
}
