//! Constant UTF-16 strings for the kernel's `UNICODE_STRING`s.

use wdk_sys::UNICODE_STRING;

/// The UTF-16 form of the ASCII string `text`, to be stored in a `static`. `N` is its length in characters.
///
/// # Panics
/// At compile time, if `text` is not ASCII or not `N` characters long.
pub(super) const fn utf16<const N: usize>(text: &str) -> [u16; N] {
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

/// The `UNICODE_STRING` over `units`, for functions that only read it. It is counted, so it needs no terminator.
pub(super) const fn unicode_string<const N: usize>(units: &'static [u16; N]) -> UNICODE_STRING {
    const { assert!(N <= 0x7FFF) };
    #[expect(clippy::cast_possible_truncation, reason = "it fits, as is asserted above")]
    let length = size_of_val(units) as u16;
    UNICODE_STRING { Length: length, MaximumLength: length, Buffer: units.as_ptr().cast_mut() }
}
