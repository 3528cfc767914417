//! The exit codes, which scripts decide by.

/// How the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum ExitCode {
    /// Done.
    Success = 0,
    /// Failed for a reason that has no code of its own.
    Failure = 1,
    /// The command line, or a file that it names, is wrong.
    Usage = 2,
    /// The interface, the address on it, or a file does not exist.
    NotFound = 3,
    /// The address is there already, or the driver is installed already.
    AlreadyExists = 4,
    /// The address is invalid, its family is not supported, or access is denied.
    Refused = 5,
    /// The driver is not installed, not running, or being stopped.
    NoDriver = 6,
    /// The driver is of another version than this program, or its reply makes no sense.
    Incompatible = 7,
}

impl From<ExitCode> for i32 {
    fn from(code: ExitCode) -> Self {
        Self::from(code as u8)
    }
}
