//! What the driver says of itself.

use netio_anycast_client::protocol::version::{Features, PROTOCOL_VERSION, Version};
use serde_json::{Value, json};

use crate::exit_code::ExitCode;
use crate::human::{self, BAD, GOOD};
use crate::report::Report;

/// What the driver says of itself.
#[derive(Clone, Debug)]
pub(crate) struct DriverReport {
    /// Its version: major, minor, patch, build.
    version: String,
    /// The protocol it speaks.
    pub(crate) protocol: u32,
    /// The names of its features; those that this program does not know are left out.
    features: Vec<String>,
    /// The limits, by name; zero where the feature is missing.
    limits: [(&'static str, u32); 4],
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
    pub(crate) fn to_json(&self) -> Value {
        let limits: serde_json::Map<String, Value> =
            self.limits.iter().map(|(name, limit)| ((*name).to_owned(), json!(limit))).collect();
        json!({ "version": self.version, "protocol": self.protocol, "features": self.features, "limits": limits })
    }

    /// Version and protocol.
    pub(crate) fn summary(&self) -> String {
        format!("{}, protocol {}", self.version, self.protocol)
    }

    /// Whether it speaks this program's protocol.
    pub(crate) const fn is_compatible(&self) -> bool {
        self.protocol == PROTOCOL_VERSION
    }
}

/// This program and the driver.
pub(crate) struct Versions(pub(crate) DriverReport);

impl Report for Versions {
    fn human(&self) -> String {
        let driver = &self.0;
        let limits = driver.limits.iter().filter(|(_, limit)| *limit != 0);
        let limits: Vec<String> = limits.map(|(name, limit)| format!("{} {limit}", name.replace('_', " "))).collect();
        let compatible = if driver.is_compatible() {
            format!("{GOOD}yes{GOOD:#}")
        } else {
            format!("{BAD}no{BAD:#}: install the driver and this program in the same version")
        };
        human::list(&[
            ("Program", format!("{}, protocol {PROTOCOL_VERSION}", env!("CARGO_PKG_VERSION"))),
            ("Driver", driver.summary()),
            ("Compatible", compatible),
            ("Features", listing(&driver.features)),
            ("Limits", listing(&limits)),
        ])
    }

    fn json(&self) -> Value {
        json!({
            "program": { "version": env!("CARGO_PKG_VERSION"), "protocol": PROTOCOL_VERSION },
            "driver": self.0.to_json(),
            "compatible": self.0.is_compatible(),
        })
    }

    fn exit_code(&self) -> ExitCode {
        if self.0.is_compatible() { ExitCode::Success } else { ExitCode::Incompatible }
    }
}

fn listing(items: &[String]) -> String {
    if items.is_empty() { "none".to_owned() } else { items.join(", ") }
}
