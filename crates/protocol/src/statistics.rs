//! QUERY_STATISTICS: the driver's counters since it was started.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::status::NtStatus;

/// The rows of counters in [`Statistics`]; those beyond the operations of this version are zero.
pub const OPERATION_ROWS: usize = 16;

/// How the requests of one operation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct OperationCounters {
    /// STATUS_SUCCESS, and the warning STATUS_BUFFER_OVERFLOW.
    pub succeeded: u64,
    /// Malformed: refused before anything was done.
    pub malformed: u64,
    /// STATUS_INVALID_PARAMETER for a well-formed request.
    pub invalid: u64,
    /// Already exists.
    pub already_exists: u64,
    /// STATUS_NOT_FOUND.
    pub not_found: u64,
    /// STATUS_NOT_SUPPORTED.
    pub not_supported: u64,
    /// STATUS_ACCESS_DENIED and STATUS_PRIVILEGE_NOT_HELD.
    pub access_denied: u64,
    /// No memory or no quota.
    pub no_resources: u64,
    /// Cancelled.
    pub cancelled: u64,
    /// Any other failure.
    pub failed: u64,
    /// What Netio itself said, before mapping, when a request of this operation last failed by it; STATUS_SUCCESS if none has.
    pub last_netio_failure: NtStatus,
    /// Zero.
    pub reserved: u32,
}

impl OperationCounters {
    /// Nothing counted yet.
    pub const ZERO: Self = Self {
        succeeded: 0,
        malformed: 0,
        invalid: 0,
        already_exists: 0,
        not_found: 0,
        not_supported: 0,
        access_denied: 0,
        no_resources: 0,
        cancelled: 0,
        failed: 0,
        last_netio_failure: NtStatus::SUCCESS,
        reserved: 0,
    };
}

/// The output of QUERY_STATISTICS. A request is counted when it ends, so the counters do not yet have the one that reads them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct Statistics {
    /// By [`Operation`](crate::operation::Operation), in its order.
    pub operations: [OperationCounters; OPERATION_ROWS],
    /// Control codes that are no operation's.
    pub unknown_codes: u64,
    /// Leases held now.
    pub live_leases: u64,
    /// WAIT_CHANGE requests pending now.
    pub pending_waits: u64,
    /// Withdrawals that Netio refused and that were tried again.
    pub withdrawal_retries: u64,
    /// The generation now.
    pub generation: u64,
    /// Zero.
    pub reserved: [u64; 3],
}

const _: () = {
    assert!(size_of::<OperationCounters>() == 88 && align_of::<OperationCounters>() == 8);
    assert!(size_of::<Statistics>() == 1472 && align_of::<Statistics>() == 8);
};
