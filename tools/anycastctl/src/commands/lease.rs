//! `leases`.

use netio_anycast_client::{Access, LeaseEntry, LeaseSelection};

use crate::arguments::SelectionArguments;
use crate::commands::aliases::Aliases;
use crate::commands::connect;
use crate::failure::Failure;
use crate::platform::Platform;
use crate::report::lease::{LeaseReport, Leases};

/// Lists who holds what.
pub(super) fn leases(
    platform: &dyn Platform,
    arguments: &SelectionArguments,
    process_id: Option<u32>,
) -> Result<Leases, Failure> {
    let selection = LeaseSelection { table: arguments.resolve(platform)?, process_id };
    let client = connect(platform, Access::Read)?;
    let list = client.leases(selection).map_err(|error| arguments.failure(error, "leases"))?;
    let mut aliases = Aliases::of(platform);
    let leases = list.leases.into_iter().map(|lease| {
        let LeaseEntry { entry, sharing, holders, process_id, age } = lease;
        let image = platform.process_image(process_id);
        LeaseReport { address: aliases.describe(entry), sharing, holders, process_id, image, age }
    });
    Ok(Leases { generation: list.generation, leases: leases.collect() })
}
