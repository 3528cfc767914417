//! `model-control`: arranges the simulated NetIO from the command line. Part of the demo in Wine.

#![forbid(unsafe_code)]

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(about, disable_help_subcommand = true)]
struct Arguments {
    #[command(subcommand)]
    command: Arrange,
}

#[derive(Clone, Copy, Subcommand)]
enum Arrange {
    /// Forget everything, then add two interfaces with IPv4 and IPv6: indexes 12 and 13
    Reset,
    /// Take the IPv6 stack away, and everything that needs it
    RemoveIpv6,
    /// Tell what was called and whether anything leaked
    State,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(arguments.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("model-control: {error}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(windows)]
fn run(command: Arrange) -> Result<(), String> {
    use model_control::ModelDevice;
    use netio_anycast_client::{Access, DeviceTransport};
    use netio_anycast_protocol::address::Luid;
    use netio_model::{Families, Function, Interface, Settings};

    /// IANA's interface type of Ethernet.
    const ETHERNET: u16 = 6;

    let device = DeviceTransport::open_path(netio_model::control::DEVICE_PATH, Access::ReadWrite)
        .map_err(|error| format!("the simulated NetIO does not answer: {error}"))?;
    let model = ModelDevice::new(device);
    let done = match command {
        Arrange::Reset => model.reset().and_then(|()| {
            [12, 13].into_iter().try_for_each(|index| {
                let luid = Luid::new(ETHERNET, index);
                model.add_interface(Interface { luid, index, families: Families::all(), scope_id: 0 })
            })
        }),
        Arrange::RemoveIpv6 => model.configure(Settings { stacks: Families::IPV4, ..Settings::default() }),
        Arrange::State => model.state().map(|state| {
            for function in Function::ALL {
                println!("{:>7} calls of {function}", state.calls[function as usize]);
            }
            println!("{:>7} addresses left", state.entries);
            println!("{:>7} tables not freed", state.outstanding_tables);
            println!("{:>7} wrong frees", state.double_frees + state.unknown_frees);
        }),
    };
    done.map_err(|error| format!("the simulated NetIO refused: {} ({})", error.status, error.win32))
}

#[cfg(not(windows))]
fn run(_command: Arrange) -> Result<(), String> {
    Err("the simulated NetIO is in Wine's kernel; run this as a Windows program: cargo xtask demo does".to_owned())
}
