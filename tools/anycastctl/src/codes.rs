//! Status codes as they are shown: number and name.

use std::fmt;

use netio_anycast_client::protocol::status::NtStatus;
use netio_anycast_client::protocol::win32::Win32Error;
use serde::ser::{Serialize, SerializeStruct, Serializer};

/// An NTSTATUS, in JSON `{"code": "0xC0000225", "name": "STATUS_NOT_FOUND"}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NtStatusCode(NtStatus);

impl From<NtStatus> for NtStatusCode {
    fn from(status: NtStatus) -> Self {
        Self(status)
    }
}

impl From<NtStatusCode> for NtStatus {
    fn from(code: NtStatusCode) -> Self {
        code.0
    }
}

impl Serialize for NtStatusCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut code = serializer.serialize_struct("NtStatus", 2)?;
        code.serialize_field("code", &format!("{:#010X}", self.0.bits()))?;
        code.serialize_field("name", &self.0.name())?;
        code.end()
    }
}

/// A Win32 code, in JSON `{"code": 1168, "name": "ERROR_NOT_FOUND"}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Win32Code(Win32Error);

impl From<Win32Error> for Win32Code {
    fn from(error: Win32Error) -> Self {
        Self(error)
    }
}

impl Win32Code {
    fn name(self) -> Option<&'static str> {
        let service_code = || SERVICE_CODES.iter().find(|(code, _)| *code == self.0).map(|(_, name)| *name);
        self.0.name().or_else(service_code)
    }
}

impl fmt::Display for Win32Code {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(formatter, "{name} ({})", self.0.0),
            None => write!(formatter, "Win32 error {}", self.0.0),
        }
    }
}

impl Serialize for Win32Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut code = serializer.serialize_struct("Win32Error", 2)?;
        code.serialize_field("code", &self.0.0)?;
        code.serialize_field("name", &self.name())?;
        code.end()
    }
}

macro_rules! service_codes {
    ($($(#[$documentation:meta])* $name:ident = $value:literal;)+) => {
        $($(#[$documentation])* pub const $name: Win32Error = Win32Error($value);)+

        const SERVICE_CODES: &[(Win32Error, &str)] = &[$(($name, concat!("ERROR_", stringify!($name)))),+];
    };
}

// What the service control manager and the image loader say, from winerror.h.
service_codes! {
    /// The image is no driver of this system.
    BAD_EXE_FORMAT = 193;
    /// The signature of the image is not trusted.
    INVALID_IMAGE_HASH = 577;
    /// The service took too long.
    SERVICE_REQUEST_TIMEOUT = 1053;
    /// It runs already.
    SERVICE_ALREADY_RUNNING = 1056;
    /// It is disabled.
    SERVICE_DISABLED = 1058;
    /// It is not installed.
    SERVICE_DOES_NOT_EXIST = 1060;
    /// It is being started or stopped.
    SERVICE_CANNOT_ACCEPT_CTRL = 1061;
    /// It does not run.
    SERVICE_NOT_ACTIVE = 1062;
    /// It is to be deleted as soon as nobody has it open.
    SERVICE_MARKED_FOR_DELETE = 1072;
    /// There is a service of that name.
    SERVICE_EXISTS = 1073;
    /// The image could not be loaded, or refused to start.
    DLL_INIT_FAILED = 1114;
    /// A policy keeps the driver from being loaded.
    DRIVER_BLOCKED = 1275;
}
