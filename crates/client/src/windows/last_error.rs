//! What the system said last, as Win32 code and as NTSTATUS.

use netio_anycast_protocol::status::NtStatus;
use netio_anycast_protocol::win32::Win32Error;
use windows_sys::Wdk::Storage::FileSystem::RtlNtStatusToDosErrorNoTeb;
use windows_sys::Win32::Foundation::{GetLastError, NTSTATUS};

use crate::transport::OsError;

windows_link::link!("ntdll.dll" "system" fn RtlGetLastNtStatus() -> NTSTATUS);

/// The thread's last error.
pub(super) fn last_error() -> OsError {
    // SAFETY: it takes nothing and reads the thread's own environment block.
    let win32 = unsafe { GetLastError() };
    with_last_status(Win32Error(win32))
}

/// `win32` with the NTSTATUS that it was made from.
///
/// A Win32 function that fails with an NTSTATUS sets its error by RtlNtStatusToDosError, which keeps the NTSTATUS for the
/// thread. Not every Win32 error comes from one, so it counts only if it gives that very error again.
pub(super) fn with_last_status(win32: Win32Error) -> OsError {
    // SAFETY: it takes nothing and reads the thread's own environment block.
    let status = unsafe { RtlGetLastNtStatus() };
    if win32_of(status) == win32 { OsError { status: NtStatus(status), win32 } } else { OsError::from_win32(win32) }
}

/// A failure that is known by its NTSTATUS, with the Win32 code that the running system makes of it.
pub(super) fn from_status(status: NTSTATUS) -> OsError {
    OsError { status: NtStatus(status), win32: win32_of(status) }
}

fn win32_of(status: NTSTATUS) -> Win32Error {
    // SAFETY: it takes a number and looks it up in a table; "NoTeb": it leaves the thread's last status alone.
    Win32Error(unsafe { RtlNtStatusToDosErrorNoTeb(status) })
}
