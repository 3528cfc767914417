//! A NetIO that answers whatever it is told to, and looks at what it is asked.

use std::cell::Cell;

use netio_anycast_engine::Netio;
use netio_anycast_protocol::address::{AddressFamily, Luid};
use netio_anycast_protocol::row::Row;
use netio_anycast_protocol::status::NtStatus;

/// NetIO, as a case has it.
#[derive(Debug)]
pub(crate) struct ScriptedNetio<'a> {
    status: NtStatus,
    rows: &'a [Row],
    calls: Cell<u32>,
}

/// A copy of the rows: the engine may put them in another order.
#[derive(Debug)]
pub(crate) struct Table(Vec<Row>);

impl AsRef<[Row]> for Table {
    fn as_ref(&self) -> &[Row] {
        &self.0
    }
}

impl AsMut<[Row]> for Table {
    fn as_mut(&mut self) -> &mut [Row] {
        &mut self.0
    }
}

impl<'a> ScriptedNetio<'a> {
    pub(crate) fn new(status: NtStatus, rows: &'a [Row]) -> Self {
        Self { status, rows, calls: Cell::new(0) }
    }

    /// How often NetIO was asked for anything.
    pub(crate) fn calls(&self) -> u32 {
        self.calls.get()
    }

    fn answer<T>(&self, value: T) -> Result<T, NtStatus> {
        self.calls.set(self.calls.get() + 1);
        if self.status == NtStatus::SUCCESS { Ok(value) } else { Err(self.status) }
    }

    fn status(&self) -> NtStatus {
        self.answer(()).err().unwrap_or(NtStatus::SUCCESS)
    }
}

impl Netio for &ScriptedNetio<'_> {
    type PassiveLevel = ();
    type Table = Table;

    fn create(&self, _level: (), row: &Row) -> NtStatus {
        assert_only_a_unicast_address_and_a_luid(row);
        self.status()
    }

    fn delete(&self, _level: (), row: &Row) -> NtStatus {
        assert_only_a_unicast_address_and_a_luid(row);
        self.status()
    }

    fn get(&self, _level: (), row: &mut Row) -> NtStatus {
        assert_only_a_unicast_address_and_a_luid(row);
        if let Some(found) = self.rows.first() {
            *row = *found;
        }
        self.status()
    }

    fn table(&self, _level: (), family: AddressFamily) -> Result<Table, NtStatus> {
        assert!(matches!(family, AddressFamily::UNSPECIFIED | AddressFamily::IPV4 | AddressFamily::IPV6));
        self.answer(Table(self.rows.to_vec()))
    }

    fn luid_from_index(&self, _level: (), index: u32) -> Result<Luid, NtStatus> {
        assert_ne!(index, 0, "no interface is named");
        self.answer(Luid(index.into()))
    }

    fn index_from_luid(&self, _level: (), luid: Luid) -> Result<u32, NtStatus> {
        assert!(luid.is_set(), "no interface is named");
        self.answer(1)
    }
}

fn assert_only_a_unicast_address_and_a_luid(row: &Row) {
    let address = row.address.ip().expect("only IPv4 and IPv6 addresses reach NetIO");
    assert!(!address.is_unspecified() && !address.is_multicast(), "{address} reached NetIO");
    assert_ne!(address, std::net::IpAddr::V4(std::net::Ipv4Addr::BROADCAST));
    assert!(row.luid.is_set(), "a row without a LUID reached NetIO");
    assert_eq!(*row, Row::on_luid(address, row.luid), "more than the address and the LUID reached NetIO");
}
