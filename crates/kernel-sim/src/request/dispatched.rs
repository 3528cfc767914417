//! The calls of dispatch routines for an IRP.

use std::sync::{Arc, Mutex};

use netio_anycast_protocol::status::NtStatus;

use super::Lengths;
use crate::core::lock;
use crate::major::Major;
use crate::owner::DriverNumber;

/// One call of a dispatch routine for an IRP.
#[derive(Debug)]
pub(crate) struct Dispatch {
    pub(crate) driver: DriverNumber,
    pub(crate) name: Arc<str>,
    /// The number of the driver's stack location.
    pub(crate) number: i8,
    pub(crate) major: Major,
    pub(crate) lengths: Lengths,
    end: Mutex<End>,
}

/// The two ends of a dispatch routine's part, which come in any order.
#[derive(Clone, Copy, Debug, Default)]
struct End {
    passed: Option<Passed>,
    returned: Option<NtStatus>,
}

impl End {
    /// Whether STATUS_PENDING was returned, and the IRP has been completed without being marked pending.
    fn is_unmarked(&self) -> bool {
        self.returned == Some(NtStatus::PENDING) && self.passed.is_some_and(|passed| !passed.marked_pending)
    }
}

/// How a driver's part in an IRP has ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Passed {
    pub(crate) status: NtStatus,
    /// Whether the driver's stack location was marked pending then.
    pub(crate) marked_pending: bool,
}

impl Dispatch {
    pub(crate) fn new(driver: DriverNumber, name: Arc<str>, number: i8, major: Major, lengths: Lengths) -> Arc<Self> {
        Arc::new(Self { driver, name, number, major, lengths, end: Mutex::default() })
    }

    /// The dispatch routine has returned. Returns how its driver's part has ended, if it has.
    pub(crate) fn returned(&self, status: NtStatus) -> Option<Passed> {
        let mut end = lock(&self.end);
        end.returned = Some(status);
        end.passed
    }

    /// Its driver's part has ended. Returns whether it should have been marked pending.
    pub(super) fn pass(&self, passed: Passed) -> bool {
        let mut end = lock(&self.end);
        end.passed = Some(passed);
        end.is_unmarked()
    }
}
