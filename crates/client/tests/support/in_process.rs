//! The driver in this process: its engine, over the model of NetIO.

use std::sync::{Arc, Mutex, MutexGuard};

use netio_anycast_client::protocol::address::{AddressFamily, Luid};
use netio_anycast_client::protocol::row::Row;
use netio_anycast_client::protocol::status::NtStatus;
use netio_anycast_client::{OsError, Returned, Transport};
use netio_anycast_engine::{Engine, Netio, SystemBuffer};
use netio_model::{Families, Interface, Model};

/// Answers as the driver does.
pub(crate) struct InProcessDriver {
    engine: Engine<ModelNetio>,
    model: Arc<Mutex<Model>>,
}

impl InProcessDriver {
    /// A driver on a system with these interfaces and addresses.
    pub(crate) fn over(model: Model) -> Self {
        let model = Arc::new(Mutex::new(model));
        Self { engine: Engine::new(ModelNetio(model.clone())), model }
    }

    /// The model of NetIO, for what others than the driver do to it.
    #[allow(dead_code, reason = "not every program that is tested over this has others change the addresses")]
    pub(crate) fn model(&self) -> MutexGuard<'_, Model> {
        self.model.lock().expect("the model does not panic")
    }

    /// A driver on a system with one interface, both families on it.
    #[allow(dead_code, reason = "tests that arrange the model themselves do without")]
    pub(crate) fn with_interface(index: u32) -> Self {
        let mut model = Model::new();
        model.add_interface(ethernet(index)).expect("the only interface");
        Self::over(model)
    }
}

/// An Ethernet interface with both families.
pub(crate) fn ethernet(index: u32) -> Interface {
    Interface { luid: Luid::new(6, index), index, families: Families::all(), scope_id: 0 }
}

impl Transport for InProcessDriver {
    fn control(&self, control_code: u32, input: &[u8], output: &mut [u8]) -> Result<Returned, OsError> {
        // What the I/O manager does for METHOD_BUFFERED: one buffer for both directions, output copied unless it is an error.
        let mut bytes = vec![0; input.len().max(output.len())];
        bytes[..input.len()].copy_from_slice(input);
        let buffer = SystemBuffer { bytes: &mut bytes, input_length: input.len(), output_length: output.len() };
        let completion = self.engine.serve(control_code, buffer);
        let length = completion.information;
        match completion.status {
            NtStatus::SUCCESS | NtStatus::BUFFER_OVERFLOW => {
                output[..length].copy_from_slice(&bytes[..length]);
                Ok(Returned { length, more: completion.status == NtStatus::BUFFER_OVERFLOW })
            }
            failure => Err(OsError::from_status(failure)),
        }
    }
}

/// The model behind the engine's trait.
struct ModelNetio(Arc<Mutex<Model>>);

impl ModelNetio {
    fn model(&self) -> MutexGuard<'_, Model> {
        self.0.lock().expect("the model does not panic")
    }
}

impl Netio for ModelNetio {
    type PassiveLevel = ();
    type Table = Vec<Row>;

    fn passive_level(&self) -> Option<()> {
        Some(())
    }

    fn create(&self, _level: (), row: &Row) -> NtStatus {
        self.model().create(row)
    }

    fn delete(&self, _level: (), row: &Row) -> NtStatus {
        self.model().delete(row)
    }

    fn get(&self, _level: (), row: &mut Row) -> NtStatus {
        self.model().get(row)
    }

    fn table(&self, _level: (), family: AddressFamily) -> Result<Self::Table, NtStatus> {
        self.model().table(family)
    }

    fn luid_from_index(&self, _level: (), index: u32) -> Result<Luid, NtStatus> {
        self.model().luid_from_index(index)
    }

    fn index_from_luid(&self, _level: (), luid: Luid) -> Result<u32, NtStatus> {
        self.model().index_from_luid(luid)
    }
}
