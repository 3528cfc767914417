//! `lease-client`: one client, until it is killed. It writes a line when it is at work.

#![forbid(unsafe_code)]

use std::process::ExitCode;

use clap::Parser;
use test_clients::Mode;

#[derive(Parser)]
#[command(about = "Uses the driver until it is killed. Part of the tests in Wine", disable_help_subcommand = true)]
struct Arguments {
    /// What it does
    mode: Mode,
    /// What decides how
    seed: u64,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("lease-client {} {}: {error}", arguments.mode.name(), arguments.seed);
            ExitCode::FAILURE
        }
    }
}

#[cfg(windows)]
fn run(arguments: &Arguments) -> Result<(), String> {
    use std::io::{Write as _, stdin, stdout};

    use netio_anycast_client::{Access, Client, DeviceTransport};
    use test_clients::Worker;

    let device = DeviceTransport::open(Access::ReadWrite).map_err(|error| error.to_string())?;
    let client = Client::connect(device).map_err(|error| error.to_string())?;
    let mut worker = Worker::new(&client, arguments.mode, arguments.seed);
    worker.begin().map_err(|error| error.to_string())?;
    writeln!(stdout(), "at work").and_then(|()| stdout().flush()).map_err(|error| error.to_string())?;
    if arguments.mode == Mode::Hold {
        // Until whoever has started it closes the pipe, which nobody does.
        return stdin().lines().try_for_each(|line| line.map(drop)).map_err(|error| error.to_string());
    }
    loop {
        worker.round().map_err(|error| error.to_string())?;
    }
}

#[cfg(not(windows))]
fn run(_arguments: &Arguments) -> Result<(), String> {
    Err("the driver runs on Windows, or in Wine: cargo xtask wine starts this there".to_owned())
}
