//! The counters behind QUERY_STATISTICS.

use core::array;
use core::sync::atomic::{AtomicI32, AtomicU64, Ordering};

use netio_anycast_protocol::operation::{OPERATIONS, Operation};
use netio_anycast_protocol::statistics::{OPERATION_ROWS, OperationCounters, Statistics};
use netio_anycast_protocol::status::NtStatus;
use netio_anycast_protocol::wait::Generation;

use crate::status_map::Mapped;

/// How the requests of one operation ended.
///
/// The counters are independent of each other, so no ordering between them is promised or needed.
#[derive(Debug)]
struct Tally {
    succeeded: AtomicU64,
    malformed: AtomicU64,
    invalid: AtomicU64,
    already_exists: AtomicU64,
    not_found: AtomicU64,
    not_supported: AtomicU64,
    access_denied: AtomicU64,
    no_resources: AtomicU64,
    cancelled: AtomicU64,
    failed: AtomicU64,
    last_netio_failure: AtomicI32,
}

impl Tally {
    const fn new() -> Self {
        Self {
            succeeded: AtomicU64::new(0),
            malformed: AtomicU64::new(0),
            invalid: AtomicU64::new(0),
            already_exists: AtomicU64::new(0),
            not_found: AtomicU64::new(0),
            not_supported: AtomicU64::new(0),
            access_denied: AtomicU64::new(0),
            no_resources: AtomicU64::new(0),
            cancelled: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            last_netio_failure: AtomicI32::new(NtStatus::SUCCESS.0),
        }
    }

    /// The counter of the failures that end with `status`.
    const fn failures(&self, status: NtStatus) -> &AtomicU64 {
        match status {
            NtStatus::INVALID_PARAMETER => &self.invalid,
            NtStatus::OBJECTID_EXISTS => &self.already_exists,
            NtStatus::NOT_FOUND => &self.not_found,
            NtStatus::NOT_SUPPORTED => &self.not_supported,
            NtStatus::ACCESS_DENIED | NtStatus::PRIVILEGE_NOT_HELD => &self.access_denied,
            NtStatus::INSUFFICIENT_RESOURCES | NtStatus::QUOTA_EXCEEDED => &self.no_resources,
            NtStatus::CANCELLED => &self.cancelled,
            _ => &self.failed,
        }
    }

    fn read(&self) -> OperationCounters {
        OperationCounters {
            succeeded: read(&self.succeeded),
            malformed: read(&self.malformed),
            invalid: read(&self.invalid),
            already_exists: read(&self.already_exists),
            not_found: read(&self.not_found),
            not_supported: read(&self.not_supported),
            access_denied: read(&self.access_denied),
            no_resources: read(&self.no_resources),
            cancelled: read(&self.cancelled),
            failed: read(&self.failed),
            last_netio_failure: NtStatus(self.last_netio_failure.load(Ordering::Relaxed)),
            reserved: 0,
        }
    }
}

/// What there is now.
pub(crate) struct Totals {
    pub(crate) leases: u32,
    pub(crate) waits: u32,
    pub(crate) withdrawal_retries: u64,
    pub(crate) generation: Generation,
}

/// How all requests ended since the driver was started.
#[derive(Debug)]
pub(crate) struct Tallies {
    operations: [Tally; OPERATIONS.len()],
    unknown_codes: AtomicU64,
}

impl Tallies {
    pub(crate) const fn new() -> Self {
        Self { operations: [const { Tally::new() }; OPERATIONS.len()], unknown_codes: AtomicU64::new(0) }
    }

    /// A control code that is no operation's, or that of an operation which this driver does not have.
    #[cold]
    pub(crate) fn unknown_code(&self) {
        count(&self.unknown_codes);
    }

    /// A request that was refused before anything was done.
    #[cold]
    pub(crate) fn malformed(&self, operation: Operation) {
        if let Some(tally) = self.tally(operation) {
            count(&tally.malformed);
        }
    }

    /// A request that ended with STATUS_SUCCESS, or with the warning that more rows exist.
    pub(crate) fn succeeded(&self, operation: Operation) {
        if let Some(tally) = self.tally(operation) {
            count(&tally.succeeded);
        }
    }

    /// A well-formed request that failed.
    #[cold]
    pub(crate) fn failed(&self, operation: Operation, failure: Mapped) {
        let Some(tally) = self.tally(operation) else { return };
        count(tally.failures(failure.status));
        self.netio_failed(operation, failure.raw);
    }

    /// NetIO has said that, and it is kept unless it is success.
    pub(crate) fn netio_failed(&self, operation: Operation, raw: NtStatus) {
        if let Some(tally) = self.tally(operation).filter(|_| raw != NtStatus::SUCCESS) {
            tally.last_netio_failure.store(raw.0, Ordering::Relaxed);
        }
    }

    /// The output of QUERY_STATISTICS.
    pub(crate) fn read(&self, totals: &Totals) -> Statistics {
        let counters = |row| self.operations.get(row).map_or(OperationCounters::ZERO, Tally::read);
        Statistics {
            operations: array::from_fn::<_, OPERATION_ROWS, _>(counters),
            unknown_codes: read(&self.unknown_codes),
            live_leases: totals.leases.into(),
            pending_waits: totals.waits.into(),
            withdrawal_retries: totals.withdrawal_retries,
            generation: totals.generation.0,
            reserved: [0; 3],
        }
    }

    fn tally(&self, operation: Operation) -> Option<&Tally> {
        self.operations.get(operation as usize)
    }
}

fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

fn read(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}
