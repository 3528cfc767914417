//! Changes as they come.

use serde_json::{Value, json};

use crate::human::{BAD, GOOD};
use crate::report::Report;
use crate::report::address::AddressReport;

/// What a watcher sees.
pub(crate) enum WatchEvent {
    /// An address is there that was not.
    Added(AddressReport),
    /// An address is not there any more.
    Removed(AddressReport),
    /// The driver stops, or has stopped.
    DriverGone,
    /// The driver runs again.
    DriverBack,
}

impl Report for WatchEvent {
    fn human(&self) -> String {
        match self {
            Self::Added(address) => format!("{GOOD}+ {} {}{GOOD:#}\n", address.entry.address, address.interface()),
            Self::Removed(address) => format!("{BAD}- {} {}{BAD:#}\n", address.entry.address, address.interface()),
            Self::DriverGone => "The driver stops. Waiting for it to run again.\n".to_owned(),
            Self::DriverBack => "The driver runs again.\n".to_owned(),
        }
    }

    fn json(&self) -> Value {
        match self {
            Self::Added(address) => json!({ "event": "added", "entry": address.to_json() }),
            Self::Removed(address) => json!({ "event": "removed", "entry": address.to_json() }),
            Self::DriverGone => json!({ "event": "driver-gone" }),
            Self::DriverBack => json!({ "event": "driver-back" }),
        }
    }
}
