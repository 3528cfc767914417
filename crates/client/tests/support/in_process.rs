//! The driver in this process: its engine, over the model of NetIO.

use std::fmt;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use netio_anycast_client::protocol::address::Luid;
use netio_anycast_client::protocol::operation::Operation;
use netio_anycast_client::protocol::status::NtStatus;
use netio_anycast_client::protocol::version::{Features, Version};
use netio_anycast_client::{OsError, PendingRequest, Returned, Transport};
use netio_anycast_engine::Limits;
use netio_anycast_engine::host_driver::{HostDriver, HostHandle, HostReply, HostRequest};
use netio_model::{Families, Interface, Model};
use zerocopy::{FromBytes, IntoBytes};

/// How often the driver looks for what others have changed, while somebody waits.
const LOOK: Duration = Duration::from_millis(500);

/// Answers as the driver does. Clones are the same driver.
#[derive(Clone)]
pub(crate) struct InProcessDriver {
    driver: HostDriver,
    features: Features,
}

#[allow(dead_code, reason = "each program that is tested over this needs another part of it")]
impl InProcessDriver {
    /// A driver on a system with one interface, both families on it.
    pub(crate) fn with_interface(index: u32) -> Self {
        let mut model = Model::new();
        model.add_interface(ethernet(index)).expect("the only interface");
        Self::over(model)
    }

    /// A driver on a system with these interfaces and addresses.
    pub(crate) fn over(model: Model) -> Self {
        Self::limited(model, Limits::DEFAULT)
    }

    /// A driver whose administrator has set limits.
    pub(crate) fn limited(model: Model, limits: Limits) -> Self {
        Self { driver: HostDriver::new(model, limits), features: Features::all() }
    }

    /// The same in a version that lacks features.
    pub(crate) fn offering(self, features: Features) -> Self {
        Self { features, ..self }
    }

    /// Opens a handle; its leases go when it is dropped.
    pub(crate) fn open(&self) -> Handle {
        self.open_as(std::process::id())
    }

    /// As if another process had opened it.
    pub(crate) fn open_as(&self, process_id: u32) -> Handle {
        Handle { handle: self.driver.open(process_id).expect("the host has memory"), features: self.features }
    }

    /// The model of NetIO, for what the driver is to notice by itself, if at all.
    pub(crate) fn model(&self) -> MutexGuard<'_, Model> {
        self.driver.model()
    }

    /// Somebody else changes the addresses, and time passes in which the driver notices if anybody waits for that.
    pub(crate) fn by_others(&self, change: impl FnOnce(&mut Model)) {
        change(&mut self.model());
        self.pass(LOOK);
    }

    /// Time passes.
    pub(crate) fn pass(&self, time: Duration) {
        self.driver.advance(u64::try_from(time.as_millis()).expect("tests are short"));
    }
}

/// An Ethernet interface with both families.
pub(crate) fn ethernet(index: u32) -> Interface {
    Interface { luid: Luid::new(6, index), index, families: Families::all(), scope_id: 0 }
}

/// A handle to the device.
pub(crate) struct Handle {
    handle: HostHandle,
    features: Features,
}

impl Handle {
    /// What a driver of a version without some features does about their operations.
    fn check(&self, operation: Option<Operation>) -> Result<(), OsError> {
        match operation.map(Operation::definition) {
            Some(definition) if !self.features.contains(definition.feature) => {
                Err(OsError::from_status(NtStatus::INVALID_DEVICE_REQUEST))
            }
            _ => Ok(()),
        }
    }

    /// Without the features and limits that such a driver does not have.
    fn hide_features(&self, output: &mut [u8]) {
        let Ok(mut version) = Version::read_from_bytes(output) else { return };
        version.features &= self.features.bits();
        let lacks = |feature| !self.features.contains(feature);
        for (feature, limit) in [
            (Features::BATCHES, &mut version.max_apply_items),
            (Features::LEASES, &mut version.max_leases_per_handle),
            (Features::LEASES, &mut version.max_leases),
            (Features::CHANGE_WAITS, &mut version.max_pending_waits),
        ] {
            if lacks(feature) {
                *limit = 0;
            }
        }
        output.copy_from_slice(version.as_bytes());
    }
}

impl Transport for Handle {
    fn control(&self, control_code: u32, input: &[u8], output: &mut [u8]) -> Result<Returned, OsError> {
        let operation = Operation::from_control_code(control_code);
        self.check(operation)?;
        let reply = self.handle.control(control_code, input, output.len());
        // What the I/O manager does for METHOD_BUFFERED: output copied unless it is an error.
        let more = reply.status == NtStatus::BUFFER_OVERFLOW;
        if reply.status != NtStatus::SUCCESS && !more {
            return Err(OsError::from_status(reply.status));
        }
        let length = reply.output.len();
        output[..length].copy_from_slice(&reply.output);
        if operation == Some(Operation::QueryVersion) {
            self.hide_features(&mut output[..length]);
        }
        Ok(Returned { length, more })
    }

    fn begin<'a>(
        &'a self,
        control_code: u32,
        input: &[u8],
        output_length: usize,
    ) -> Result<Box<dyn PendingRequest + 'a>, OsError> {
        self.check(Operation::from_control_code(control_code))?;
        let request = self.handle.start(control_code, input, output_length);
        let pending =
            Pending { driver: self.handle.driver(), request: Mutex::new(Some(request)), ended: OnceLock::new() };
        match pending.poll() {
            Some(Err(error)) => Err(error),
            _ => Ok(Box::new(pending)),
        }
    }
}

/// A request that may pend.
struct Pending<'a> {
    driver: &'a HostDriver,
    request: Mutex<Option<HostRequest>>,
    ended: OnceLock<Result<Vec<u8>, OsError>>,
}

impl Pending<'_> {
    /// What it ended with, if it has ended.
    fn poll(&self) -> Option<Result<Vec<u8>, OsError>> {
        let mut request = self.request.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(ended) = request.take_if(|request| !request.is_pending()) {
            let HostReply { status, output } = ended.wait();
            let result = if status == NtStatus::SUCCESS { Ok(output) } else { Err(OsError::from_status(status)) };
            self.ended.set(result).expect("it ends once");
        }
        self.ended.get().cloned()
    }
}

impl PendingRequest for Pending<'_> {
    /// In bounded time the driver's time passes; without bounds somebody else has to do something.
    fn wait(&self, timeout: Option<Duration>) -> Option<Result<Vec<u8>, OsError>> {
        if let Some(timeout) = timeout {
            return self.poll().or_else(|| {
                self.driver.advance(u64::try_from(timeout.as_millis()).expect("tests are short"));
                self.poll()
            });
        }
        loop {
            let wakes = self.driver.kernel().wakes();
            if let Some(ended) = self.poll() {
                return Some(ended);
            }
            self.driver.kernel().wait_for_wake(wakes);
        }
    }

    fn cancel(&self) {
        if let Some(request) = &*self.request.lock().unwrap_or_else(PoisonError::into_inner) {
            request.cancel();
        }
    }
}

impl Drop for Pending<'_> {
    fn drop(&mut self) {
        self.cancel();
    }
}

impl fmt::Debug for Pending<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Pending").field("ended", &self.ended.get().is_some()).finish_non_exhaustive()
    }
}
