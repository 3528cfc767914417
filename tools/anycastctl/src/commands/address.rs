//! `add`, `delete`, `get` and `list`.

use netio_anycast_client::{Access, Client, Entry, Error, Family, InterfaceName, Selection, Transport};

use crate::arguments::Target;
use crate::failure::Failure;
use crate::platform::Platform;
use crate::report::{AddressReport, Report};

pub(super) fn add(platform: &dyn Platform, target: &Target) -> Result<Report, Failure> {
    let interface = target.interface.resolve(platform.interfaces())?;
    let entry = connect(platform, Access::ReadWrite)?.create(target.address, interface)?;
    Ok(Report::Added(describe(platform, entry)))
}

pub(super) fn delete(platform: &dyn Platform, target: &Target) -> Result<Report, Failure> {
    let interface = target.interface.resolve(platform.interfaces())?;
    connect(platform, Access::ReadWrite)?.delete(target.address, interface)?;
    Ok(Report::Deleted { address: target.address, interface: target.interface.to_string() })
}

pub(super) fn get(platform: &dyn Platform, target: &Target) -> Result<Report, Failure> {
    let interface = target.interface.resolve(platform.interfaces())?;
    let entry = connect(platform, Access::Read)?.get(target.address, interface)?;
    Ok(Report::Address(describe(platform, entry)))
}

pub(super) fn list(
    platform: &dyn Platform,
    family: Option<Family>,
    interface: Option<&InterfaceName>,
) -> Result<Report, Failure> {
    let interface = interface.map(|interface| interface.resolve(platform.interfaces())).transpose()?;
    let table = connect(platform, Access::Read)?.table(Selection { family, interface })?;
    let addresses = table.entries.into_iter().map(|entry| describe(platform, entry)).collect();
    Ok(Report::Addresses { generation: table.generation, addresses })
}

fn connect<'a>(platform: &'a dyn Platform, access: Access) -> Result<Client<Box<dyn Transport + 'a>>, Error> {
    Client::connect(platform.open(access)?)
}

/// The entry with the alias that people know its interface by.
fn describe(platform: &dyn Platform, entry: Entry) -> AddressReport {
    AddressReport { entry, alias: platform.interfaces().alias_of(entry.luid) }
}
