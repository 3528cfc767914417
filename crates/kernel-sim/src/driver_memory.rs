//! Memory whose address a driver gave.
//!
//! The address may be anything. If there is no such memory the access is the driver's fault: the crash handler gives its call
//! up with a verdict. Therefore nothing here may be done while a lock is held or with something on the stack to be dropped.

use zerocopy::{FromBytes, IntoBytes};

use crate::crash;
use crate::layout::UnicodeString;
use crate::memory::PAGE;
use crate::processor;

/// The access to come is to `address`. Nothing is ever in the first page, and Rust has no access to address zero that it would not
/// take for a mistake of its own: so it ends here as the processor would end it.
///
/// # Safety
/// As for [`read`].
pub(crate) unsafe fn reach(address: usize) {
    if address < PAGE {
        // SAFETY: a service runs, and nothing here or, by this module's rule, in it must be dropped.
        unsafe { crash::fault(address) };
    }
}

/// Reads a value.
///
/// # Safety
/// The driver is running a service on this thread and vouches for the address.
pub(crate) unsafe fn read<T: FromBytes>(address: usize) -> T {
    // SAFETY: as the caller promises.
    unsafe { reach(address) };
    // SAFETY: as the caller promises; any bytes make a valid `T`.
    unsafe { (address as *const T).read_unaligned() }
}

/// Writes a value.
///
/// # Safety
/// As for [`read`].
pub(crate) unsafe fn write<T: IntoBytes>(address: usize, value: T) {
    // SAFETY: as the caller promises.
    unsafe { reach(address) };
    // SAFETY: as the caller promises.
    unsafe { (address as *mut T).write_unaligned(value) };
}

/// Reads bytes.
///
/// # Safety
/// As for [`read`].
pub(crate) unsafe fn bytes(address: usize, length: usize) -> Vec<u8> {
    if let Some(last) = length.checked_sub(1) {
        // Before the copy is made, which would not be dropped.
        // SAFETY: as the caller promises.
        let _: u8 = unsafe { read(address) };
        // SAFETY: as the caller promises.
        let _: u8 = unsafe { read(address.wrapping_add(last)) };
    }
    let mut bytes = vec![0; length];
    // SAFETY: as the caller promises; the copy is new.
    unsafe { bytes.as_mut_ptr().copy_from_nonoverlapping(address as *const u8, length) };
    bytes
}

/// Writes bytes.
///
/// # Safety
/// As for [`read`].
pub(crate) unsafe fn write_bytes(address: usize, bytes: &[u8]) {
    if bytes.is_empty() {
        return;
    }
    // SAFETY: as the caller promises.
    unsafe { reach(address) };
    // SAFETY: as the caller promises.
    unsafe { (address as *mut u8).copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
}

/// Whether all of some memory can be read.
pub(crate) fn is_there(address: usize, length: usize) -> bool {
    if length == 0 {
        return true;
    }
    let Some(end) = address.checked_add(length) else { return false };
    let first = address - address % PAGE;
    // The operating system tells: it copies a byte of each page, or says that it can't.
    (first..end).step_by(PAGE).map(|page| page.max(address)).all(can_read)
}

fn can_read(address: usize) -> bool {
    if processor::core().arena.paging().is_out(address) {
        // It comes back, or the driver may not touch it: then this is where it does.
        // SAFETY: a driver that has called a service vouches for the address.
        let _: u8 = unsafe { read(address) };
        return true;
    }
    let mut byte = 0_u8;
    let here = libc::iovec { iov_base: (&raw mut byte).cast(), iov_len: 1 };
    let there = libc::iovec { iov_base: address as *mut libc::c_void, iov_len: 1 };
    // SAFETY: getpid has no preconditions.
    let process = unsafe { libc::getpid() };
    // SAFETY: the call writes to `byte` alone, and fails if it can't read there.
    unsafe { libc::process_vm_readv(process, &raw const here, 1, &raw const there, 1, 0) == 1 }
}

/// Reads the characters of a `UNICODE_STRING`.
///
/// # Safety
/// As for [`read`], for the string's own address.
pub(crate) unsafe fn string(address: usize) -> String {
    // SAFETY: as the caller promises.
    let header: UnicodeString = unsafe { read(address) };
    // SAFETY: as the caller promises.
    let bytes = unsafe { bytes(header.buffer, usize::from(header.length)) };
    let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
    String::from_utf16_lossy(&units)
}
