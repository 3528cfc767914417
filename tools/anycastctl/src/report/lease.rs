//! Leases: who holds what.

use std::time::Duration;

use netio_anycast_client::Sharing;
use serde_json::{Value, json};

use crate::human;
use crate::report::Report;
use crate::report::address::{AddressReport, COLUMNS};

/// One lease.
#[derive(Clone, Debug)]
pub(crate) struct LeaseReport {
    /// The address and its interface.
    pub(crate) address: AddressReport,
    /// Whether several may hold it.
    pub(crate) sharing: Sharing,
    /// The handles that hold it; zero while its withdrawal is being retried.
    pub(crate) holders: u32,
    /// The process that created it.
    pub(crate) process_id: u32,
    /// The image of that process, if it still runs and the caller may know.
    pub(crate) image: Option<String>,
    /// How long ago it was created.
    pub(crate) age: Duration,
}

impl LeaseReport {
    fn cells(&self) -> [String; 8] {
        let [address, alias, index, luid] = self.address.cells();
        let holders = match (self.holders, self.sharing) {
            (0, _) => "none, withdrawal is being retried".to_owned(),
            (_, Sharing::Exclusive) => "1, exclusive".to_owned(),
            (holders, Sharing::Shared) => format!("{holders}, shared"),
        };
        // Its path would be too long for a table.
        let image = self.image.as_deref().map(|path| path.rsplit(['\\', '/']).next().unwrap_or(path).to_owned());
        // Nobody reads fractions of a second here.
        let age = humantime::format_duration(Duration::from_secs(self.age.as_secs())).to_string();
        [address, alias, index, luid, holders, self.process_id.to_string(), image.unwrap_or("-".into()), age]
    }

    fn to_json(&self) -> Value {
        json!({
            "entry": self.address.to_json(),
            "sharing": match self.sharing {
                Sharing::Exclusive => "exclusive",
                Sharing::Shared => "shared",
            },
            "holders": self.holders,
            "process": { "id": self.process_id, "image": self.image },
            "age_ms": u64::try_from(self.age.as_millis()).unwrap_or(u64::MAX),
        })
    }
}

/// Many leases.
pub(crate) struct Leases {
    /// The driver's generation before they were read.
    pub(crate) generation: u64,
    /// Sorted by LUID, family and address.
    pub(crate) leases: Vec<LeaseReport>,
}

impl Report for Leases {
    fn human(&self) -> String {
        if self.leases.is_empty() {
            return "No leases.\n".to_owned();
        }
        let [address, interface, index, luid] = COLUMNS;
        let headings = [address, interface, index, luid, "HOLDERS", "PROCESS", "IMAGE", "AGE"];
        human::table(headings, self.leases.iter().map(LeaseReport::cells))
    }

    fn json(&self) -> Value {
        let leases: Vec<Value> = self.leases.iter().map(LeaseReport::to_json).collect();
        json!({ "generation": self.generation, "leases": leases })
    }
}
