//! What happens to an IRP, for reports.

use std::fmt;
use std::sync::Arc;

use netio_anycast_protocol::status::NtStatus;

use crate::processor::Irql;

/// Something that happened to an IRP.
#[derive(Clone, Debug)]
pub(crate) enum Event {
    Sent { what: String, driver: Arc<str>, irql: Irql },
    Completed { driver: Option<Arc<str>>, status: NtStatus, information: usize },
    Kept { driver: Option<Arc<str>> },
    Cancelled,
    Returned { driver: Arc<str>, status: NtStatus },
}

impl fmt::Display for Event {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |driver: &Option<Arc<str>>| driver.as_deref().unwrap_or("nobody known").to_owned();
        match self {
            Self::Sent { what, driver, irql } => write!(formatter, "{what}sent to {driver} at {irql}"),
            Self::Completed { driver, status, information } => {
                write!(formatter, "completed by {} with {status}, Information {information}", name(driver))
            }
            Self::Kept { driver } => write!(formatter, "kept by a completion routine of {}", name(driver)),
            Self::Cancelled => formatter.write_str("cancelled: its cancel routine is called"),
            Self::Returned { driver, status } => {
                write!(formatter, "the dispatch routine of {driver} returned {status}")
            }
        }
    }
}
