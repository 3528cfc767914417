//! `version`.

use netio_anycast_client::{Access, query_version};

use crate::failure::Failure;
use crate::platform::Platform;
use crate::report::driver::Versions;

/// Shows a driver of another protocol, too: that is when people ask.
pub(super) fn version(platform: &dyn Platform) -> Result<Versions, Failure> {
    let version = query_version(&platform.open(Access::Read)?)?;
    Ok(Versions(version.into()))
}
