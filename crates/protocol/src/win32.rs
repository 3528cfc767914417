//! What Win32 makes of the contract's statuses.

use core::fmt;

use crate::status::NtStatus;

/// A Win32 error code, as `GetLastError` returns it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Win32Error(pub u32);

macro_rules! codes {
    ($($(#[$documentation:meta])* $name:ident = $value:literal;)+) => {
        impl Win32Error {
            $($(#[$documentation])* pub const $name: Self = Self($value);)+

            /// Every code that this crate names, with the name that `winerror.h` gives it.
            pub const NAMED: &'static [(Self, &'static str)] =
                &[$((Self::$name, concat!("ERROR_", stringify!($name)))),+];
        }
    };
}

codes! {
    /// No error.
    SUCCESS = 0;
    /// The driver does not know the control code.
    INVALID_FUNCTION = 1;
    /// No such device: the driver is not running.
    FILE_NOT_FOUND = 2;
    /// The caller may not do that.
    ACCESS_DENIED = 5;
    /// No memory.
    NOT_ENOUGH_MEMORY = 8;
    /// The driver is being unloaded.
    NOT_READY = 21;
    /// The IRQL was too high. Kernel callers only.
    BAD_COMMAND = 22;
    /// The input has the wrong length.
    BAD_LENGTH = 24;
    /// A failure with no more precise code.
    GEN_FAILURE = 31;
    /// The address family's stack is not there.
    NOT_SUPPORTED = 50;
    /// A reserved field, an unknown flag or an address that can't be anycast.
    INVALID_PARAMETER = 87;
    /// The output buffer is too small for the fixed part of the output.
    INSUFFICIENT_BUFFER = 122;
    /// A name below the device was opened.
    INVALID_NAME = 123;
    /// Already exists.
    ALREADY_EXISTS = 183;
    /// More rows exist than fitted.
    MORE_DATA = 234;
    /// No message for that status: Netio returned one that nobody documents.
    MR_MID_NOT_FOUND = 317;
    /// The request was cancelled.
    OPERATION_ABORTED = 995;
    /// The request is under way.
    IO_PENDING = 997;
    /// The interface, or the address on it, does not exist.
    NOT_FOUND = 1168;
    /// Unknown revision.
    REVISION_MISMATCH = 1306;
    /// The caller lacks a privilege.
    PRIVILEGE_NOT_HELD = 1314;
    /// No memory, as the kernel says it.
    NO_SYSTEM_RESOURCES = 1450;
    /// A quota is used up.
    NOT_ENOUGH_QUOTA = 1816;
    /// The address is already on that interface.
    OBJECT_ALREADY_EXISTS = 5010;
}

/// The upper half of the statuses that `NTSTATUS_FROM_WIN32` makes.
const FACILITY_NTWIN32_ERROR: u32 = 0xC007;

impl Win32Error {
    /// What `RtlNtStatusToDosError`, and so `GetLastError`, makes of one of the contract's statuses.
    ///
    /// The values were measured with Wine 8's `RtlNtStatusToDosError`. A Win32 code that was made an NTSTATUS is taken out
    /// again. A status that this crate does not name gives [`MR_MID_NOT_FOUND`](Self::MR_MID_NOT_FOUND), as Windows answers
    /// for one that it does not know either; for others it may have a code of their own.
    #[must_use]
    pub fn from_status(status: NtStatus) -> Self {
        match status {
            NtStatus::SUCCESS => Self::SUCCESS,
            NtStatus::PENDING => Self::IO_PENDING,
            NtStatus::BUFFER_OVERFLOW => Self::MORE_DATA,
            NtStatus::UNSUCCESSFUL => Self::GEN_FAILURE,
            NtStatus::NOT_IMPLEMENTED | NtStatus::INVALID_DEVICE_REQUEST => Self::INVALID_FUNCTION,
            NtStatus::INFO_LENGTH_MISMATCH => Self::BAD_LENGTH,
            NtStatus::INVALID_PARAMETER => Self::INVALID_PARAMETER,
            NtStatus::NO_SUCH_FILE | NtStatus::OBJECT_NAME_NOT_FOUND | NtStatus::OBJECTID_NOT_FOUND => {
                Self::FILE_NOT_FOUND
            }
            NtStatus::NO_MEMORY => Self::NOT_ENOUGH_MEMORY,
            NtStatus::ACCESS_DENIED | NtStatus::DELETE_PENDING => Self::ACCESS_DENIED,
            NtStatus::BUFFER_TOO_SMALL => Self::INSUFFICIENT_BUFFER,
            NtStatus::OBJECT_NAME_INVALID => Self::INVALID_NAME,
            NtStatus::OBJECT_NAME_COLLISION => Self::ALREADY_EXISTS,
            NtStatus::QUOTA_EXCEEDED => Self::NOT_ENOUGH_QUOTA,
            NtStatus::REVISION_MISMATCH => Self::REVISION_MISMATCH,
            NtStatus::PRIVILEGE_NOT_HELD => Self::PRIVILEGE_NOT_HELD,
            NtStatus::INSUFFICIENT_RESOURCES => Self::NO_SYSTEM_RESOURCES,
            NtStatus::DEVICE_NOT_READY => Self::NOT_READY,
            NtStatus::NOT_SUPPORTED => Self::NOT_SUPPORTED,
            NtStatus::CANCELLED => Self::OPERATION_ABORTED,
            NtStatus::INVALID_DEVICE_STATE => Self::BAD_COMMAND,
            NtStatus::NOT_FOUND => Self::NOT_FOUND,
            NtStatus::DUPLICATE_OBJECTID | NtStatus::OBJECTID_EXISTS => Self::OBJECT_ALREADY_EXISTS,
            other if other.bits() >> 16 == FACILITY_NTWIN32_ERROR => Self(other.bits() & 0xFFFF),
            _ => Self::MR_MID_NOT_FOUND,
        }
    }

    /// The name that `winerror.h` gives it, if this crate knows it.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        Self::NAMED.iter().find(|(code, _)| *code == self).map(|(_, name)| *name)
    }
}

impl fmt::Display for Win32Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(formatter, "{name} ({})", self.0),
            None => write!(formatter, "Win32 error {}", self.0),
        }
    }
}

impl fmt::Debug for Win32Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}
