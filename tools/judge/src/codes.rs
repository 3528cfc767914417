//! Which control codes to send to a driver that nobody here knows.
//!
//! Source: <https://learn.microsoft.com/windows-hardware/drivers/kernel/defining-i-o-control-codes>

use std::collections::BTreeSet;

use kernel_sim::Image;

/// Codes that a driver has to refuse or, if it has none at all, never looks at.
const ALWAYS: [u32; 4] = [0, u32::MAX, ctl_code(0x22, 0x800), ctl_code(0x8000, 0x800)];
/// The first function code that is not Microsoft's.
const FIRST_OF_VENDORS: u32 = 0x800;
/// How many function codes after one that the code has: a compiler may make one comparison for a whole table of them.
const NEIGHBOURS: u32 = 8;
/// More would take too long, and no driver has as many.
const MOST: usize = 512;

/// `CTL_CODE` with METHOD_BUFFERED and FILE_ANY_ACCESS.
const fn ctl_code(device_type: u32, function: u32) -> u32 {
    device_type << 16 | function << 2
}

/// Those that are `wanted`, those that any driver can be sent, and what looks like codes in the image.
pub(crate) fn of(image: &Image, wanted: Vec<u32>) -> BTreeSet<u32> {
    let mut codes: BTreeSet<u32> = wanted.into_iter().chain(ALWAYS).collect();
    let found = image.constants().unwrap_or_default();
    let neighbours = |code: u32| (0..=NEIGHBOURS).map(move |distance| code.wrapping_add(distance << 2));
    // The codes themselves first: if there are too many, their neighbours are what is left out.
    let likely = || found.iter().copied().filter(|constant| is_likely(*constant));
    for code in likely().chain(likely().flat_map(neighbours)) {
        if codes.len() == MOST {
            break;
        }
        codes.insert(code);
    }
    codes
}

/// Whether a constant has what vendors' control codes have: a device type, and a function code of their range.
fn is_likely(constant: u32) -> bool {
    let (device_type, function) = (constant >> 16, constant >> 2 & 0xFFF);
    !matches!(device_type, 0 | 0xFFFF) && function >= FIRST_OF_VENDORS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_codes_are_told_from_other_constants() {
        for code in [0x8ACC_2000, 0x0022_2004, 0x8000_E00B] {
            assert!(is_likely(code), "{code:#x}");
        }
        // STATUS_INVALID_PARAMETER, a pool tag's like, a small number, -16.
        for constant in [0xC000_000D, 0x4000_0000, 0x2000, 0xFFFF_FFF0] {
            assert!(!is_likely(constant), "{constant:#x}");
        }
    }
}
