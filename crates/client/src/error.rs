//! Failures, typed for programs and worded for people.

use std::borrow::Cow;
use std::fmt;

use netio_anycast_protocol::apply::{Field, ItemOutcome};
use netio_anycast_protocol::status::NtStatus;
use netio_anycast_protocol::win32::Win32Error;

use crate::attempt::Attempt;
use crate::explanation::{self, Explanation};
use crate::transport::OsError;

/// What kind of failure it is: what a program decides by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The interface, or the address on it, does not exist.
    NotFound,
    /// The interface has that anycast address already.
    AlreadyExists,
    /// The address family's stack is not there.
    NotSupported,
    /// The address can't be anycast, or no interface was given.
    InvalidParameter,
    /// The caller may not do that.
    AccessDenied,
    /// The driver is not installed, not running, or being unloaded.
    NoDriver,
    /// The driver is of another version than this client.
    DriverMismatch,
    /// The driver's reply makes no sense.
    Malformed,
    /// No memory or no quota is left.
    NoResources,
    /// Anything else: the status tells.
    Other,
}

impl ErrorKind {
    /// The kind of a request that ended with this status.
    #[must_use]
    pub fn of(status: NtStatus) -> Self {
        match status {
            NtStatus::NOT_FOUND
            | NtStatus::OBJECT_NAME_NOT_FOUND
            | NtStatus::NO_SUCH_FILE
            | NtStatus::OBJECTID_NOT_FOUND => Self::NotFound,
            NtStatus::OBJECTID_EXISTS
            | NtStatus::DUPLICATE_OBJECTID
            | NtStatus::OBJECT_NAME_COLLISION
            | NtStatus::FACILITY_WIN32_OBJECT_ALREADY_EXISTS
            | NtStatus::RAW_WIN32_OBJECT_ALREADY_EXISTS => Self::AlreadyExists,
            NtStatus::NOT_SUPPORTED => Self::NotSupported,
            NtStatus::INVALID_PARAMETER => Self::InvalidParameter,
            NtStatus::ACCESS_DENIED | NtStatus::PRIVILEGE_NOT_HELD => Self::AccessDenied,
            NtStatus::DEVICE_NOT_READY => Self::NoDriver,
            NtStatus::INVALID_DEVICE_REQUEST
            | NtStatus::NOT_IMPLEMENTED
            | NtStatus::INFO_LENGTH_MISMATCH
            | NtStatus::BUFFER_TOO_SMALL
            | NtStatus::REVISION_MISMATCH => Self::DriverMismatch,
            NtStatus::NO_MEMORY | NtStatus::INSUFFICIENT_RESOURCES | NtStatus::QUOTA_EXCEEDED => Self::NoResources,
            _ => Self::Other,
        }
    }
}

/// Why something failed, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}: {why}{codes}. {advice}", codes = Codes(*.status, *.win32, *.netio_status))]
pub struct Error {
    kind: ErrorKind,
    what: String,
    why: Cow<'static, str>,
    advice: Cow<'static, str>,
    status: Option<NtStatus>,
    win32: Option<Win32Error>,
    netio_status: Option<NtStatus>,
    field: Option<Field>,
}

impl Error {
    /// The device at `path` could not be opened, for the reason that the system gave.
    #[must_use]
    pub fn opening(path: &str, code: OsError) -> Self {
        let kind = match (code.win32, ErrorKind::of(code.status)) {
            (Win32Error::FILE_NOT_FOUND, _) => ErrorKind::NoDriver,
            (_, kind) => kind,
        };
        Self::explained(&Attempt::Open(path.to_owned()), kind, Some(code))
    }

    /// No interface has this alias, for the reason that the system gave: a Win32 code, without an NTSTATUS behind it.
    #[must_use]
    pub fn resolving_alias(alias: &str, win32: Win32Error) -> Self {
        let kind = match win32 {
            // ConvertInterfaceAliasToLuid documents ERROR_INVALID_PARAMETER for an alias that is no interface's.
            Win32Error::INVALID_PARAMETER | Win32Error::FILE_NOT_FOUND | Win32Error::NOT_FOUND => ErrorKind::NotFound,
            Win32Error::NOT_ENOUGH_MEMORY => ErrorKind::NoResources,
            _ => ErrorKind::Other,
        };
        let error = Self::explained(&Attempt::ResolveAlias(alias.to_owned()), kind, None);
        Self { win32: Some(win32), ..error }
    }

    /// The interfaces could not be listed, for the reason that the system gave: a Win32 code.
    #[must_use]
    pub fn listing_interfaces(win32: Win32Error) -> Self {
        let kind = match win32 {
            Win32Error::NOT_ENOUGH_MEMORY => ErrorKind::NoResources,
            _ => ErrorKind::Other,
        };
        Self { win32: Some(win32), ..Self::explained(&Attempt::ListInterfaces, kind, None) }
    }

    /// The request ended with a failure.
    pub(crate) fn refused(attempt: &Attempt, code: OsError) -> Self {
        Self::explained(attempt, ErrorKind::of(code.status), Some(code))
    }

