//! What the engine tells of its work to whoever listens.

use netio_anycast_protocol::create::Lifetime;
use netio_anycast_protocol::operation::Operation;
use netio_anycast_protocol::row::Row;
use netio_anycast_protocol::status::NtStatus;

/// Something that happened. In a driver: an ETW event.
///
/// A row names the address and the interface by LUID; its other fields are zero. No address of memory is in any of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TraceEvent {
    /// An address was put on an interface.
    AddressCreated {
        /// Which.
        row: Row,
        /// How long it stays.
        lifetime: Lifetime,
        /// Whether others may hold it too.
        shared: bool,
        /// The process that opened the handle which asked for it.
        process_id: u32,
        /// The generation then.
        generation: u64,
    },
    /// An address was taken from an interface by a request.
    AddressDeleted {
        /// Which.
        row: Row,
        /// The process that opened the handle which asked for it.
        process_id: u32,
        /// The generation then.
        generation: u64,
    },
    /// A handle holds a lease that others hold, too.
    LeaseJoined {
        /// Whose.
        row: Row,
        /// The process that opened the handle.
        process_id: u32,
    },
    /// A handle has given up a lease that others go on holding.
    LeaseLeft {
        /// Whose.
        row: Row,
        /// The process that opened the handle.
        process_id: u32,
    },
    /// The last holder of a lease is gone, and its address with him.
    LeaseWithdrawn {
        /// Whose.
        row: Row,
        /// The process that opened the handle which the lease was created by.
        process_id: u32,
        /// The generation then.
        generation: u64,
    },
    /// The last holder of a lease is gone, and NetIO refuses to take its address away. It will be tried again.
    WithdrawalRefused {
        /// Whose.
        row: Row,
        /// What NetIO said.
        netio_status: NtStatus,
    },
    /// A withdrawal was tried again.
    WithdrawalRetried {
        /// Whose.
        row: Row,
        /// What NetIO said this time.
        netio_status: NtStatus,
    },
    /// The driver goes, and an address that it could not withdraw stays.
    LeaseAbandoned {
        /// Whose.
        row: Row,
    },
    /// A well-formed request failed.
    RequestRefused {
        /// What was asked.
        operation: Operation,
        /// What the request ended with.
        status: NtStatus,
        /// What NetIO itself said, or success if it was not asked.
        netio_status: NtStatus,
        /// The process that opened the handle.
        process_id: u32,
    },
    /// An item of a batch failed, whatever became of the others. What was malformed about one is told to its sender only.
    ItemRefused {
        /// The address that it was for.
        row: Row,
        /// What the item ended with.
        status: NtStatus,
        /// What NetIO itself said, or success if it was not asked.
        netio_status: NtStatus,
        /// The process that opened the handle.
        process_id: u32,
    },
    /// A request, or an item of a batch, failed since a quota is used up.
    QuotaExceeded {
        /// What was asked.
        operation: Operation,
        /// The process that opened the handle.
        process_id: u32,
    },
    /// A batch has ended. Each change that it made has an event of its own.
    BatchApplied {
        /// The items.
        count: u32,
        /// Those that are not applied.
        not_applied: u32,
        /// Whether it was all or nothing.
        atomic: bool,
        /// The process that opened the handle.
        process_id: u32,
    },
    /// Addresses have changed, and not by this driver.
    ChangedByOthers {
        /// The generation then.
        generation: u64,
    },
}
