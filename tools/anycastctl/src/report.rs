//! What the commands have to tell: how people read it, and how JSON puts it.

pub(crate) mod address;
pub(crate) mod benchmark;
pub(crate) mod change;
pub(crate) mod completions;
pub(crate) mod driver;
pub(crate) mod finding;
pub(crate) mod hold;
pub(crate) mod lease;
pub(crate) mod service;
pub(crate) mod statistics;
pub(crate) mod test_run;
pub(crate) mod watch;

use serde_json::Value;

use crate::exit_code::ExitCode;

/// Something to tell.
pub(crate) trait Report {
    /// As people read it: lines that end with a line feed, with ANSI colours.
    fn human(&self) -> String;

    /// What of it belongs on standard error: for people, after what is above.
    fn errors(&self) -> String {
        String::new()
    }

    /// As programs read it.
    fn json(&self) -> Value;

    /// The exit code of a run that ends with it.
    fn exit_code(&self) -> ExitCode {
        ExitCode::Success
    }
}
