//! Raising exceptions. Drivers' own handlers are not looked for: whoever raises one is given up with a verdict.
//!
//! Source: <https://learn.microsoft.com/windows-hardware/drivers/kernel/handling-exceptions>

use netio_anycast_protocol::status::NtStatus;

use crate::crash;

const ACCESS_VIOLATION: NtStatus = NtStatus::from_bits(0xC000_0005);
const DATATYPE_MISALIGNMENT: NtStatus = NtStatus::from_bits(0x8000_0002);

/// `ExRaiseStatus`.
///
/// # Safety
/// Only the driver may call it.
pub(super) unsafe extern "win64" fn raise_status(status: i32) -> usize {
    // SAFETY: there is nothing here to be dropped.
    unsafe { crash::raise(NtStatus(status)) }
}

/// `ExRaiseAccessViolation`.
///
/// # Safety
/// Only the driver may call it.
pub(super) unsafe extern "win64" fn raise_access_violation() -> usize {
    // SAFETY: there is nothing here to be dropped.
    unsafe { crash::raise(ACCESS_VIOLATION) }
}

/// `ExRaiseDatatypeMisalignment`.
///
/// # Safety
/// Only the driver may call it.
pub(super) unsafe extern "win64" fn raise_datatype_misalignment() -> usize {
    // SAFETY: there is nothing here to be dropped.
    unsafe { crash::raise(DATATYPE_MISALIGNMENT) }
}
