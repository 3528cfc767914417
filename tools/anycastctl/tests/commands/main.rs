//! Every command and every message, on a platform in memory: the driver's own engine over the model of NetIO, and a service
//! control manager that does as it is told.

mod addresses;
mod apply;
mod fake;
mod installation;
mod leases;
mod refusals;
mod services;
mod statistics;
#[path = "../../../../crates/client/tests/support/mod.rs"]
mod support;
mod usage;

use std::ffi::OsString;
use std::fmt::Write as _;
use std::net::IpAddr;

use anycastctl::console::Console;
use anycastctl::exit_code::ExitCode;
use anycastctl::failure::Failure;
use anycastctl::platform::Platform;

/// What a run of the program leaves behind.
struct Output {
    stdout: String,
    stderr: String,
    exit_code: ExitCode,
}

/// Runs one command line, given as a person types it; quotation marks keep blanks together.
fn run(platform: Result<&dyn Platform, Failure>, command_line: &str) -> Output {
    let words = command_line.split('"').enumerate().flat_map(|(position, part)| {
        let quoted = position % 2 == 1;
        let words: Vec<&str> = if quoted { vec![part] } else { part.split_whitespace().collect() };
        words
    });
    let command_line: Vec<OsString> = std::iter::once("anycastctl").chain(words).map(OsString::from).collect();
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let exit_code = anycastctl::run(command_line, platform, &mut Console::new(&mut stdout, &mut stderr));
    let [stdout, stderr] = [stdout, stderr].map(|text| String::from_utf8(text).expect("it writes UTF-8"));
    Output { stdout, stderr, exit_code }
}

/// What a person sees who types these command lines one after the other.
fn transcript(platform: &dyn Platform, command_lines: &[&str]) -> String {
    let mut text = String::new();
    for command_line in command_lines {
        let output = run(Ok(platform), command_line);
        let seen = anstream::adapter::strip_str(&output.stdout).to_string()
            + &anstream::adapter::strip_str(&output.stderr).to_string();
        write!(text, "$ anycastctl {command_line}\n{seen}[exit code {}]\n\n", output.exit_code as u8)
            .expect("a string takes any text");
    }
    text
}

fn ip(text: &str) -> IpAddr {
    text.parse().expect("an IP address")
}
