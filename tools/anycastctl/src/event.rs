//! What happens while a command goes on.

use std::time::Duration;

use netio_anycast_client::Error;

/// Something that a command waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The anycast addresses are of another generation than before, or the wait for that ended otherwise.
    Changed {
        /// Which wait.
        wait: u64,
        /// The generation now.
        result: Result<u64, Error>,
    },
    /// Somebody pressed Ctrl+C, or the system asks for the end.
    Interrupted,
    /// The program that was started has ended, with this exit code.
    Ended(i32),
    /// A health check has ended.
    Checked(CheckResult),
}

/// What a health check came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CheckResult {
    /// It ended with exit code 0.
    Passed,
    /// It ended with another exit code.
    Failed(i32),
    /// It did not end within this time, and was ended.
    TimedOut(Duration),
    /// It could not be run, for the reason that the system gave.
    NotRun(String),
}

/// A check that is run again and again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthCheck {
    /// What the system's command interpreter is given.
    pub command: String,
    /// The time from the start of one run to the start of the next, and the longest that one may take.
    pub interval: Duration,
}
