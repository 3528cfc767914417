//! Names and values of statuses and Win32 codes.

use std::collections::BTreeSet;

use netio_anycast_protocol::explanation::EXPLANATIONS;
use netio_anycast_protocol::status::NtStatus;
use netio_anycast_protocol::win32::Win32Error;

/// Every status with its value in MS-ERREF 2.3 and what `RtlNtStatusToDosError` makes of it, measured on Wine 8.
const MEASURED: [(&str, u32, u32); 30] = [
    ("STATUS_SUCCESS", 0x0000_0000, 0),
    ("STATUS_PENDING", 0x0000_0103, 997),
    ("STATUS_BUFFER_OVERFLOW", 0x8000_0005, 234),
    ("STATUS_UNSUCCESSFUL", 0xC000_0001, 31),
    ("STATUS_NOT_IMPLEMENTED", 0xC000_0002, 1),
    ("STATUS_INFO_LENGTH_MISMATCH", 0xC000_0004, 24),
    ("STATUS_INVALID_PARAMETER", 0xC000_000D, 87),
    ("STATUS_NO_SUCH_FILE", 0xC000_000F, 2),
    ("STATUS_INVALID_DEVICE_REQUEST", 0xC000_0010, 1),
    ("STATUS_NO_MEMORY", 0xC000_0017, 8),
    ("STATUS_ACCESS_DENIED", 0xC000_0022, 5),
    ("STATUS_BUFFER_TOO_SMALL", 0xC000_0023, 122),
    ("STATUS_OBJECT_NAME_INVALID", 0xC000_0033, 123),
    ("STATUS_OBJECT_NAME_NOT_FOUND", 0xC000_0034, 2),
    ("STATUS_OBJECT_NAME_COLLISION", 0xC000_0035, 183),
    ("STATUS_QUOTA_EXCEEDED", 0xC000_0044, 1816),
    ("STATUS_DELETE_PENDING", 0xC000_0056, 5),
    ("STATUS_REVISION_MISMATCH", 0xC000_0059, 1306),
    ("STATUS_PRIVILEGE_NOT_HELD", 0xC000_0061, 1314),
    ("STATUS_INSUFFICIENT_RESOURCES", 0xC000_009A, 1450),
    ("STATUS_DEVICE_NOT_READY", 0xC000_00A3, 21),
    ("STATUS_NOT_SUPPORTED", 0xC000_00BB, 50),
    ("STATUS_CANCELLED", 0xC000_0120, 995),
    ("STATUS_INVALID_DEVICE_STATE", 0xC000_0184, 22),
    ("STATUS_NOT_FOUND", 0xC000_0225, 1168),
    ("STATUS_DUPLICATE_OBJECTID", 0xC000_022A, 5010),
    ("STATUS_OBJECTID_EXISTS", 0xC000_022B, 5010),
    ("STATUS_OBJECTID_NOT_FOUND", 0xC000_02F0, 2),
    ("NTSTATUS 0xC0071392", 0xC007_1392, 5010),
    ("NTSTATUS 0x00001392", 0x0000_1392, 317),
];

#[test]
fn statuses_have_the_values_of_ntstatus_h_and_the_win32_codes_that_were_measured() {
    for (name, bits, win32) in MEASURED {
        let status = NtStatus::from_bits(bits);
        let shown = match status.name() {
            Some(name) => name.to_owned(),
            None => status.to_string(),
        };
        assert_eq!(shown, name);
        assert_eq!(Win32Error::from_status(status), Win32Error(win32), "{name}");
    }
}

#[test]
fn every_named_status_was_measured_and_has_a_named_win32_code() {
    for (status, name) in NtStatus::NAMED {
        assert!(MEASURED.iter().any(|(measured, ..)| measured == name), "{name} was not measured");
        assert!(Win32Error::from_status(*status).name().is_some(), "the Win32 code of {name} has no name");
    }
}

#[test]
fn names_and_values_are_unique() {
    let statuses: BTreeSet<_> = NtStatus::NAMED.iter().map(|(status, _)| status).collect();
    assert_eq!(statuses.len(), NtStatus::NAMED.len());
    let codes: BTreeSet<_> = Win32Error::NAMED.iter().map(|(code, _)| code).collect();
    assert_eq!(codes.len(), Win32Error::NAMED.len());
}

/// Measured on Wine 8: facility 7 is taken out as it is, success included.
#[test]
fn a_win32_code_made_a_status_is_that_code_again() {
    for code in [0, 5, 87, 995, 1168, 5010, u16::MAX] {
        let status = NtStatus::from_win32_code(code);
        assert_eq!(Win32Error::from_status(status), Win32Error(code.into()));
    }
    assert_eq!(Win32Error::from_status(NtStatus::from_bits(0xC000_FFFF)), Win32Error::MR_MID_NOT_FOUND);
}

#[test]
fn severities_are_told_apart() {
    for (bits, error) in [(0, false), (0x1392, false), (0x4000_0000, false), (0x8000_0005, false), (0xC000_0001, true)]
    {
        assert_eq!(NtStatus::from_bits(bits).is_error(), error, "{bits:#010X}");
        assert_eq!(NtStatus::from_bits(bits).bits(), bits);
    }
}

#[test]
fn people_read_the_name_and_the_number() {
    assert_eq!(NtStatus::NOT_FOUND.to_string(), "STATUS_NOT_FOUND (0xC0000225)");
    assert_eq!(NtStatus::from_bits(0xC000_FFFF).to_string(), "NTSTATUS 0xC000FFFF");
    assert_eq!(Win32Error::NOT_FOUND.to_string(), "ERROR_NOT_FOUND (1168)");
    assert_eq!(Win32Error(60_000).to_string(), "Win32 error 60000");
}

#[test]
fn explanations_are_sorted_unique_and_fit_into_a_sentence() {
    assert!(EXPLANATIONS.is_sorted_by(|one, next| one.status.bits() < next.status.bits()));
    for explanation in EXPLANATIONS {
        assert!(!explanation.meaning.ends_with('.') && !explanation.action.ends_with('.'), "{}", explanation.status);
        assert!(explanation.action.starts_with(|first: char| first.is_ascii_uppercase()), "{}", explanation.status);
        assert_eq!(explanation.status.explanation(), Some(explanation));
    }
}
