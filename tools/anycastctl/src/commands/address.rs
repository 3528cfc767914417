//! `add`, `delete`, `get` and `list`.

use netio_anycast_client::{Access, Client, Entry, Error, Family, InterfaceName, Selection, Transport};

use crate::arguments::Target;
use crate::failure::Failure;
use crate::platform::Platform;
use crate::report::{AddressReport, Report};

pub(super) fn add(platform: &dyn Platform, target: &Target) -> Result<Report, Failure> {
    let interface = target.interface.resolve(platform.interfaces())?;
    let client = connect(platform, Access::ReadWrite)?;
    let entry = client.create(target.address, interface).map_err(|error| failure(error, "cannot add", target, "to"))?;
    Ok(Report::Added(describe(platform, entry)))
}

pub(super) fn delete(platform: &dyn Platform, target: &Target) -> Result<Report, Failure> {
    let interface = target.interface.resolve(platform.interfaces())?;
    let client = connect(platform, Access::ReadWrite)?;
    client.delete(target.address, interface).map_err(|error| failure(error, "cannot delete", target, "from"))?;
    Ok(Report::Deleted { address: target.address, interface: target.interface.to_string() })
}

pub(super) fn get(platform: &dyn Platform, target: &Target) -> Result<Report, Failure> {
    let interface = target.interface.resolve(platform.interfaces())?;
    let client = connect(platform, Access::Read)?;
    let entry = client.get(target.address, interface).map_err(|error| failure(error, "cannot read", target, "of"))?;
    Ok(Report::Address(describe(platform, entry)))
}

pub(super) fn list(
    platform: &dyn Platform,
    family: Option<Family>,
    interface: Option<&InterfaceName>,
) -> Result<Report, Failure> {
    let selected = interface.map(|interface| interface.resolve(platform.interfaces())).transpose()?;
    let client = connect(platform, Access::Read)?;
    let table = client.table(Selection { family, interface: selected }).map_err(|error| match interface {
        Some(interface) => {
            Failure { what: format!("cannot list the anycast addresses of interface {interface}"), ..error.into() }
        }
        None => error.into(),
    })?;
    let addresses = table.entries.into_iter().map(|entry| describe(platform, entry)).collect();
    Ok(Report::Addresses { generation: table.generation, addresses })
}

fn connect<'a>(platform: &'a dyn Platform, access: Access) -> Result<Client<Box<dyn Transport + 'a>>, Error> {
    Client::connect(platform.open(access)?)
}

/// The failure, with the interface as it was named on the command line: the client knows but its LUID.
fn failure(error: Error, cannot: &str, target: &Target, preposition: &str) -> Failure {
    let what = format!("{cannot} {} {preposition} interface {}", target.address, target.interface);
    Failure { what, ..error.into() }
}

/// The entry with the alias that people know its interface by.
fn describe(platform: &dyn Platform, entry: Entry) -> AddressReport {
    AddressReport { entry, alias: platform.interfaces().alias_of(entry.luid) }
}
