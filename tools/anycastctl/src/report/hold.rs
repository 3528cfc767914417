//! What happens while addresses are held.

use std::net::IpAddr;
use std::num::NonZeroU32;

use netio_anycast_client::Sharing;
use serde_json::{Value, json};

use crate::event::CheckResult;
use crate::failure::Failure;
use crate::human::LABEL;
use crate::report::Report;
use crate::report::address::{AddressReport, Interface};

/// Something that happened.
pub(crate) enum HoldEvent {
    /// Nothing is held before the health check has passed so many times.
    Waiting { passes: NonZeroU32 },
    /// Addresses, all on one interface, are held from now on.
    Held { addresses: Vec<AddressReport>, sharing: Sharing },
    /// The health check passed so many times in a row, for the first time or again.
    Healthy { passes: NonZeroU32 },
    /// It failed so many times in a row, the last time like that.
    Unhealthy { failures: NonZeroU32, result: CheckResult, withdrawn: Vec<IpAddr> },
    /// The interface has gone, and the addresses with it.
    InterfaceGone { addresses: Vec<IpAddr> },
    /// The addresses have gone although the interface is there and they are still leases.
    Vanished { addresses: Vec<IpAddr> },
    /// Somebody deleted the addresses by force.
    Ended { addresses: Vec<IpAddr> },
    /// The driver has gone, and the addresses with it.
    DriverGone { addresses: Vec<IpAddr>, reason: Failure },
    /// Something failed that is tried again.
    Failed(Failure),
    /// The addresses were let go.
    Released { addresses: Vec<IpAddr> },
}

impl HoldEvent {
    fn sentence(&self) -> String {
        match self {
            Self::Waiting { passes } => {
                format!("holding nothing before the health check has passed {}", times(*passes))
            }
            Self::Held { addresses, sharing } => {
                let shared = match sharing {
                    Sharing::Exclusive => "",
                    Sharing::Shared => ", shared",
                };
                let interface = addresses.first().map(|address| Interface(address).to_string()).unwrap_or_default();
                let addresses: Vec<IpAddr> = addresses.iter().map(|address| address.entry.address).collect();
                format!("holding {} on {interface}{shared}", list(&addresses))
            }
            Self::Healthy { passes } => format!("the health check has passed {}", times(*passes)),
            Self::Unhealthy { failures, result, withdrawn } => {
                let withdrawn = match withdrawn.as_slice() {
                    [] => "holding nothing".to_owned(),
                    withdrawn => format!("withdrew {}", list(withdrawn)),
                };
                format!("the health check has failed {} ({}): {withdrawn}", times(*failures), reason(result))
            }
            Self::InterfaceGone { addresses } => {
                format!("the interface has gone, and with it {}: waiting for it to come back", list(addresses))
            }
            Self::Vanished { addresses } => {
                format!("{} vanished, with the interface or past the driver: to be taken again", list(addresses))
            }
            Self::Ended { addresses } => {
                format!("somebody deleted {} by force: not to be taken again", list(addresses))
            }
            Self::DriverGone { addresses, reason } => {
                let addresses =
                    if addresses.is_empty() { String::new() } else { format!(", and with it {}", list(addresses)) };
                format!("the driver has gone{addresses}: waiting for it to run again [{}]", reason.codes())
            }
            Self::Failed(failure) => {
                format!("{}, trying again: {} [{}]. {}", failure.what, failure.why, failure.codes(), failure.advice)
            }
            Self::Released { addresses } if addresses.is_empty() => "ending; nothing was held".to_owned(),
            Self::Released { addresses } => format!("released {}", list(addresses)),
        }
    }
}

impl Report for HoldEvent {
    /// With the name of this program in front: the program that runs meanwhile may write to the same place.
    fn human(&self) -> String {
        format!("{LABEL}anycastctl:{LABEL:#} {}\n", self.sentence())
    }

    fn json(&self) -> Value {
        match self {
            Self::Waiting { passes } => json!({ "event": "waiting", "passes": passes }),
            Self::Held { addresses, sharing } => json!({
                "event": "held",
                "entries": addresses.iter().map(AddressReport::to_json).collect::<Vec<_>>(),
                "shared": *sharing == Sharing::Shared,
            }),
            Self::Healthy { passes } => json!({ "event": "healthy", "passes": passes }),
            Self::Unhealthy { failures, result, withdrawn } => json!({
                "event": "unhealthy",
                "failures": failures,
                "reason": reason(result),
                "withdrawn": withdrawn,
            }),
            Self::InterfaceGone { addresses } => json!({ "event": "interface-gone", "addresses": addresses }),
            Self::Vanished { addresses } => json!({ "event": "vanished", "addresses": addresses }),
            Self::Ended { addresses } => json!({ "event": "deleted-by-force", "addresses": addresses }),
            Self::DriverGone { addresses, reason } => {
                json!({ "event": "driver-gone", "addresses": addresses, "error": reason })
            }
            Self::Failed(failure) => json!({ "event": "failed", "error": failure }),
            Self::Released { addresses } => json!({ "event": "released", "addresses": addresses }),
        }
    }
}

fn times(number: NonZeroU32) -> String {
    if number == NonZeroU32::MIN { "once".to_owned() } else { format!("{number} times in a row") }
}

fn list(addresses: &[IpAddr]) -> String {
    addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// How the check ended that did not pass.
fn reason(result: &CheckResult) -> String {
    match result {
        CheckResult::Passed => "it passed".to_owned(),
        CheckResult::Failed(exit_code) => format!("exit code {exit_code}"),
        CheckResult::TimedOut(limit) => {
            format!("it took longer than the interval of {}", humantime::format_duration(*limit))
        }
        CheckResult::NotRun(error) => format!("it could not be run: {error}"),
    }
}
