//! `anycastctl`, the command line of the netio-anycast driver.

#![forbid(unsafe_code)]

use std::io::Write;
use std::process::ExitCode;

fn main() -> ExitCode {
    #[cfg(windows)]
    let output = anycastctl::run(std::env::args_os(), Ok(&anycastctl::windows::System));
    #[cfg(not(windows))]
    let output = anycastctl::run(std::env::args_os(), Err(anycastctl::failure::Failure::not_windows()));
    // These drop the colours if nobody would see them. A reader that went away, like `more` that was quit, is no failure.
    let _ = anstream::stderr().write_all(output.stderr.as_bytes());
    let _ = anstream::stdout().write_all(output.stdout.as_bytes());
    output.exit_code.into()
}
