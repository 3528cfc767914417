//! The commands.

mod address;
mod aliases;
mod apply;
mod bench;
mod completions;
mod doctor;
mod events;
mod hold;
mod lease;
mod place;
mod selftest;
mod service;
mod statistics;
mod version;
mod watch;

use netio_anycast_client::{Access, Client, Error, Transport, query_version};

use crate::arguments::Command;
use crate::console::Console;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::platform::Platform;
use crate::report::Report;

/// How a command that did not fail ended.
pub(crate) enum Ending {
    /// With something to tell.
    Report(Box<dyn Report>),
    /// Everything was told as it happened; with this exit code.
    Told(i32),
}

impl<R: Report + 'static> From<R> for Ending {
    fn from(report: R) -> Self {
        Self::Report(Box::new(report))
    }
}

/// Runs one command.
pub(crate) fn run(
    command: &Command,
    platform: Result<&dyn Platform, Failure>,
    console: &mut Console<'_>,
) -> Result<Ending, Failure> {
    if let Command::Completions { shell } = command {
        return Ok(completions::completions(*shell).into());
    }
    let platform = platform?;
    Ok(match command {
        Command::Install { inf } => service::install(platform, inf.as_deref())?.into(),
        Command::Uninstall { inf } => service::uninstall(platform, inf.as_deref())?.into(),
        Command::Start => service::start(platform)?.into(),
        Command::Stop => service::stop(platform)?.into(),
        Command::Status => service::status(platform)?.into(),
        Command::Add(target) => address::add(platform, target)?.into(),
        Command::Delete { target, force } => address::delete(platform, target, *force)?.into(),
        Command::Get(target) => address::get(platform, target)?.into(),
        Command::List(selection) => address::list(platform, selection)?.into(),
        Command::Apply(arguments) => apply::apply(platform, arguments, console)?.into(),
        Command::Watch(selection) => {
            watch::watch(platform, selection, console)?;
            Ending::Told(ExitCode::Success.into())
        }
        Command::Hold(arguments) => Ending::Told(hold::hold(platform, arguments, console)?),
        Command::Leases { selection, process } => lease::leases(platform, selection, *process)?.into(),
        Command::Selftest(arguments) => selftest::selftest(platform, arguments, console)?.into(),
        Command::Bench(arguments) => bench::bench(platform, arguments)?.into(),
        Command::Doctor => doctor::doctor(platform).into(),
        Command::Stats => statistics::statistics(platform)?.into(),
        Command::Completions { shell } => completions::completions(*shell).into(),
        Command::Version => version::version(platform)?.into(),
    })
}

/// Whether the driver that the client is connected to is still there. It is asked for what it can't fail to tell.
fn answers<T: Transport>(client: &Client<T>) -> bool {
    query_version(client.transport()).is_ok()
}

/// A client of the running driver.
fn connect<'a>(platform: &'a dyn Platform, access: Access) -> Result<Client<Box<dyn Transport + 'a>>, Error> {
    Client::connect(platform.open(access)?)
}
