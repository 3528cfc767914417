//! Waiting for the service, within bounds.

use std::time::Duration;

use crate::failure::Failure;
use crate::platform::{Platform, ServiceInfo, ServiceState};
use crate::service_failure;

/// A driver that is busy unloading may take this long; Wine's took up to 14 s.
const PATIENCE: Duration = Duration::from_mins(1);
const INTERVAL: Duration = Duration::from_millis(100);

/// Waits until the service is in that state.
pub(super) fn until(platform: &dyn Platform, target: ServiceState, what: &str) -> Result<ServiceInfo, Failure> {
    let mut waited = Duration::ZERO;
    loop {
        let service = query(platform, what)?.ok_or_else(|| service_failure::not_installed(what))?;
        if service.state == target {
            return Ok(service);
        }
        if waited >= PATIENCE {
            return Err(service_failure::too_slow(what, service.state, waited));
        }
        platform.sleep(INTERVAL);
        waited += INTERVAL;
    }
}

/// Waits until there is no such service any more, and tells whether that came.
pub(super) fn until_gone(platform: &dyn Platform, what: &str) -> Result<bool, Failure> {
    let mut waited = Duration::ZERO;
    while query(platform, what)?.is_some() {
        if waited >= PATIENCE {
            return Ok(false);
        }
        platform.sleep(INTERVAL);
        waited += INTERVAL;
    }
    Ok(true)
}

pub(super) fn query(platform: &dyn Platform, what: &str) -> Result<Option<ServiceInfo>, Failure> {
    platform.service().query().map_err(|code| service_failure::refused(what, code))
}
