//! The driver's service: what became of it, and how it is.

use netio_anycast_client::protocol::SERVICE_NAME;
use netio_anycast_client::protocol::version::PROTOCOL_VERSION;
use serde::Serialize;
use serde_json::{Value, json};

use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::human::{self, BAD, GOOD};
use crate::platform::{ServiceInfo, ServiceState};
use crate::report::Report;
use crate::report::driver::DriverReport;

/// What became of the service.
#[derive(Clone, Debug)]
pub(crate) struct ServiceReport {
    /// What was done.
    pub(crate) done: ServiceChange,
    /// The driver's image, if it is installed.
    pub(crate) image: Option<String>,
    /// The driver package could not be removed for want of its INF; the service is gone all the same.
    pub(crate) package_left: bool,
}

/// What was done to the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ServiceChange {
    /// It was installed.
    Installed,
    /// It was removed.
    Uninstalled,
    /// It was started.
    Started,
    /// It ran already.
    AlreadyRunning,
    /// It was stopped.
    Stopped,
    /// It did not run.
    AlreadyStopped,
}

impl Report for ServiceReport {
    fn human(&self) -> String {
        let image = self.image.as_deref().unwrap_or("an unknown image");
        match self.done {
            ServiceChange::Installed => {
                format!("Installed the driver: {image}\nStart it with `anycastctl start`.\n")
            }
            ServiceChange::Uninstalled if self.package_left => "Uninstalled the driver.\n\
                Its package is still in the driver store, since its INF was not given: `pnputil /enum-drivers` shows it, \
                `pnputil /delete-driver oemNN.inf` removes it.\n"
                .to_owned(),
            ServiceChange::Uninstalled => "Uninstalled the driver.\n".to_owned(),
            ServiceChange::Started => "Started the driver.\n".to_owned(),
            ServiceChange::AlreadyRunning => "The driver was running already.\n".to_owned(),
            ServiceChange::Stopped => "Stopped the driver.\n".to_owned(),
            ServiceChange::AlreadyStopped => "The driver was not running.\n".to_owned(),
        }
    }

    fn json(&self) -> Value {
        json!({
            "service": SERVICE_NAME,
            "done": self.done,
            "image": self.image,
            "package_left": self.package_left,
        })
    }
}

/// Everything about the driver.
#[derive(Clone, Debug)]
pub(crate) struct StatusReport {
    /// The service, or `None` if it is not installed.
    pub(crate) service: Option<ServiceInfo>,
    /// What the driver says, or why it could not be asked. `None` if it does not run.
    pub(crate) driver: Option<Result<DriverReport, Failure>>,
}

impl StatusReport {
    /// Whether the service runs.
    pub(crate) fn is_running(&self) -> bool {
        self.service.as_ref().is_some_and(|service| service.state == ServiceState::Running)
    }
}

impl Report for StatusReport {
    fn human(&self) -> String {
        let Some(service) = &self.service else {
            return human::list(&[("Service", format!("{SERVICE_NAME}: {BAD}not installed{BAD:#}"))]);
        };
        let state = match service.state {
            ServiceState::Stopped => format!("{BAD}stopped{BAD:#}"),
            ServiceState::Starting => format!("{BAD}starting{BAD:#}"),
            ServiceState::Running => format!("{GOOD}running{GOOD:#}"),
            ServiceState::Stopping => format!("{BAD}stopping{BAD:#}"),
        };
        let driver = match &self.driver {
            Some(Ok(driver)) if driver.is_compatible() => driver.summary(),
            Some(Ok(driver)) => {
                format!("{} ({BAD}this program speaks protocol {PROTOCOL_VERSION}{BAD:#})", driver.summary())
            }
            Some(Err(failure)) => format!("{BAD}{}: {}{BAD:#} [{}]", failure.what, failure.why, failure.codes()),
            None => "not running".to_owned(),
        };
        human::list(&[
            ("Service", format!("{SERVICE_NAME}: {state}")),
            ("Image", service.image.clone()),
            ("Driver", driver),
        ])
    }

    fn json(&self) -> Value {
        let service = self.service.as_ref();
        let driver = match &self.driver {
            Some(Ok(driver)) => driver.to_json(),
            Some(Err(failure)) => json!({ "error": failure }),
            None => Value::Null,
        };
        json!({
            "service": {
                "name": SERVICE_NAME,
                "installed": service.is_some(),
                "state": service.map(|service| service.state),
                "image": service.map(|service| &service.image),
            },
            "driver": driver,
        })
    }

    fn exit_code(&self) -> ExitCode {
        match &self.driver {
            Some(Ok(driver)) if driver.is_compatible() => ExitCode::Success,
            Some(Ok(_)) => ExitCode::Incompatible,
            Some(Err(failure)) => failure.kind.exit_code(),
            None => ExitCode::NoDriver,
        }
    }
}
