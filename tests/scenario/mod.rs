//! One scenario, run by every kernel host that the driver's image works in.
//!
//! `agreement.toml` has the steps. [`run()`] interprets them on a [`Host`] and writes a transcript: lines of the form
//! `what was asked => what came back`. `cargo xtask test` compares the transcript of the simulated kernel with that of Wine,
//! a kernel which nobody here wrote, by [`compare()`]. Where they may differ, the scenario says so and why.

mod compare;
mod host;
mod render;
mod request;
mod run;
mod step;

use std::collections::BTreeMap;

use netio_anycast_protocol::address::{AddressFamily, Luid};
use netio_anycast_protocol::status::NtStatus;
use netio_model::{Families, Fault, Function, Interface, Settings};
use serde::Deserialize;

pub use compare::{Difference, compare};
pub use host::{Host, Reply};
pub use request::Input;
pub use run::{LINE_MARK, Opened, run, run_client};
pub use step::{AccessName, DeviceName, Step};

/// A scenario, as its file says it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Scenario {
    /// What the service's Parameters key has when the driver is started.
    #[serde(default)]
    pub parameters: BTreeMap<String, u32>,
    /// The network interfaces that steps name.
    #[serde(rename = "interface")]
    pub interfaces: BTreeMap<String, InterfaceDefinition>,
    /// What happens, in order.
    #[serde(rename = "step")]
    pub steps: Vec<Step>,
    /// Where the hosts may differ.
    #[serde(default, rename = "difference")]
    pub differences: Vec<Difference>,
}

impl Scenario {
    /// The scenario by which the hosts are compared.
    ///
    /// # Errors
    /// The file is no scenario; the error names the place.
    pub fn agreement() -> Result<Self, toml::de::Error> {
        toml::from_str(include_str!("agreement.toml"))
    }

    /// The steps of a client, by its name.
    ///
    /// # Panics
    /// If the scenario starts none of that name.
    #[must_use]
    pub fn client(&self, name: &str) -> &[Step] {
        let steps = self.steps.iter().find_map(|step| match step {
            Step::Client { client, steps } if client == name => Some(steps),
            _ => None,
        });
        steps.unwrap_or_else(|| panic!("the scenario starts no client {name:?}"))
    }

    /// The interface with this name in the file.
    ///
    /// # Panics
    /// If there is none.
    #[must_use]
    pub fn interface(&self, name: &str) -> Interface {
        self.interfaces.get(name).unwrap_or_else(|| panic!("the scenario has no interface {name:?}")).interface()
    }
}

/// A network interface.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct InterfaceDefinition {
    /// IANA's type and the number in the LUID.
    luid: (u16, u32),
    /// The interface index.
    index: u32,
    /// The families bound to it.
    families: FamilyName,
    /// The scope id of its addresses.
    scope_id: u32,
}

impl InterfaceDefinition {
    fn interface(self) -> Interface {
        let Self { luid: (kind, number), index, families, scope_id } = self;
        Interface { luid: Luid::new(kind, number), index, families: families.families(), scope_id }
    }
}

/// An address family, or both, or none that there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub enum FamilyName {
    /// IPv4.
    IPv4,
    /// IPv6.
    IPv6,
    /// Both.
    #[default]
    Both,
    /// A number that is no family's.
    Unknown,
}

impl FamilyName {
    const fn families(self) -> Families {
        match self {
            Self::IPv4 => Families::IPV4,
            Self::IPv6 => Families::IPV6,
            Self::Both => Families::all(),
            Self::Unknown => Families::empty(),
        }
    }

    const fn address_family(self) -> AddressFamily {
        match self {
            Self::IPv4 => AddressFamily::IPV4,
            Self::IPv6 => AddressFamily::IPV6,
            Self::Both => AddressFamily::UNSPECIFIED,
            Self::Unknown => AddressFamily(0xFFFF),
        }
    }
}

/// How NetIO behaves where its documentation may be read in more than one way: [`Settings`]; statuses by their number.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SettingsDefinition {
    stacks: Option<FamilyName>,
    duplicate: Option<u32>,
    empty_table: Option<u32>,
    unknown_interface_conversion: Option<u32>,
}

impl SettingsDefinition {
    fn settings(self) -> Settings {
        let default = Settings::default();
        let status = |given: Option<u32>, default| given.map_or(default, NtStatus::from_bits);
        Settings {
            stacks: self.stacks.map_or(default.stacks, FamilyName::families),
            duplicate: status(self.duplicate, default.duplicate),
            empty_table: status(self.empty_table, default.empty_table),
            unknown_interface_conversion: status(
                self.unknown_interface_conversion,
                default.unknown_interface_conversion,
            ),
        }
    }
}

/// Calls of NetIO that fail: [`Fault`].
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct FaultDefinition {
    /// The function, by the name that it is exported under.
    function: String,
    /// What it answers.
    status: u32,
    /// The calls that are served before.
    #[serde(default)]
    skip: u32,
    /// The calls that fail; one if it is not given.
    count: Option<u32>,
}

impl FaultDefinition {
    fn fault(&self) -> Fault {
        let function = Function::ALL.into_iter().find(|function| function.export_name() == self.function);
        let function = function.unwrap_or_else(|| panic!("NetIO has no function {:?}", self.function));
        Fault::next(function, NtStatus::from_bits(self.status)).after(self.skip).times(self.count.unwrap_or(1))
    }
}
