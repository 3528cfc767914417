//! Constant UTF-16 strings for the kernel's `UNICODE_STRING`s.

use wdk_sys::UNICODE_STRING;

/// The UTF-16 form of the ASCII string `text`, to be stored in a `static`. `N` is its length in characters.
///
/// # Panics
/// At compile time, if `text` is not ASCII or not `N` characters long.
pub(crate) const fn utf16<const N: usize>(text: &str) -> [u16; N] {
    let bytes = text.as_bytes();
    assert!(text.is_ascii() && bytes.len() == N);
    let mut units = [0; N];
    let mut position = 0;
    while position < N {
        units[position] = bytes[position] as u16;
        position += 1;
    }
    units
}

/// The `UNICODE_STRING` over `units`. No terminator is needed, since a `UNICODE_STRING` is counted.
///
/// # Panics
/// At compile time, if `units` is longer than a `UNICODE_STRING` can be (32,767 characters).
pub(crate) const fn unicode_string<const N: usize>(units: &'static [u16; N]) -> UNICODE_STRING {
    const { assert!(N <= 0x7FFF) };
    // The kernel does not write to the buffer of a string that it takes as `PCUNICODE_STRING`, which all uses here are.
    UNICODE_STRING { Length: byte_length(N), MaximumLength: byte_length(N), Buffer: units.as_ptr().cast_mut() }
}

#[expect(clippy::cast_possible_truncation, reason = "the caller asserts that it fits")]
const fn byte_length(characters: usize) -> u16 {
    (characters * size_of::<u16>()) as u16
}
