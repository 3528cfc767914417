//! How a request reaches the driver.

use netio_anycast_protocol::status::NtStatus;
use netio_anycast_protocol::win32::Win32Error;

/// Carries one request to the driver and its reply back.
///
/// On Windows this is `DeviceTransport`. Anything else that answers as the driver does will do, so that a program that
/// uses [`Client`](crate::Client) is tested without a driver, on any host.
pub trait Transport {
    /// Sends one control code with `input`, waits for the end of the request and returns what came back in `output`.
    ///
    /// # Errors
    /// The request ended with a status other than STATUS_SUCCESS and the warning STATUS_BUFFER_OVERFLOW. `output` then
    /// holds nothing.
    fn control(&self, control_code: u32, input: &[u8], output: &mut [u8]) -> Result<Returned, OsError>;
}

impl<T: Transport + ?Sized> Transport for &T {
    fn control(&self, control_code: u32, input: &[u8], output: &mut [u8]) -> Result<Returned, OsError> {
        (**self).control(control_code, input, output)
    }
}

impl<T: Transport + ?Sized> Transport for Box<T> {
    fn control(&self, control_code: u32, input: &[u8], output: &mut [u8]) -> Result<Returned, OsError> {
        (**self).control(control_code, input, output)
    }
}

/// What a request brought back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Returned {
    /// The bytes of output.
    pub length: usize,
    /// The status was the warning STATUS_BUFFER_OVERFLOW: there are more rows than fitted.
    pub more: bool,
}

/// Why a request failed, as the system puts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OsError {
    /// What the request ended with.
    pub status: NtStatus,
    /// What `GetLastError` said.
    pub win32: Win32Error,
}

impl OsError {
    /// A failure of which only the NTSTATUS is known.
    #[must_use]
    pub fn from_status(status: NtStatus) -> Self {
        Self { status, win32: Win32Error::from_status(status) }
    }

    /// A failure of which only the Win32 code is known. The status is then that code in the facility that is there for
    /// this purpose, as the macro `NTSTATUS_FROM_WIN32` composes it.
    #[must_use]
    pub const fn from_win32(win32: Win32Error) -> Self {
        Self { status: NtStatus::from_bits(0xC007_0000 | win32.0 & 0xFFFF), win32 }
    }
}

/// What the device is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everything but creating and deleting addresses.
    Read,
    /// Everything.
    ReadWrite,
}
