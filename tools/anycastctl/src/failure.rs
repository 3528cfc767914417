//! Failures: what failed, why, and what to do, for people and for programs.

use netio_anycast_client::protocol::status::NtStatus;
use netio_anycast_client::protocol::win32::Win32Error;
use netio_anycast_client::{Error, ErrorKind};
use serde::Serialize;
use serde_json::{Value, json};

use crate::codes::{NtStatusCode, Win32Code};
use crate::exit_code::ExitCode;
use crate::human::{ERROR, LABEL};
use crate::report::Report;

/// What kind of failure it is, as JSON names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailureKind {
    /// The command line is wrong.
    Usage,
    /// A file that the command line names is not as it should be.
    InvalidFile,
    /// The interface, the address on it, or a file does not exist.
    NotFound,
    /// The address or the installed driver is there already.
    AlreadyExists,
    /// The address family's stack is not there.
    NotSupported,
    /// The address can't be anycast, or no interface was given.
    InvalidParameter,
    /// Only an administrator may do that.
    AccessDenied,
    /// The driver is not installed, not running, or being stopped.
    NoDriver,
    /// The driver is of another version than this program.
    DriverMismatch,
    /// The driver's reply makes no sense.
    Malformed,
    /// No memory or no quota is left.
    NoResources,
    /// It took too long.
    TimedOut,
    /// Anything else.
    Other,
}

impl FailureKind {
    /// Every kind.
    pub const ALL: [Self; 13] = [
        Self::Usage,
        Self::InvalidFile,
        Self::NotFound,
        Self::AlreadyExists,
        Self::NotSupported,
        Self::InvalidParameter,
        Self::AccessDenied,
        Self::NoDriver,
        Self::DriverMismatch,
        Self::Malformed,
        Self::NoResources,
        Self::TimedOut,
        Self::Other,
    ];

    /// The exit code of a failure of this kind.
    #[must_use]
    pub const fn exit_code(self) -> ExitCode {
        match self {
            Self::Usage | Self::InvalidFile => ExitCode::Usage,
            Self::NotFound => ExitCode::NotFound,
            Self::AlreadyExists => ExitCode::AlreadyExists,
            Self::NotSupported | Self::InvalidParameter | Self::AccessDenied => ExitCode::Refused,
            Self::NoDriver => ExitCode::NoDriver,
            Self::DriverMismatch | Self::Malformed => ExitCode::Incompatible,
            Self::NoResources | Self::TimedOut | Self::Other => ExitCode::Failure,
        }
    }
}

impl From<ErrorKind> for FailureKind {
    fn from(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::NotFound => Self::NotFound,
            ErrorKind::AlreadyExists => Self::AlreadyExists,
            ErrorKind::NotSupported => Self::NotSupported,
            ErrorKind::InvalidParameter => Self::InvalidParameter,
            ErrorKind::AccessDenied => Self::AccessDenied,
            ErrorKind::NoDriver => Self::NoDriver,
            ErrorKind::DriverMismatch => Self::DriverMismatch,
            ErrorKind::Malformed => Self::Malformed,
            ErrorKind::NoResources => Self::NoResources,
            _ => Self::Other,
        }
    }
}

/// A failure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// What kind it is.
    pub kind: FailureKind,
    /// What failed.
    pub what: String,
    /// Why it failed.
    pub why: String,
    /// What to do about it.
    pub advice: String,
    /// The NTSTATUS, if there is one.
    pub status: Option<NtStatusCode>,
    /// The Win32 code, if there is one.
    pub win32: Option<Win32Code>,
    /// What NetIO itself said, if it is known.
    pub netio_status: Option<NtStatusCode>,
}

impl Failure {
    /// A failure without codes.
    pub fn new(kind: FailureKind, what: impl Into<String>, why: impl Into<String>, advice: impl Into<String>) -> Self {
        let (what, why, advice) = (what.into(), why.into(), advice.into());
        Self { kind, what, why, advice, status: None, win32: None, netio_status: None }
    }

    /// The same with the Win32 code that the system gave.
    #[must_use]
    pub fn with_win32(self, win32: Win32Error) -> Self {
        Self { win32: Some(win32.into()), ..self }
    }

    /// The system that this runs on has no such driver at all.
    #[must_use]
    pub fn not_windows() -> Self {
        Self::new(
            FailureKind::NotSupported,
            "cannot reach the driver",
            "the driver is for Windows, and this program was built for another system",
            "Run anycastctl.exe on Windows, or in Wine",
        )
    }

    /// The codes in words, or nothing if there are none.
    pub(crate) fn codes(&self) -> String {
        let status = self.status.map(|code| NtStatus::from(code).to_string());
        let win32 = self.win32.map(|code| code.to_string());
        let netio = self.netio_status.map(|code| format!("NetIO said {}", NtStatus::from(code)));
        [status, win32, netio].into_iter().flatten().collect::<Vec<_>>().join(", ")
    }
}

impl Report for Failure {
    /// What failed, why, with which codes, and what to do.
    fn human(&self) -> String {
        let codes = self.codes();
        let details = [("why:", &self.why), ("codes:", &codes), ("advice:", &self.advice)];
        let details = details.iter().filter(|(_, content)| !content.is_empty());
        let details: Vec<String> =
            details.map(|(label, content)| format!("  {LABEL}{label:7}{LABEL:#} {content}\n")).collect();
        format!("{ERROR}error:{ERROR:#} {}\n{}", self.what, details.concat())
    }

    fn json(&self) -> Value {
        json!({ "error": self, "exit_code": self.exit_code() as u8 })
    }

    fn exit_code(&self) -> ExitCode {
        self.kind.exit_code()
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self {
            kind: error.kind().into(),
            what: error.what().to_owned(),
            why: error.why().to_owned(),
            advice: advice(&error),
            status: error.status().map(NtStatusCode::from),
            win32: error.win32().map(Win32Code::from),
            netio_status: error.netio_status().map(NtStatusCode::from),
        }
    }
}

/// The client's advice, or a better one that names this program's commands.
fn advice(error: &Error) -> String {
    match error.kind() {
        ErrorKind::NoDriver => "Start it with `anycastctl start`, or install it first with `anycastctl install`".into(),
        _ => error.advice().to_owned(),
    }
}
