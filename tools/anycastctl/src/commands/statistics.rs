//! `stats`.

use netio_anycast_client::Access;

use crate::commands::connect;
use crate::failure::Failure;
use crate::platform::Platform;
use crate::report::statistics::Counters;

/// Shows the driver's counters.
pub(super) fn statistics(platform: &dyn Platform) -> Result<Counters, Failure> {
    Ok(Counters(connect(platform, Access::Read)?.statistics()?))
}
