//! `anycastctl`, the command line of the netio-anycast driver.

#![forbid(unsafe_code)]

use std::io::{self, Write};

use anstream::{AutoStream, ColorChoice};
use anycastctl::console::{Console, Plain};
use indicatif::ProgressDrawTarget;

fn main() {
    // Colours are for terminals, and for those who want them.
    let mut stdout: Box<dyn Write> = match AutoStream::choice(&io::stdout()) {
        ColorChoice::Never => Box::new(Plain(io::stdout())),
        _ => Box::new(anstream::stdout()),
    };
    let mut stderr: Box<dyn Write> = match AutoStream::choice(&io::stderr()) {
        ColorChoice::Never => Box::new(Plain(io::stderr())),
        _ => Box::new(anstream::stderr()),
    };
    let mut console = Console::new(&mut stdout, &mut stderr).with_progress(ProgressDrawTarget::stderr());
    #[cfg(windows)]
    let platform: Result<&dyn anycastctl::platform::Platform, _> = Ok(&anycastctl::windows::System);
    #[cfg(not(windows))]
    let platform = Err(anycastctl::failure::Failure::not_windows());
    let exit_code = anycastctl::run(std::env::args_os(), platform, &mut console);
    // The standard library's ExitCode has 8 bits, and programs on Windows have 32.
    std::process::exit(exit_code);
}
