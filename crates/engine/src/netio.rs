//! The services of NetIO that the engine stands on.

use netio_anycast_protocol::address::{AddressFamily, Luid};
use netio_anycast_protocol::row::Row;
use netio_anycast_protocol::status::NtStatus;

/// NetIO's anycast services, as the driver reaches them.
///
/// Every status is NetIO's own, before any mapping: only [`NtStatus::SUCCESS`] is success. All services are called at
/// PASSIVE_LEVEL only, and take the proof of it: the SDK header annotates them `_IRQL_requires_max_(PASSIVE_LEVEL)`.
pub trait Netio {
    /// Proof that the processor is at PASSIVE_LEVEL, which the engine's caller has: nothing in the engine raises the IRQL.
    type PassiveLevel: Copy;

    /// A table of NetIO's, given back to it (`FreeMibTable`) when it is dropped. Its rows may be put in another order.
    type Table: AsRef<[Row]> + AsMut<[Row]>;

    /// `CreateAnycastIpAddressEntry`.
    fn create(&self, level: Self::PassiveLevel, row: &Row) -> NtStatus;

    /// `DeleteAnycastIpAddressEntry`.
    fn delete(&self, level: Self::PassiveLevel, row: &Row) -> NtStatus;

    /// `GetAnycastIpAddressEntry`. On success the row is filled in.
    fn get(&self, level: Self::PassiveLevel, row: &mut Row) -> NtStatus;

    /// `GetAnycastIpAddressTable`.
    ///
    /// # Errors
    /// Whatever NetIO returned if it was not [`NtStatus::SUCCESS`].
    fn table(&self, level: Self::PassiveLevel, family: AddressFamily) -> Result<Self::Table, NtStatus>;

    /// `ConvertInterfaceIndexToLuid`.
    ///
    /// # Errors
    /// Whatever NetIO returned if it was not [`NtStatus::SUCCESS`].
    fn luid_from_index(&self, level: Self::PassiveLevel, index: u32) -> Result<Luid, NtStatus>;

    /// `ConvertInterfaceLuidToIndex`.
    ///
    /// # Errors
    /// Whatever NetIO returned if it was not [`NtStatus::SUCCESS`].
    fn index_from_luid(&self, level: Self::PassiveLevel, luid: Luid) -> Result<u32, NtStatus>;
}
