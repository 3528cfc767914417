//! `version`.

use netio_anycast_client::protocol::version::PROTOCOL_VERSION;
use netio_anycast_client::{Access, query_version};

use crate::failure::Failure;
use crate::platform::Platform;
use crate::report::{DriverReport, Report};

/// Shows a driver of another protocol, too: that is when people ask.
pub(super) fn version(platform: &dyn Platform) -> Result<Report, Failure> {
    let version = query_version(&platform.open(Access::Read)?)?;
    Ok(Report::Version(DriverReport::from(version), version.protocol == PROTOCOL_VERSION))
}
