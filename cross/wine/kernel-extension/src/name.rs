//! Names of kernel objects, which are compared without regard to case.

use alloc::vec::Vec;
use core::slice;

use windows_sys::Win32::Foundation::UNICODE_STRING;

#[link(name = "ntdll", kind = "raw-dylib")]
unsafe extern "system" {
    safe fn RtlUpcaseUnicodeChar(unit: u16) -> u16;
}

/// A name, in capitals.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Name(Vec<u16>);

impl Name {
    /// # Safety
    /// `string` is null or a valid string.
    pub(crate) unsafe fn new(string: *const UNICODE_STRING) -> Option<Self> {
        // SAFETY: as the caller promises.
        let string = unsafe { string.as_ref() }?;
        if string.Buffer.is_null() || string.Length < 2 {
            return None;
        }
        // SAFETY: the string is valid, and has so many bytes.
        let units = unsafe { slice::from_raw_parts(string.Buffer, usize::from(string.Length / 2)) };
        Some(Self(units.iter().map(|unit| RtlUpcaseUnicodeChar(*unit)).collect()))
    }

    /// The string, as the system takes it; it is valid as long as the name.
    pub(crate) fn as_string(&self) -> UNICODE_STRING {
        // It was as long before.
        let bytes = u16::try_from(self.0.len() * 2).unwrap_or(u16::MAX - 1);
        UNICODE_STRING { Length: bytes, MaximumLength: bytes, Buffer: self.0.as_ptr().cast_mut() }
    }
}
