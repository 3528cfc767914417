//! Why something failed.

use core::fmt;

use netio_anycast_protocol::status::NtStatus;
use netio_anycast_protocol::version::{Features, PROTOCOL_VERSION};

/// Why an operation failed. [`status`](Self::status) makes of each what a driver can return or complete an IRP with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// The request ended with this status, the driver's or the kernel's own.
    Status(NtStatus),
    /// The reply is not what the contract says. What the request did is unknown.
    Malformed,
    /// The driver speaks this version of the protocol, and this client another.
    OtherProtocol(u32),
    /// The driver does not offer these features.
    NotOffered(Features),
    /// A table grew faster than it could be read.
    GrowsTooFast,
}

impl Error {
    /// No memory.
    pub(crate) const NO_MEMORY: Self = Self::Status(NtStatus::INSUFFICIENT_RESOURCES);

    /// The failure as an NTSTATUS.
    #[must_use]
    pub const fn status(self) -> NtStatus {
        match self {
            Self::Status(status) => status,
            Self::Malformed | Self::GrowsTooFast => NtStatus::UNSUCCESSFUL,
            Self::OtherProtocol(_) => NtStatus::REVISION_MISMATCH,
            Self::NotOffered(_) => NtStatus::NOT_SUPPORTED,
        }
    }
}

impl From<NtStatus> for Error {
    fn from(status: NtStatus) -> Self {
        Self::Status(status)
    }
}

impl From<Error> for NtStatus {
    fn from(error: Error) -> Self {
        error.status()
    }
}

impl core::error::Error for Error {}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => status.fmt(formatter),
            Self::Malformed => formatter.write_str("the driver's reply is not what its contract says"),
            Self::OtherProtocol(version) => {
                write!(formatter, "the driver speaks protocol {version}, this client {PROTOCOL_VERSION}")
            }
            Self::NotOffered(features) => write!(formatter, "the driver does not offer {features:?}"),
            Self::GrowsTooFast => formatter.write_str("the table grew faster than it could be read"),
        }
    }
}
