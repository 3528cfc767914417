//! The commands.

mod address;
mod service;
mod version;

use crate::arguments::Command;
use crate::failure::Failure;
use crate::platform::Platform;
use crate::report::Report;

/// Runs one command.
pub(crate) fn run(command: &Command, platform: &dyn Platform) -> Result<Report, Failure> {
    match command {
        Command::Install { inf } => service::install(platform, inf.as_deref()),
        Command::Uninstall { inf } => service::uninstall(platform, inf.as_deref()),
        Command::Start => service::start(platform),
        Command::Stop => service::stop(platform),
        Command::Status => service::status(platform),
        Command::Add(target) => address::add(platform, target),
        Command::Delete(target) => address::delete(platform, target),
        Command::Get(target) => address::get(platform, target),
        Command::List { family, interface } => address::list(platform, family.map(Into::into), interface.as_ref()),
        Command::Version => version::version(platform),
    }
}
