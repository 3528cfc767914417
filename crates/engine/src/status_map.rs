//! What the contract says for each status that NetIO can return.
//!
//! This is the only place where a status of NetIO's becomes one of the contract's. `docs/status-mapping.md` is generated
//! from it.

use netio_anycast_protocol::status::NtStatus;

/// A status of the contract, and the status of NetIO's that it stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mapped {
    /// What the request ends with.
    pub status: NtStatus,
    /// What NetIO itself said; [`NtStatus::SUCCESS`] if it was not asked.
    pub raw: NtStatus,
}

impl Mapped {
    /// What the contract makes of a status that one of the four anycast functions returned.
    #[must_use]
    #[cold]
    pub fn from_netio(raw: NtStatus) -> Self {
        Self { status: map(raw), raw }
    }

    /// What the contract makes of a status that a conversion between LUID and index returned: there is no such interface.
    /// For that the conversions document STATUS_INVALID_PARAMETER, which here is said of addresses.
    #[must_use]
    pub const fn from_conversion(raw: NtStatus) -> Self {
        Self { status: NtStatus::NOT_FOUND, raw }
    }

    /// Refused by the driver itself: NetIO was not asked.
    #[must_use]
    pub const fn refused(status: NtStatus) -> Self {
        Self { status, raw: NtStatus::SUCCESS }
    }
}

/// The statuses of NetIO's whose meaning here is known, each with the contract's status for it.
///
/// The facility-Win32 values are the documented results as `NTSTATUS_FROM_WIN32` writes them.
pub const KNOWN: &[(NtStatus, NtStatus)] = &[
    (NtStatus::SUCCESS, NtStatus::SUCCESS),
    // Already exists. Win32 makes 5010 only of some of them, so one stands for all.
    (NtStatus::OBJECTID_EXISTS, NtStatus::OBJECTID_EXISTS),
    (NtStatus::DUPLICATE_OBJECTID, NtStatus::OBJECTID_EXISTS),
    (NtStatus::OBJECT_NAME_COLLISION, NtStatus::OBJECTID_EXISTS),
    (NtStatus::RAW_WIN32_OBJECT_ALREADY_EXISTS, NtStatus::OBJECTID_EXISTS),
    (NtStatus::FACILITY_WIN32_OBJECT_ALREADY_EXISTS, NtStatus::OBJECTID_EXISTS),
    // Not there. User mode's documentation tells "no such interface" from "no such address"; the kernel's does not.
    (NtStatus::NOT_FOUND, NtStatus::NOT_FOUND),
    (NtStatus::NO_SUCH_FILE, NtStatus::NOT_FOUND),
    (NtStatus::OBJECT_NAME_NOT_FOUND, NtStatus::NOT_FOUND),
    (NtStatus::OBJECTID_NOT_FOUND, NtStatus::NOT_FOUND),
    (NtStatus::from_win32_code(2), NtStatus::NOT_FOUND),
    (NtStatus::from_win32_code(1168), NtStatus::NOT_FOUND),
    (NtStatus::INVALID_PARAMETER, NtStatus::INVALID_PARAMETER),
    (NtStatus::from_win32_code(87), NtStatus::INVALID_PARAMETER),
    (NtStatus::NOT_SUPPORTED, NtStatus::NOT_SUPPORTED),
    (NtStatus::from_win32_code(50), NtStatus::NOT_SUPPORTED),
    // Win32 makes "unknown control code" (1) of it, which the request was not.
    (NtStatus::NOT_IMPLEMENTED, NtStatus::NOT_SUPPORTED),
    (NtStatus::ACCESS_DENIED, NtStatus::ACCESS_DENIED),
    (NtStatus::from_win32_code(5), NtStatus::ACCESS_DENIED),
    (NtStatus::PRIVILEGE_NOT_HELD, NtStatus::PRIVILEGE_NOT_HELD),
    (NtStatus::INSUFFICIENT_RESOURCES, NtStatus::INSUFFICIENT_RESOURCES),
    (NtStatus::NO_MEMORY, NtStatus::INSUFFICIENT_RESOURCES),
    (NtStatus::from_win32_code(8), NtStatus::INSUFFICIENT_RESOURCES),
    // The driver's own answer to a direct call at an IRQL that is too high for NetIO, too.
    (NtStatus::INVALID_DEVICE_STATE, NtStatus::INVALID_DEVICE_STATE),
    (NtStatus::UNSUCCESSFUL, NtStatus::UNSUCCESSFUL),
    // Win32 makes "access denied" (5) of it, and no other privilege would help the caller.
    (NtStatus::DELETE_PENDING, NtStatus::UNSUCCESSFUL),
    // What the contract says of the request itself, and NetIO can't know.
    (NtStatus::INVALID_DEVICE_REQUEST, NtStatus::UNSUCCESSFUL),
    (NtStatus::INFO_LENGTH_MISMATCH, NtStatus::UNSUCCESSFUL),
    (NtStatus::BUFFER_TOO_SMALL, NtStatus::UNSUCCESSFUL),
    (NtStatus::OBJECT_NAME_INVALID, NtStatus::UNSUCCESSFUL),
    (NtStatus::QUOTA_EXCEEDED, NtStatus::UNSUCCESSFUL),
    (NtStatus::REVISION_MISMATCH, NtStatus::UNSUCCESSFUL),
    (NtStatus::DEVICE_NOT_READY, NtStatus::UNSUCCESSFUL),
    (NtStatus::CANCELLED, NtStatus::UNSUCCESSFUL),
];

/// The contract's status for any status of NetIO's: that of [`KNOWN`]; an unknown error as it is; anything else, and an
/// error that Win32 would read as some other code, [`NtStatus::UNSUCCESSFUL`].
fn map(raw: NtStatus) -> NtStatus {
    match KNOWN.iter().find(|(known, _)| *known == raw) {
        Some((_, status)) => *status,
        None if raw.is_error() && !carries_another_code(raw) => raw,
        // Success severity too: only STATUS_SUCCESS is success.
        None => NtStatus::UNSUCCESSFUL,
    }
}

/// Whether `RtlNtStatusToDosError` takes another code out of this error instead of translating it, so that GetLastError
/// could say anything: 0 ("no error") for 0xC0070000, 997 ("pending") for 0xC00703E5.
///
/// Such are the facilities 1 and 7, and the statuses with the N bit of MS-ERREF 2.3. Measured on Wine 8.
const fn carries_another_code(error: NtStatus) -> bool {
    const N_BIT: u32 = 1 << 28;
    matches!(error.bits() >> 16, 0xC001 | 0xC007) || error.bits() & N_BIT != 0
}
