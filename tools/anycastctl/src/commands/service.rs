//! `install`, `uninstall`, `start`, `stop` and `status`.

mod installation;
mod waiting;

use netio_anycast_client::{Access, query_version};

pub(super) use installation::{driver_image, install, uninstall};

use crate::codes;
use crate::failure::Failure;
use crate::platform::{Platform, ServiceInfo, ServiceState};
use crate::report::driver::DriverReport;
use crate::report::service::{ServiceChange, ServiceReport, StatusReport};
use crate::service_failure;

/// Starts the driver. That it runs already is what was wanted.
pub(super) fn start(platform: &dyn Platform) -> Result<ServiceReport, Failure> {
    let what = "cannot start the driver";
    let done = match platform.service().start() {
        Ok(()) => ServiceChange::Started,
        Err(codes::SERVICE_ALREADY_RUNNING) => ServiceChange::AlreadyRunning,
        Err(code) => return Err(service_failure::refused(what, code)),
    };
    let service = waiting::until(platform, ServiceState::Running, what)?;
    Ok(changed(done, Some(&service)))
}

/// Stops the driver and waits until it has stopped. That it does not run is what was wanted.
pub(super) fn stop(platform: &dyn Platform) -> Result<ServiceReport, Failure> {
    let what = "cannot stop the driver";
    let done = match platform.service().stop() {
        // It may be being stopped already, by somebody else or since an earlier try: what remains is to wait.
        Ok(()) | Err(codes::SERVICE_CANNOT_ACCEPT_CTRL) => ServiceChange::Stopped,
        Err(codes::SERVICE_NOT_ACTIVE) => ServiceChange::AlreadyStopped,
        Err(code) => return Err(service_failure::refused(what, code)),
    };
    let service = waiting::until(platform, ServiceState::Stopped, what)?;
    Ok(changed(done, Some(&service)))
}

/// Whatever can be found out about the driver, whether it runs or not.
pub(super) fn status(platform: &dyn Platform) -> Result<StatusReport, Failure> {
    let service = platform
        .service()
        .query()
        .map_err(|code| service_failure::refused("cannot read the state of the driver's service", code))?;
    let mut status = StatusReport { service, driver: None };
    if status.is_running() {
        status.driver = Some(driver(platform));
    }
    Ok(status)
}

fn driver(platform: &dyn Platform) -> Result<DriverReport, Failure> {
    let version = query_version(&platform.open(Access::Read)?)?;
    Ok(version.into())
}

fn changed(done: ServiceChange, service: Option<&ServiceInfo>) -> ServiceReport {
    ServiceReport { done, image: service.map(|service| service.image.clone()), package_left: false }
}
