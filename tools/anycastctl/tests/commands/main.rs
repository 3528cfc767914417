//! Every command and every message, on a platform in memory: the driver's own engine over the model of NetIO, and a service
//! control manager that does as it is told.

mod addresses;
mod apply;
mod bench;
mod doctor;
mod documentation;
mod fake;
mod hold;
#[path = "../../../../crates/client/tests/support/in_process.rs"]
mod in_process;
mod installation;
mod leases;
mod messages;
mod progress;
mod recipes;
mod refusals;
mod script;
mod selftest;
mod services;
mod statistics;
mod usage;
mod watch;

use std::ffi::OsString;
use std::fmt::Write as _;
use std::net::IpAddr;

use anycastctl::console::Console;
use anycastctl::failure::Failure;
use anycastctl::platform::Platform;

use netio_anycast_client::{Client, LeaseSelection};

use crate::fake::Fake;
use crate::in_process::InProcessDriver;

/// What a run of the program leaves behind.
struct Output {
    stdout: String,
    stderr: String,
    exit_code: i32,
}

/// The words of a command line that is given as a person types it; quotation marks keep blanks together.
fn words(command_line: &str) -> impl Iterator<Item = OsString> {
    let words = command_line.split('"').enumerate().flat_map(|(position, part)| {
        let quoted = position % 2 == 1;
        let words: Vec<&str> = if quoted { vec![part] } else { part.split_whitespace().collect() };
        words
    });
    std::iter::once("anycastctl").chain(words).map(OsString::from)
}

/// Runs one command line.
fn run(platform: Result<&dyn Platform, Failure>, command_line: &str) -> Output {
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let mut console = Console::new(&mut stdout, &mut stderr);
    let exit_code = anycastctl::run(words(command_line), platform, &mut console);
    let [stdout, stderr] = [stdout, stderr].map(|text| String::from_utf8(text).expect("it writes UTF-8"));
    Output { stdout, stderr, exit_code }
}

/// What a person sees who types these command lines one after the other: both streams, and in brackets what happens meanwhile.
fn transcript(platform: &Fake, command_lines: &[&str]) -> String {
    let mut text = String::new();
    for command_line in command_lines {
        let screen = &platform.screen;
        let mut console = (screen.clone(), screen.clone());
        let mut console = Console::new(&mut console.0, &mut console.1);
        let exit_code = anycastctl::run(words(command_line), Ok(platform), &mut console);
        let seen = anstream::adapter::strip_str(&screen.take()).to_string();
        write!(text, "$ anycastctl {command_line}\n{seen}[exit code {exit_code}]\n\n")
            .expect("a string takes any text");
    }
    text
}

fn ip(text: &str) -> IpAddr {
    text.parse().expect("an IP address")
}

/// How many leases there are.
fn leases(driver: &InProcessDriver) -> usize {
    let client = Client::connect(driver.open()).expect("it speaks this protocol");
    client.leases(LeaseSelection::default()).expect("they can be listed").leases.len()
}
