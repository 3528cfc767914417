//! Strings as the kernel takes them.

use windows_sys::Win32::Foundation::UNICODE_STRING;

/// `text`, which must be ASCII, in UTF-16; `N` is its length.
pub(crate) const fn utf16<const N: usize>(text: &str) -> [u16; N] {
    let bytes = text.as_bytes();
    let mut units = [0; N];
    let mut position = 0;
    while position < N {
        units[position] = bytes[position] as u16;
        position += 1;
    }
    units
}

/// A string over `units`. It holds a pointer to them; the kernel's functions below only read it.
pub(crate) fn unicode_string(units: &[u16]) -> UNICODE_STRING {
    // No name in this module is anywhere near 32,767 units long.
    let length = u16::try_from(size_of_val(units)).unwrap_or(0);
    UNICODE_STRING { Length: length, MaximumLength: length, Buffer: units.as_ptr().cast_mut() }
}
