//! Failures on demand.

use alloc::vec::Vec;

use netio_anycast_protocol::address::Luid;
use netio_anycast_protocol::status::NtStatus;

use crate::function::Function;

/// Some of the next calls of a function are answered with a status instead of being served.
///
/// The status may be anything, whether NetIO documents it or not. With [`NtStatus::SUCCESS`] a table is empty, a conversion
/// gives zero, and everything else is a lie: the caller hears of success and nothing has happened. `FreeMibTable` has no status and can't fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The function.
    pub function: Function,
    /// What it answers.
    pub status: NtStatus,
    /// Only calls for this interface count, or those for any. A call that names it by its index counts too; a table is for no
    /// interface.
    pub luid: Option<Luid>,
    /// The calls that are still served before the first failure.
    pub skip: u32,
    /// The calls that fail then.
    pub count: u32,
}

impl Fault {
    /// The next call of `function` fails with `status`.
    #[must_use]
    pub const fn next(function: Function, status: NtStatus) -> Self {
        Self { function, status, luid: None, skip: 0, count: 1 }
    }

    /// The same for calls that are for the interface `luid`.
    #[must_use]
    pub const fn on(self, luid: Luid) -> Self {
        Self { luid: Some(luid), ..self }
    }

    /// The same after `skip` more calls.
    #[must_use]
    pub const fn after(self, skip: u32) -> Self {
        Self { skip, ..self }
    }

    /// The same `count` times.
    #[must_use]
    pub const fn times(self, count: u32) -> Self {
        Self { count, ..self }
    }
}

/// The faults that are still to come.
#[derive(Clone, Debug, Default)]
pub(crate) struct Faults {
    planned: Vec<Fault>,
}

impl Faults {
    pub(crate) fn plan(&mut self, fault: Fault) {
        if fault.count > 0 {
            self.planned.push(fault);
        }
    }

    pub(crate) fn clear(&mut self) {
        self.planned.clear();
    }

    /// The failures that are still to come.
    pub(crate) fn remaining(&self) -> u64 {
        self.planned.iter().map(|fault| u64::from(fault.count)).sum()
    }

    /// What a call is to be answered with, or `None` if it is to be served. The fault that was planned first strikes; every
    /// other that the call matches still counts it as one to be skipped.
    pub(crate) fn strike(&mut self, function: Function, luid: Option<Luid>) -> Option<NtStatus> {
        let mut struck = None;
        for fault in &mut self.planned {
            if fault.function != function || (fault.luid.is_some() && fault.luid != luid) {
                continue;
            }
            if fault.skip > 0 {
                fault.skip -= 1;
            } else if struck.is_none() {
                fault.count -= 1;
                struck = Some(fault.status);
            }
        }
        self.planned.retain(|fault| fault.count > 0);
        struck
    }
}
