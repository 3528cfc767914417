//! `add`, `delete`, `get` and `list`.

use netio_anycast_client::protocol::status::NtStatus;
use netio_anycast_client::{Access, Error};

use crate::arguments::{SelectionArguments, Target};
use crate::commands::aliases::Aliases;
use crate::commands::connect;
use crate::failure::Failure;
use crate::platform::Platform;
use crate::report::address::{Added, Addresses, Deleted, Found};

pub(super) fn add(platform: &dyn Platform, target: &Target) -> Result<Added, Failure> {
    let interface = target.interface.resolve(platform.interfaces())?;
    let client = connect(platform, Access::ReadWrite)?;
    let entry = client.create(target.address, interface).map_err(|error| failure(error, "cannot add", target, "to"))?;
    Ok(Added(Aliases::of(platform).describe(entry)))
}

pub(super) fn delete(platform: &dyn Platform, target: &Target, force: bool) -> Result<Deleted, Failure> {
    let interface = target.interface.resolve(platform.interfaces())?;
    let client = connect(platform, Access::ReadWrite)?;
    let deleted =
        if force { client.force_delete(target.address, interface) } else { client.delete(target.address, interface) };
    deleted.map_err(|error| {
        let is_leased = !force && error.status() == Some(NtStatus::ACCESS_DENIED);
        let failure = failure(error, "cannot delete", target, "from");
        if is_leased { leased_by_others(failure) } else { failure }
    })?;
    Ok(Deleted { address: target.address, interface: target.interface.to_string() })
}

pub(super) fn get(platform: &dyn Platform, target: &Target) -> Result<Found, Failure> {
    let interface = target.interface.resolve(platform.interfaces())?;
    let client = connect(platform, Access::Read)?;
    let entry = client.get(target.address, interface).map_err(|error| failure(error, "cannot read", target, "of"))?;
    Ok(Found(Aliases::of(platform).describe(entry)))
}

pub(super) fn list(platform: &dyn Platform, arguments: &SelectionArguments) -> Result<Addresses, Failure> {
    let selection = arguments.resolve(platform)?;
    let client = connect(platform, Access::Read)?;
    let table = client.table(selection).map_err(|error| arguments.failure(error, "anycast addresses"))?;
    let mut aliases = Aliases::of(platform);
    let addresses = table.entries.into_iter().map(|entry| aliases.describe(entry)).collect();
    Ok(Addresses { generation: table.generation, addresses })
}

/// The device is open for writing, so there is but one reason.
fn leased_by_others(failure: Failure) -> Failure {
    Failure {
        why: "another program holds a lease on the address".to_owned(),
        advice: "See with `anycastctl leases` who holds it and end that program, or delete it with --force".to_owned(),
        ..failure
    }
}

/// The failure, with the interface as it was named on the command line: the client knows but its LUID.
fn failure(error: Error, cannot: &str, target: &Target, preposition: &str) -> Failure {
    let what = format!("{cannot} {} {preposition} interface {}", target.address, target.interface);
    Failure { what, ..error.into() }
}
