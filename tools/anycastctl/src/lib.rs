//! `anycastctl`, the command line of the netio-anycast driver, as a library: everything but the system it runs on.
//!
//! [`run`] takes a command line, a [`Platform`] and a [`Console`], so that every command and every message is tested on any
//! host.

#![forbid(unsafe_code)]

pub mod address;
pub mod arguments;
pub mod codes;
mod commands;
pub mod console;
pub mod event;
pub mod exit_code;
pub mod failure;
mod human;
pub mod interrupt;
pub mod platform;
pub mod processes;
mod report;
mod service_failure;
mod wanted;
#[cfg(windows)]
pub mod windows;

use std::ffi::OsString;

use clap::Parser;
use clap::error::ErrorKind;

use crate::arguments::Arguments;
use crate::commands::Ending;
use crate::console::{Console, Stream};
use crate::exit_code::ExitCode;
use crate::failure::{Failure, FailureKind};
use crate::platform::Platform;
use crate::report::Report;

/// Runs one command line, the program's name first, on a platform, and returns the exit code; without a platform it says why
/// there is none as soon as the command line is understood.
pub fn run(
    command_line: impl IntoIterator<Item = OsString>,
    platform: Result<&dyn Platform, Failure>,
    console: &mut Console<'_>,
) -> i32 {
    let command_line: Vec<OsString> = command_line.into_iter().collect();
    let arguments = match Arguments::try_parse_from(&command_line) {
        Ok(arguments) => arguments,
        Err(error) => {
            if command_line.iter().any(|argument| argument == "--json") {
                console.speak_json();
            }
            return not_understood(&error, console).into();
        }
    };
    if arguments.json {
        console.speak_json();
    }
    match commands::run(&arguments.command, platform, console) {
        Ok(Ending::Report(report)) => tell(&*report, console).into(),
        Ok(Ending::Told(exit_code)) => exit_code,
        Err(failure) => match arguments.command.stream() {
            Some(stream) if arguments.json => {
                let _ = console.event(stream, &failure);
                failure.exit_code().into()
            }
            _ => fail(&failure, console).into(),
        },
    }
}

/// A reader that went away, like `more` that was quit, is no failure, here and below.
fn tell(report: &dyn Report, console: &mut Console<'_>) -> ExitCode {
    let _ = console.report(report);
    report.exit_code()
}

/// A failure goes to standard error, or is the JSON document that standard output holds.
fn fail(failure: &Failure, console: &mut Console<'_>) -> ExitCode {
    if console.speaks_json() {
        return tell(failure, console);
    }
    let _ = console.write(Stream::Error, &failure.human());
    failure.exit_code()
}

/// Help and version are asked for and go to standard output; everything else that clap has to say is a failure.
fn not_understood(error: &clap::Error, console: &mut Console<'_>) -> ExitCode {
    let text = error.render();
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        let _ = console.write(Stream::Output, &text.ansi().to_string());
        return ExitCode::Success;
    }
    if console.speaks_json() {
        let text = text.to_string();
        let why = text.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned();
        let advice = "Run `anycastctl --help`, or `anycastctl COMMAND --help`";
        return fail(&Failure::new(FailureKind::Usage, "cannot understand the command line", why, advice), console);
    }
    let _ = console.write(Stream::Error, &text.ansi().to_string());
    ExitCode::Usage
}