    /// The client itself has no memory for the reply.
    pub(crate) fn no_memory(attempt: &Attempt) -> Self {
        Self::explained(attempt, ErrorKind::NoResources, None)
    }

    /// The interface is zero, where zero would mean something else to the driver.
    pub(crate) fn unset_interface(attempt: &Attempt) -> Self {
        Self::explained(attempt, ErrorKind::InvalidParameter, None)
    }

    /// The driver offers no such operation.
    pub(crate) fn not_offered(attempt: &Attempt) -> Self {
        Self::explained(attempt, ErrorKind::DriverMismatch, None)
    }

    /// The driver speaks another version of the contract.
    pub(crate) fn other_protocol(driver: u32, client: u32) -> Self {
        let advice = if driver > client {
            "Install a version of this program that belongs to the driver"
        } else {
            "Install a version of the driver that belongs to this program"
        };
        Self {
            why: format!("it speaks protocol version {driver}, this program speaks version {client}").into(),
            advice: advice.into(),
            what: "cannot use the driver".into(),
            kind: ErrorKind::DriverMismatch,
            status: None,
            win32: None,
            netio_status: None,
            field: None,
        }
    }

    /// An item of a batch failed.
    pub(crate) fn of_outcome(attempt: &Attempt, outcome: &ItemOutcome, field: Field) -> Self {
        let code = OsError { status: outcome.status, win32: Win32Error(outcome.win32) };
        let asked = outcome.netio_status != NtStatus::SUCCESS;
        Self {
            netio_status: asked.then_some(outcome.netio_status),
            field: (field != Field::None).then_some(field),
            ..Self::refused(attempt, code)
        }
    }

    /// The batch is longer than the driver takes in one request, and it may not be divided.
    pub(crate) fn too_many_items(attempt: &Attempt, limit: u32) -> Self {
        let error = Self::explained(attempt, ErrorKind::InvalidParameter, None);
        Self {
            why: format!("the driver takes at most {limit} items in one request, and an atomic batch can't be divided")
                .into(),
            advice: "Divide it into atomic batches of your own, or apply it without being atomic".into(),
            ..error
        }
    }

    /// The reply contradicts the contract.
    pub(crate) fn malformed(attempt: &Attempt, detail: &str) -> Self {
        let mut error = Self::explained(attempt, ErrorKind::Malformed, None);
        error.why = format!("the driver's reply makes no sense: {detail}").into();
        error
    }

    /// The table grew each time that room for it was made.
    pub(crate) fn grows_too_fast(attempt: &Attempt, attempts: usize) -> Self {
        Self {
            why: format!("the table grew faster than it could be read, {attempts} times in a row").into(),
            advice: "Try again when fewer addresses are being added".into(),
            what: attempt.to_string(),
            kind: ErrorKind::Other,
            status: Some(NtStatus::BUFFER_OVERFLOW),
            win32: Some(Win32Error::MORE_DATA),
            netio_status: None,
            field: None,
        }
    }

    fn explained(attempt: &Attempt, kind: ErrorKind, code: Option<OsError>) -> Self {
        let Explanation { why, advice } = explanation::explain(attempt, kind, code);
        let (status, win32) = (code.map(|code| code.status), code.map(|code| code.win32));
        Self { kind, what: attempt.to_string(), why, advice, status, win32, netio_status: None, field: None }
    }

    /// What kind of failure it is.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// What failed, as the beginning of a sentence.
    #[must_use]
    pub fn what(&self) -> &str {
        &self.what
    }

    /// Why it failed, as the rest of that sentence.
    #[must_use]
    pub fn why(&self) -> &str {
        &self.why
    }

    /// What to do about it, a sentence of its own without its full stop.
    #[must_use]
    pub fn advice(&self) -> &str {
        &self.advice
    }

    /// The NTSTATUS, if there is one.
    #[must_use]
    pub const fn status(&self) -> Option<NtStatus> {
        self.status
    }

    /// The Win32 code, if there is one.
    #[must_use]
    pub const fn win32(&self) -> Option<Win32Error> {
        self.win32
    }

    /// What NetIO itself said, before the driver made [`status`](Self::status) of it: known for the items of a batch whose
    /// failure was NetIO's. For other requests the driver's counters keep that of the last failure.
    #[must_use]
    pub const fn netio_status(&self) -> Option<NtStatus> {
        self.netio_status
    }

    /// The field at fault: known for the items of a batch that were refused for a field of theirs.
    #[must_use]
    pub const fn field(&self) -> Option<Field> {
        self.field
    }
}

/// The codes of a failure, in brackets behind its reason.
struct Codes(Option<NtStatus>, Option<Win32Error>, Option<NtStatus>);

impl fmt::Display for Codes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let status = self.0.map(|status| status.to_string());
        let win32 = self.1.map(|win32| win32.to_string());
        let netio = self.2.map(|netio| format!("NetIO said {netio}"));
        let codes: Vec<String> = [status, win32, netio].into_iter().flatten().collect();
        if codes.is_empty() { Ok(()) } else { write!(formatter, " [{}]", codes.join(", ")) }
    }
}
