//! The driver in this process: its engine, over the model of NetIO.

use std::sync::MutexGuard;

use netio_anycast_client::protocol::address::Luid;
use netio_anycast_client::protocol::status::NtStatus;
use netio_anycast_client::{OsError, Returned, Transport};
use netio_anycast_engine::Limits;
use netio_anycast_engine::host_driver::{HostDriver, HostHandle};
use netio_model::{Families, Interface, Model};

/// Answers as the driver does.
pub(crate) struct InProcessDriver {
    handle: HostHandle,
}

impl InProcessDriver {
    /// A driver on a system with these interfaces and addresses.
    pub(crate) fn over(model: Model) -> Self {
        Self { handle: HostDriver::new(model, Limits::DEFAULT).open(4444).expect("the host has memory") }
    }

    /// The model of NetIO, for what others than the driver do to it.
    #[allow(dead_code, reason = "not every program that is tested over this has others change the addresses")]
    pub(crate) fn model(&self) -> MutexGuard<'_, Model> {
        self.handle.driver().model()
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
        // What the I/O manager does for METHOD_BUFFERED: output copied unless it is an error.
        let reply = self.handle.control(control_code, input, output.len());
        let length = reply.output.len();
        match reply.status {
            NtStatus::SUCCESS | NtStatus::BUFFER_OVERFLOW => {
                output[..length].copy_from_slice(&reply.output);
                Ok(Returned { length, more: reply.status == NtStatus::BUFFER_OVERFLOW })
            }
            failure => Err(OsError::from_status(failure)),
        }
    }
}
