//! `anycastctl`, the command line of the netio-anycast driver, as a library: everything but the system it runs on.
//!
//! [`run`] takes a command line and a [`Platform`] and returns what is to be printed and the exit code, so that every command and
//! every message is tested on any host.

#![forbid(unsafe_code)]

pub mod arguments;
pub mod codes;
mod commands;
pub mod exit_code;
pub mod failure;
mod human;
pub mod platform;
pub mod report;
mod service_failure;
#[cfg(windows)]
pub mod windows;

use std::ffi::OsString;

use clap::Parser;
use clap::error::ErrorKind;

use crate::arguments::Arguments;
use crate::exit_code::ExitCode;
use crate::failure::{Failure, FailureKind};
use crate::platform::Platform;
use crate::report::Report;

/// What a run of the program leaves behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// For standard output, with ANSI colours.
    pub stdout: String,
    /// For standard error, with ANSI colours.
    pub stderr: String,
    /// How the program ends.
    pub exit_code: ExitCode,
}

/// Runs one command line, the program's name first, on a platform; without one it says why there is none as soon as the
/// command line is understood.
pub fn run(command_line: impl IntoIterator<Item = OsString>, platform: Result<&dyn Platform, Failure>) -> Output {
    let command_line: Vec<OsString> = command_line.into_iter().collect();
    let arguments = match Arguments::try_parse_from(&command_line) {
        Ok(arguments) => arguments,
        Err(error) => return not_understood(&error, command_line.iter().any(|argument| argument == "--json")),
    };
    match platform.and_then(|platform| commands::run(&arguments.command, platform)) {
        Ok(report) => reported(&report, arguments.json),
        Err(failure) => failed(&failure, arguments.json),
    }
}

fn reported(report: &Report, json: bool) -> Output {
    let stdout = if json { document(report) } else { human::report(report) };
    Output { stdout, stderr: String::new(), exit_code: report.exit_code() }
}

fn failed(failure: &Failure, json: bool) -> Output {
    let exit_code = failure.kind.exit_code();
    if json {
        let stdout = document(&serde_json::json!({ "error": failure, "exit_code": exit_code as u8 }));
        return Output { stdout, stderr: String::new(), exit_code };
    }
    Output { stdout: String::new(), stderr: human::failure(failure), exit_code }
}

/// Help and version are asked for and go to standard output; everything else that clap has to say is a failure.
fn not_understood(error: &clap::Error, json: bool) -> Output {
    let text = error.render().ansi().to_string();
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        return Output { stdout: text, stderr: String::new(), exit_code: ExitCode::Success };
    }
    if json {
        let text = error.render().to_string();
        let why = text.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned();
        let advice = "Run `anycastctl --help`, or `anycastctl COMMAND --help`";
        return failed(&Failure::new(FailureKind::Usage, "cannot understand the command line", why, advice), true);
    }
    Output { stdout: String::new(), stderr: text, exit_code: ExitCode::Usage }
}

/// One JSON document for people to read, too.
fn document(value: &impl serde::Serialize) -> String {
    match serde_json::to_string_pretty(value) {
        Ok(text) => text + "\n",
        // Only a map whose keys are no strings can't be written, and there is none.
        Err(error) => format!("{{\"error\": \"{error}\"}}\n"),
    }
}
