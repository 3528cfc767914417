//! What was tried, for the messages of failures.

use std::fmt;
use std::net::IpAddr;

use crate::entry::{Family, InterfaceId, Selection};
use crate::lease_list::LeaseSelection;

/// What failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Attempt {
    Open(String),
    ListInterfaces,
    ResolveAlias(String),
    QueryVersion,
    Create(IpAddr, InterfaceId),
    Lease(IpAddr, InterfaceId),
    Delete(IpAddr, InterfaceId),
    Get(IpAddr, InterfaceId),
    GetTable(Selection),
    Apply(usize),
    WaitChange,
    ListLeases(LeaseSelection),
    QueryStatistics,
}

impl Attempt {
    /// The family that it was about, if it was about one.
    pub(crate) fn family(&self) -> Option<Family> {
        match self {
            Self::Create(address, _) | Self::Lease(address, _) | Self::Delete(address, _) | Self::Get(address, _) => {
                Some(Family::of(*address))
            }
            Self::GetTable(selection) | Self::ListLeases(LeaseSelection { table: selection, .. }) => selection.family,
            Self::Open(_)
            | Self::ListInterfaces
            | Self::ResolveAlias(_)
            | Self::QueryVersion
            | Self::Apply(_)
            | Self::WaitChange
            | Self::QueryStatistics => None,
        }
    }
}

impl fmt::Display for Attempt {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open(path) => write!(formatter, "cannot open the driver's device {path}"),
            Self::ListInterfaces => formatter.write_str("cannot list the network interfaces"),
            Self::ResolveAlias(alias) => write!(formatter, "cannot find the interface \"{alias}\""),
            Self::QueryVersion => formatter.write_str("cannot read the driver's version"),
            Self::Create(address, interface) => write!(formatter, "cannot add {address} to {interface}"),
            Self::Lease(address, interface) => write!(formatter, "cannot lease {address} on {interface}"),
            Self::Delete(address, interface) => write!(formatter, "cannot delete {address} from {interface}"),
            Self::Get(address, interface) => write!(formatter, "cannot read {address} of {interface}"),
            Self::GetTable(selection) => listing(formatter, *selection, "anycast addresses"),
            Self::Apply(count) => write!(formatter, "cannot apply a batch of {count} items"),
            Self::WaitChange => formatter.write_str("cannot wait for a change of the anycast addresses"),
            Self::ListLeases(LeaseSelection { table, process_id }) => {
                listing(formatter, *table, "leases")?;
                process_id.map_or(Ok(()), |process_id| write!(formatter, " of process {process_id}"))
            }
            Self::QueryStatistics => formatter.write_str("cannot read the driver's counters"),
        }
    }
}

fn listing(formatter: &mut fmt::Formatter<'_>, selection: Selection, of: &str) -> fmt::Result {
    formatter.write_str("cannot list the ")?;
    if let Some(family) = selection.family {
        write!(formatter, "{family} ")?;
    }
    formatter.write_str(of)?;
    selection.interface.map_or(Ok(()), |interface| write!(formatter, " of {interface}"))
}
