//! The NTSTATUS values of the contract.

use core::fmt;

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// An NTSTATUS as `ntdef.h` defines it: severity in the two highest bits.
///
/// This type has no `is_success` on purpose. Netio's documentation lists a Win32 code among its results that the
/// `NT_SUCCESS` macro takes for success, so the only question that this project asks is whether a status *is*
/// [`SUCCESS`](Self::SUCCESS).
///
/// Source of the values: MS-ERREF 2.3, <https://learn.microsoft.com/openspecs/windows_protocols/ms-erref/>
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(transparent)]
pub struct NtStatus(pub i32);

macro_rules! statuses {
    ($($(#[$documentation:meta])* $name:ident = $value:literal;)+) => {
        impl NtStatus {
            $($(#[$documentation])* pub const $name: Self = Self::from_bits($value);)+

            /// Every status that this crate names, with the name that `ntstatus.h` gives it.
            pub const NAMED: &'static [(Self, &'static str)] =
                &[$((Self::$name, concat!("STATUS_", stringify!($name)))),+];
        }
    };
}

statuses! {
    /// The operation was done. The only success.
    SUCCESS = 0x0000_0000;
    /// The request will be completed later.
    PENDING = 0x0000_0103;
    /// A warning: as many rows as fitted were returned, more exist.
    BUFFER_OVERFLOW = 0x8000_0005;
    /// The operation failed, and Netio said nothing that is more precise.
    UNSUCCESSFUL = 0xC000_0001;
    /// The function is not implemented.
    NOT_IMPLEMENTED = 0xC000_0002;
    /// The input buffer is not as long as the operation's input.
    INFO_LENGTH_MISMATCH = 0xC000_0004;
    /// A reserved field, an unknown flag or an address that can't be anycast.
    INVALID_PARAMETER = 0xC000_000D;
    /// The file, here the interface in user mode's reading, does not exist.
    NO_SUCH_FILE = 0xC000_000F;
    /// The control code is none of the driver's.
    INVALID_DEVICE_REQUEST = 0xC000_0010;
    /// No memory.
    NO_MEMORY = 0xC000_0017;
    /// The caller may not do that.
    ACCESS_DENIED = 0xC000_0022;
    /// The output buffer can't hold even the fixed part of the output.
    BUFFER_TOO_SMALL = 0xC000_0023;
    /// The name opened is not the device's own.
    OBJECT_NAME_INVALID = 0xC000_0033;
    /// The object does not exist.
    OBJECT_NAME_NOT_FOUND = 0xC000_0034;
    /// Already exists: what `ERROR_ALREADY_EXISTS` becomes on some paths through Netio.
    OBJECT_NAME_COLLISION = 0xC000_0035;
    /// A quota of the handle or of the driver is used up.
    QUOTA_EXCEEDED = 0xC000_0044;
    /// The object is being deleted.
    DELETE_PENDING = 0xC000_0056;
    /// The revision of the interface that the caller asks for is unknown.
    REVISION_MISMATCH = 0xC000_0059;
    /// The caller lacks a privilege.
    PRIVILEGE_NOT_HELD = 0xC000_0061;
    /// No memory, as the kernel says it.
    INSUFFICIENT_RESOURCES = 0xC000_009A;
    /// The device is not ready: the driver is being unloaded.
    DEVICE_NOT_READY = 0xC000_00A3;
    /// The address family's stack is not there.
    NOT_SUPPORTED = 0xC000_00BB;
    /// The caller cancelled the request.
    CANCELLED = 0xC000_0120;
    /// The request came at an IRQL above `PASSIVE_LEVEL`, at which Netio may not be called.
    INVALID_DEVICE_STATE = 0xC000_0184;
    /// The interface, or the address on it, does not exist.
    NOT_FOUND = 0xC000_0225;
    /// Already exists: what the sibling route functions return to kernel callers.
    DUPLICATE_OBJECTID = 0xC000_022A;
    /// Already exists. The driver returns it for every "already exists", since Win32 makes 5010 of it.
    OBJECTID_EXISTS = 0xC000_022B;
    /// The object does not exist.
    OBJECTID_NOT_FOUND = 0xC000_02F0;
}

impl NtStatus {
    /// `ERROR_OBJECT_ALREADY_EXISTS` (5010) as `CreateAnycastIpAddressEntry`'s documentation lists it: a Win32 code where
    /// an NTSTATUS belongs. `NT_SUCCESS` of it is true.
    pub const RAW_WIN32_OBJECT_ALREADY_EXISTS: Self = Self::from_bits(0x0000_1392);
    /// `ERROR_OBJECT_ALREADY_EXISTS` as `NTSTATUS_FROM_WIN32` makes an NTSTATUS of it.
    pub const FACILITY_WIN32_OBJECT_ALREADY_EXISTS: Self = Self::from_win32_code(0x1392);

    /// What `NTSTATUS_FROM_WIN32` of `ntstatus.h` makes of a Win32 code that is not zero: an error of `FACILITY_NTWIN32`.
    #[must_use]
    pub const fn from_win32_code(code: u16) -> Self {
        Self::from_bits(0xC007_0000 | code as u32)
    }

    /// The status with these 32 bits, as they stand in headers and debuggers.
    #[must_use]
    pub const fn from_bits(bits: u32) -> Self {
        Self(bits.cast_signed())
    }

    /// The 32 bits, as headers and debuggers show them.
    #[must_use]
    pub const fn bits(self) -> u32 {
        self.0.cast_unsigned()
    }

    /// Whether the severity is "error": the I/O manager then copies no output back to the caller.
    #[must_use]
    pub const fn is_error(self) -> bool {
        self.bits() >> 30 == 0b11
    }

    /// The name that `ntstatus.h` gives it, if this crate knows it.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        Self::NAMED.iter().find(|(status, _)| *status == self).map(|(_, name)| *name)
    }
}

impl fmt::Display for NtStatus {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(formatter, "{name} ({:#010X})", self.bits()),
            None => write!(formatter, "NTSTATUS {:#010X}", self.bits()),
        }
    }
}

impl fmt::Debug for NtStatus {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}
