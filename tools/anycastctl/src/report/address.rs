//! Addresses that were added, deleted or found.

use std::fmt;
use std::net::IpAddr;
use std::rc::Rc;

use netio_anycast_client::{Entry, Family};
use serde_json::{Value, json};

use crate::human;
use crate::report::Report;

/// One address on one interface.
#[derive(Clone, Debug)]
pub(crate) struct AddressReport {
    /// The driver's word.
    pub(crate) entry: Entry,
    /// The interface's alias, if the system knows one.
    pub(crate) alias: Option<Rc<str>>,
}

impl AddressReport {
    pub(crate) fn to_json(&self) -> Value {
        let family = match Family::of(self.entry.address) {
            Family::Ipv4 => "ipv4",
            Family::Ipv6 => "ipv6",
        };
        json!({
            "address": self.entry.address,
            "family": family,
            "interface": {
                "alias": self.alias.as_deref(),
                "index": self.entry.index,
                // As text: 64 bits are more than many readers of JSON take a number for.
                "luid": self.entry.luid.to_string(),
            },
            "scope_id": self.entry.scope_id,
        })
    }

    /// The address and its interface in the columns that [`COLUMNS`] names.
    pub(crate) fn cells(&self) -> [String; 4] {
        let alias = self.alias.as_deref().unwrap_or("-").to_owned();
        // A lease whose interface has gone has none.
        let index = if self.entry.index == 0 { "-".to_owned() } else { self.entry.index.to_string() };
        [self.entry.address.to_string(), alias, index, self.entry.luid.to_string()]
    }

    /// The interface as people know it: its alias, or its index.
    pub(crate) fn interface(&self) -> String {
        self.alias.as_deref().map_or_else(|| self.entry.index.to_string(), str::to_owned)
    }
}

/// The columns of [`AddressReport::cells`].
pub(crate) const COLUMNS: [&str; 4] = ["ADDRESS", "INTERFACE", "INDEX", "LUID"];

/// An address was added.
pub(crate) struct Added(pub(crate) AddressReport);

impl Report for Added {
    fn human(&self) -> String {
        format!("Added {} to {}.\n", self.0.entry.address, Interface(&self.0))
    }

    fn json(&self) -> Value {
        json!({ "added": self.0.to_json() })
    }
}

/// An interface with everything that is known of it.
pub(crate) struct Interface<'a>(pub(crate) &'a AddressReport);

impl fmt::Display for Interface<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Entry { index, luid, .. } = self.0.entry;
        match &self.0.alias {
            Some(alias) => write!(formatter, "\"{alias}\" (index {index}, LUID {luid})"),
            None => write!(formatter, "interface {index} (LUID {luid})"),
        }
    }
}

/// An address was deleted.
pub(crate) struct Deleted {
    /// The address.
    pub(crate) address: IpAddr,
    /// The interface, as it was named.
    pub(crate) interface: String,
}

impl Report for Deleted {
    fn human(&self) -> String {
        format!("Deleted {} from interface {}.\n", self.address, self.interface)
    }

    fn json(&self) -> Value {
        json!({ "deleted": { "address": self.address, "interface": self.interface } })
    }
}

/// One address that was looked for.
pub(crate) struct Found(pub(crate) AddressReport);

impl Report for Found {
    fn human(&self) -> String {
        human::table(COLUMNS, [self.0.cells()])
    }

    fn json(&self) -> Value {
        json!({ "address": self.0.to_json() })
    }
}

/// Many addresses.
pub(crate) struct Addresses {
    /// The driver's generation before they were read.
    pub(crate) generation: u64,
    /// Sorted by LUID, family and address.
    pub(crate) addresses: Vec<AddressReport>,
}

impl Report for Addresses {
    fn human(&self) -> String {
        if self.addresses.is_empty() {
            return "No anycast addresses.\n".to_owned();
        }
        human::table(COLUMNS, self.addresses.iter().map(AddressReport::cells))
    }

    fn json(&self) -> Value {
        let addresses: Vec<Value> = self.addresses.iter().map(AddressReport::to_json).collect();
        json!({ "generation": self.generation, "addresses": addresses })
    }
}
