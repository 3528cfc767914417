//! What the commands have to tell, and how JSON puts it.

use std::net::IpAddr;

use netio_anycast_client::protocol::SERVICE_NAME;
use netio_anycast_client::protocol::version::{Features, PROTOCOL_VERSION, Version};
use netio_anycast_client::{Entry, Family};
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::platform::{ServiceInfo, ServiceState};

/// What a command that did not fail has to tell.
#[derive(Clone, Debug)]
pub enum Report {
    /// An address was added.
    Added(AddressReport),
    /// An address was deleted.
    Deleted {
        /// The address.
        address: IpAddr,
        /// The interface, as it was named.
        interface: String,
    },
    /// One address.
    Address(AddressReport),
    /// Many addresses.
    Addresses {
        /// The driver's generation before they were read.
        generation: u64,
        /// Sorted by LUID, family and address.
        addresses: Vec<AddressReport>,
    },
    /// The driver, and whether it speaks this program's protocol.
    Version(DriverReport, bool),
    /// The service is now in a state that was asked for.
    Service(ServiceReport),
    /// Everything about the driver.
    Status(StatusReport),
}

/// One address on one interface.
#[derive(Clone, Debug)]
pub struct AddressReport {
    /// The driver's word.
    pub entry: Entry,
    /// The interface's alias, if the system knows one.
    pub alias: Option<String>,
}

/// What the driver says of itself.
#[derive(Clone, Debug)]
pub struct DriverReport {
    /// Its version: major, minor, patch, build.
    pub version: String,
    /// The protocol it speaks.
    pub protocol: u32,
    /// The names of its features; those that this program does not know are left out.
    pub features: Vec<String>,
    /// The limits, by name; zero where the feature is missing.
    pub limits: [(&'static str, u32); 4],
}

/// What became of the service.
#[derive(Clone, Debug)]
pub struct ServiceReport {
    /// What was done.
    pub done: ServiceChange,
    /// The driver's image, if it is installed.
    pub image: Option<String>,
    /// The driver package could not be removed for want of its INF; the service is gone all the same.
    pub package_left: bool,
}

/// What was done to the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ServiceChange {
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

/// Everything about the driver.
#[derive(Clone, Debug)]
pub struct StatusReport {
    /// The service, or `None` if it is not installed.
    pub service: Option<ServiceInfo>,
    /// What the driver says, or why it could not be asked. `None` if it does not run.
    pub driver: Option<Result<DriverReport, Failure>>,
}

impl Report {
    /// The exit code of a run that ended with this report.
    #[must_use]
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Version(_, false) => ExitCode::Incompatible,
            Self::Status(status) => match &status.driver {
                Some(Ok(driver)) if driver.protocol == PROTOCOL_VERSION => ExitCode::Success,
                Some(Ok(_)) => ExitCode::Incompatible,
                Some(Err(failure)) => failure.kind.exit_code(),
                None => ExitCode::NoDriver,
            },
            _ => ExitCode::Success,
        }
    }

    fn to_json(&self) -> Value {
        match self {
            Self::Added(address) => json!({ "added": address.to_json() }),
            Self::Deleted { address, interface } => {
                json!({ "deleted": { "address": address, "interface": interface } })
            }
            Self::Address(address) => json!({ "address": address.to_json() }),
            Self::Addresses { generation, addresses } => {
                let addresses: Vec<Value> = addresses.iter().map(AddressReport::to_json).collect();
                json!({ "generation": generation, "addresses": addresses })
            }
            Self::Version(driver, compatible) => json!({
                "program": { "version": env!("CARGO_PKG_VERSION"), "protocol": PROTOCOL_VERSION },
                "driver": driver.to_json(),
                "compatible": compatible,
            }),
            Self::Service(service) => json!({
                "service": SERVICE_NAME,
                "done": service.done,
                "image": service.image,
                "package_left": service.package_left,
            }),
            Self::Status(status) => status.to_json(),
        }
    }
}

impl Serialize for Report {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_json().serialize(serializer)
    }
}

impl AddressReport {
    fn to_json(&self) -> Value {
        let family = match Family::of(self.entry.address) {
            Family::Ipv4 => "ipv4",
            Family::Ipv6 => "ipv6",
        };
        json!({
            "address": self.entry.address,
            "family": family,
            "interface": {
                "alias": self.alias,
                "index": self.entry.index,
                // As text: 64 bits are more than many readers of JSON take a number for.
                "luid": self.entry.luid.to_string(),
            },
            "scope_id": self.entry.scope_id,
        })
    }
}

impl From<Version> for DriverReport {
    fn from(version: Version) -> Self {
        let features = Features::from_bits_truncate(version.features);
        Self {
            version: version.driver.map(|part| part.to_string()).join("."),
            protocol: version.protocol,
            features: features.iter_names().map(|(name, _)| name.to_lowercase().replace('_', "-")).collect(),
            limits: [
                ("max_apply_items", version.max_apply_items),
                ("max_leases_per_handle", version.max_leases_per_handle),
                ("max_leases", version.max_leases),
                ("max_pending_waits", version.max_pending_waits),
            ],
        }
    }
}

impl DriverReport {
    fn to_json(&self) -> Value {
        let limits: serde_json::Map<String, Value> =
            self.limits.iter().map(|(name, limit)| ((*name).to_owned(), json!(limit))).collect();
        json!({ "version": self.version, "protocol": self.protocol, "features": self.features, "limits": limits })
    }
}

impl StatusReport {
    fn to_json(&self) -> Value {
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

    /// Whether the service runs.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.service.as_ref().is_some_and(|service| service.state == ServiceState::Running)
    }
}
