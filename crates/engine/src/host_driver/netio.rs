//! The model of NetIO behind the engine's trait, handing out memory as carelessly as a kernel may.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::vec::Vec;

use netio_anycast_protocol::address::{AddressFamily, Luid};
use netio_anycast_protocol::row::Row;
use netio_anycast_protocol::status::NtStatus;
use netio_model::Model;

use crate::netio::Netio;

/// What stands in the bytes that NetIO does not write: whatever the pool held before.
const STALE: u8 = 0xDE;

/// The model as NetIO.
#[derive(Clone, Debug)]
pub struct ModelNetio {
    model: Arc<Mutex<Model>>,
}

impl ModelNetio {
    /// NetIO as `model` has it.
    #[must_use]
    pub fn new(model: Model) -> Self {
        Self { model: Arc::new(Mutex::new(model)) }
    }

    /// The model, for what others than the driver do. NetIO can't be called while this is held.
    pub fn model(&self) -> MutexGuard<'_, Model> {
        self.model.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A table that the model keeps account of until it is dropped.
#[derive(Debug)]
pub struct ModelTable {
    /// With room for a row even when it is empty, so that it has an address of its own.
    rows: Vec<Row>,
    netio: ModelNetio,
}

impl ModelTable {
    fn address(&self) -> usize {
        self.rows.as_ptr().addr()
    }
}

impl AsRef<[Row]> for ModelTable {
    fn as_ref(&self) -> &[Row] {
        &self.rows
    }
}

impl AsMut<[Row]> for ModelTable {
    fn as_mut(&mut self) -> &mut [Row] {
        &mut self.rows
    }
}

impl Drop for ModelTable {
    fn drop(&mut self) {
        let freed = self.netio.model().free_table(self.address());
        assert_eq!(freed, Ok(()), "FreeMibTable");
    }
}

impl Netio for ModelNetio {
    type PassiveLevel = ();
    type Table = ModelTable;

    fn create(&self, _level: (), row: &Row) -> NtStatus {
        assert_only_address_and_luid(row);
        self.model().create(row)
    }

    fn delete(&self, _level: (), row: &Row) -> NtStatus {
        assert_only_address_and_luid(row);
        self.model().delete(row)
    }

    fn get(&self, _level: (), row: &mut Row) -> NtStatus {
        assert_only_address_and_luid(row);
        let status = self.model().get(row);
        leave_stale_bytes(row);
        status
    }

    fn table(&self, _level: (), family: AddressFamily) -> Result<ModelTable, NtStatus> {
        let mut rows = self.model().table(family)?;
        rows.reserve(1);
        rows.iter_mut().for_each(leave_stale_bytes);
        let table = ModelTable { rows, netio: self.clone() };
        self.model().table_allocated(table.address());
        Ok(table)
    }

    fn luid_from_index(&self, _level: (), index: u32) -> Result<Luid, NtStatus> {
        self.model().luid_from_index(index)
    }

    fn index_from_luid(&self, _level: (), luid: Luid) -> Result<u32, NtStatus> {
        self.model().index_from_luid(luid)
    }
}

/// Every row that reaches NetIO names its interface by LUID and says nothing else.
fn assert_only_address_and_luid(row: &Row) {
    let address = row.address.ip().expect("only IPv4 and IPv6 addresses reach NetIO");
    assert!(row.luid.is_set(), "{row:?} reached NetIO without a LUID");
    assert_eq!(*row, Row::on_luid(address, row.luid), "more than the address and the LUID reached NetIO");
}

fn leave_stale_bytes(row: &mut Row) {
    row.padding = [STALE; 4];
    row.address.port = [STALE; 2];
    match row.address.family {
        AddressFamily::IPV4 => row.address.data[4..].fill(STALE),
        _ => row.address.data[..4].fill(STALE),
    }
}
