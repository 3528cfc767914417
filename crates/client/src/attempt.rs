//! What was tried, for the messages of failures.

use std::fmt;
use std::net::IpAddr;

use crate::entry::{Family, InterfaceId, Selection};

/// What failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Attempt {
    Open(String),
    ResolveAlias(String),
    QueryVersion,
    Create(IpAddr, InterfaceId),
    Delete(IpAddr, InterfaceId),
    Get(IpAddr, InterfaceId),
    GetTable(Selection),
    QueryStatistics,
}

impl Attempt {
    /// The family that it was about, if it was about one.
    pub(crate) fn family(&self) -> Option<Family> {
        match self {
            Self::Create(address, _) | Self::Delete(address, _) | Self::Get(address, _) => Some(Family::of(*address)),
            Self::GetTable(selection) => selection.family,
            Self::Open(_) | Self::ResolveAlias(_) | Self::QueryVersion | Self::QueryStatistics => None,
        }
    }
}

impl fmt::Display for Attempt {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open(path) => write!(formatter, "cannot open the driver's device {path}"),
            Self::ResolveAlias(alias) => write!(formatter, "cannot find the interface \"{alias}\""),
            Self::QueryVersion => formatter.write_str("cannot read the driver's version"),
            Self::Create(address, interface) => write!(formatter, "cannot add {address} to {interface}"),
            Self::Delete(address, interface) => write!(formatter, "cannot delete {address} from {interface}"),
            Self::Get(address, interface) => write!(formatter, "cannot read {address} of {interface}"),
            Self::GetTable(selection) => {
                formatter.write_str("cannot list the ")?;
                if let Some(family) = selection.family {
                    write!(formatter, "{family} ")?;
                }
                formatter.write_str("anycast addresses")?;
                match selection.interface {
                    Some(interface) => write!(formatter, " of {interface}"),
                    None => Ok(()),
                }
            }
            Self::QueryStatistics => formatter.write_str("cannot read the driver's counters"),
        }
    }
}
