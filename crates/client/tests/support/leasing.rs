//! The whole contract over the driver's engine: leases, batches and waits as `docs/protocol.md` has them, with the rules of
//! ownership in their plainest form.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};

use netio_anycast_client::protocol::address::Luid;
use netio_anycast_client::protocol::create::{CreateFlags, CreateRequest, DeleteFlags, DeleteRequest, Lifetime};
use netio_anycast_client::protocol::lease::{LeaseFilter, LeaseRow};
use netio_anycast_client::protocol::operation::Operation;
use netio_anycast_client::protocol::row::Row;
use netio_anycast_client::protocol::statistics::Statistics;
use netio_anycast_client::protocol::status::NtStatus;
use netio_anycast_client::protocol::table::TableHeader;
use netio_anycast_client::protocol::version::{Features, Version};
use netio_anycast_client::{CompletedRequest, OsError, PendingRequest, Returned, Transport};
use netio_model::Model;
use zerocopy::{FromBytes, FromZeros as _, IntoBytes};

use super::in_process::{InProcessDriver, ethernet};
use super::waiting::Wait;

/// What happens when whoever waits has nothing to wait for.
pub(crate) type Action = Box<dyn FnOnce(&LeasingDriver) + Send>;

/// A driver with every feature.
#[derive(Clone)]
pub(crate) struct LeasingDriver(Arc<Inner>);

pub(super) struct Inner {
    driver: InProcessDriver,
    pub(super) state: Mutex<State>,
    pub(super) changed: Condvar,
    /// Others' changes: what is added to the engine's own generation.
    others: AtomicU64,
    pub(super) limits: Limits,
}

/// What QUERY_VERSION tells.
#[derive(Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) features: Features,
    pub(crate) max_apply_items: u32,
    pub(crate) max_leases_per_handle: u32,
}

#[derive(Default)]
pub(super) struct State {
    handles: u64,
    pub(super) waits: u64,
    pub(super) cancelled: BTreeSet<u64>,
    pub(super) leases: BTreeMap<Key, Held>,
    pub(super) script: VecDeque<Action>,
}

/// What a lease is found by, in the order in which leases are listed.
pub(super) type Key = (Luid, u16, IpAddr);

#[derive(Clone)]
pub(super) struct Held {
    row: Row,
    shared: bool,
    /// The handles, the first of them the one that created it.
    holders: Vec<u64>,
    /// Of the handle that created it.
    process_id: u32,
    /// NetIO has refused its withdrawal. This driver does not try again.
    is_refused: bool,
}

#[allow(dead_code, reason = "each program that is tested over this needs another part of it")]
impl LeasingDriver {
    pub(crate) fn with_interface(index: u32) -> Self {
        let mut model = Model::new();
        model.add_interface(ethernet(index)).expect("the only interface");
        Self::over(model)
    }

    pub(crate) fn over(model: Model) -> Self {
        let limits = Limits { features: Features::all(), max_apply_items: 65_536, max_leases_per_handle: 4096 };
        Self::limited(model, limits)
    }

    /// A driver without interfaces that lacks features.
    pub(crate) fn offering(features: Features) -> Self {
        let limits = Limits { features, max_apply_items: 0, max_leases_per_handle: 0 };
        Self::limited(Model::new(), limits)
    }

    pub(crate) fn limited(model: Model, limits: Limits) -> Self {
        Self(Arc::new(Inner {
            driver: InProcessDriver::over(model),
            state: Mutex::default(),
            changed: Condvar::new(),
            others: AtomicU64::new(0),
            limits,
        }))
    }

    /// Opens a handle; its leases go when it is dropped.
    pub(crate) fn open(&self) -> Handle {
        self.open_as(std::process::id())
    }

    /// As if another process had opened it.
    pub(crate) fn open_as(&self, process_id: u32) -> Handle {
        let mut state = self.0.state();
        state.handles += 1;
        Handle { driver: self.clone(), number: state.handles, process_id }
    }

    /// The model of NetIO, for what the driver does not notice.
    pub(crate) fn model(&self) -> MutexGuard<'_, Model> {
        self.0.driver.model()
    }

    /// Somebody else changes the addresses, and the driver notices.
    pub(crate) fn by_others(&self, change: impl FnOnce(&mut Model)) {
        change(&mut self.0.driver.model());
        self.0.others.fetch_add(1, Ordering::AcqRel);
        self.notify();
    }

    /// The next thing that happens when whoever waits has nothing to wait for.
    pub(crate) fn then(&self, action: impl FnOnce(&Self) + Send + 'static) {
        self.0.state().script.push_back(Box::new(action));
    }

    pub(crate) fn leases(&self) -> usize {
        self.0.state().leases.len()
    }

    fn notify(&self) {
        drop(self.0.state());
        self.0.changed.notify_all();
    }
}

impl Inner {
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("the driver does not panic")
    }

    pub(super) fn generation(&self) -> u64 {
        self.engine_statistics().generation + self.others.load(Ordering::Acquire)
    }

    fn engine_statistics(&self) -> Statistics {
        let mut statistics = Statistics::new_zeroed();
        let returned = self.send(Operation::QueryStatistics, &[], statistics.as_mut_bytes());
        returned.expect("the engine has counters");
        statistics
    }

    fn send(&self, operation: Operation, input: &[u8], output: &mut [u8]) -> Result<Returned, OsError> {
        self.driver.control(operation.definition().control_code(), input, output)
    }

    /// The row as NetIO has it, which is the key of its lease.
    pub(super) fn resolved(&self, row: &Row) -> Result<Row, OsError> {
        let mut resolved = Row::new_zeroed();
        self.send(Operation::Get, row.as_bytes(), resolved.as_mut_bytes())?;
        Ok(resolved)
    }

    /// What the lease of this address is found by, or `None` if no address or no interface is named.
    pub(super) fn key(&self, row: &Row) -> Option<Key> {
        let luid = match row.luid {
            Luid::UNSET => self.driver.model().luid_from_index(row.index).ok()?,
            luid => luid,
        };
        Some((luid, row.address.family.0, row.address.ip()?))
    }

    pub(super) fn create(&self, row: &Row) -> Result<Row, OsError> {
        let request = CreateRequest { row: *row, lifetime: Lifetime::Unowned as u32, flags: 0 };
        let mut created = Row::new_zeroed();
        self.send(Operation::Create, request.as_bytes(), created.as_mut_bytes())?;
        Ok(created)
    }

    fn delete(&self, row: &Row) -> Result<(), OsError> {
        let request = DeleteRequest { row: *row, flags: 0, reserved: 0 };
        self.send(Operation::Delete, request.as_bytes(), &mut []).map(drop)
    }
}

pub(super) fn refuse<T>(status: NtStatus) -> Result<T, OsError> {
    Err(OsError::from_status(status))
}

/// A handle to the device.
pub(crate) struct Handle {
    pub(super) driver: LeasingDriver,
    number: u64,
    process_id: u32,
}

impl Handle {
    pub(super) fn inner(&self) -> &Inner {
        &self.driver.0
    }

    pub(super) fn create(&self, request: &CreateRequest) -> Result<Row, OsError> {
        if request.lifetime == Lifetime::Unowned as u32 {
            return self.inner().create(&request.row);
        }
        let flags = CreateFlags::from_bits(request.flags).ok_or(OsError::from_status(NtStatus::INVALID_PARAMETER))?;
        let shared = flags.contains(CreateFlags::SHARED);
        let mut state = self.inner().state();
        let count = state.leases.values().filter(|held| held.holders.contains(&self.number)).count();
        let key = self.inner().key(&request.row);
        let Some(held) = key.and_then(|key| state.leases.get_mut(&key)) else {
            self.check_quota(count)?;
            let row = self.inner().create(&request.row)?;
            let key = self.inner().key(&row).expect("it was just created");
            state.leases.insert(
                key,
                Held { row, shared, holders: vec![self.number], process_id: self.process_id, is_refused: false },
            );
            return Ok(row);
        };
        let vanished = self.inner().resolved(&held.row).is_err();
        let mine = held.holders.contains(&self.number);
        if !(mine && vanished || !mine && held.shared && shared) {
            return refuse(NtStatus::OBJECTID_EXISTS);
        }
        if !mine {
            self.check_quota(count)?;
        }
        if vanished {
            held.row = self.inner().create(&request.row)?;
        }
        if !mine {
            held.holders.push(self.number);
        }
        Ok(held.row)
    }

    fn check_quota(&self, held: usize) -> Result<(), OsError> {
        if held < self.inner().limits.max_leases_per_handle as usize {
            return Ok(());
        }
        refuse(NtStatus::QUOTA_EXCEEDED)
    }

    /// Deletes, and returns what there was to the lease, if it was one.
    pub(super) fn delete(&self, request: &DeleteRequest) -> Result<Option<Held>, OsError> {
        let flags = DeleteFlags::from_bits(request.flags).filter(|_| request.reserved == 0);
        let force = flags.ok_or(OsError::from_status(NtStatus::INVALID_PARAMETER))?.contains(DeleteFlags::FORCE);
        let mut state = self.inner().state();
        let Some(key) = self.inner().key(&request.row) else {
            return self.inner().delete(&request.row).map(|()| None);
        };
        if let Some(held) = state.leases.get_mut(&key)
            && !force
        {
            let before = held.clone();
            match held.holders.iter().position(|holder| *holder == self.number) {
                None => return refuse(NtStatus::ACCESS_DENIED),
                Some(position) if held.holders.len() > 1 => {
                    held.holders.remove(position);
                    return Ok(Some(before));
                }
                Some(_) => {}
            }
        }
        let deleted = self.inner().delete(&request.row);
        // What is not there any more, somebody else has deleted, or it went with its interface.
        let gone = deleted.as_ref().map_or_else(|error| error.status == NtStatus::NOT_FOUND, |()| true);
        let lease = if gone { state.leases.remove(&key) } else { None };
        deleted.map(|()| lease)
    }

    fn version(&self, output: &mut [u8]) -> Result<Returned, OsError> {
        let mut version = Version::new_zeroed();
        self.inner().send(Operation::QueryVersion, &[], version.as_mut_bytes())?;
        let Limits { features, max_apply_items, max_leases_per_handle } = self.inner().limits;
        version.features = features.bits();
        let limit = |feature, limit| if features.contains(feature) { limit } else { 0 };
        version.max_apply_items = limit(Features::BATCHES, max_apply_items);
        version.max_leases_per_handle = limit(Features::LEASES, max_leases_per_handle);
        version.max_leases = limit(Features::LEASES, 65_536);
        version.max_pending_waits = limit(Features::CHANGE_WAITS, 64);
        Ok(reply(output, version.as_bytes()))
    }

    fn statistics(&self, output: &mut [u8]) -> Returned {
        let mut statistics = self.inner().engine_statistics();
        statistics.generation = self.inner().generation();
        statistics.live_leases = self.inner().state().leases.len() as u64;
        reply(output, statistics.as_bytes())
    }

    /// The engine's own table, with this driver's generation.
    fn table(&self, input: &[u8], output: &mut [u8]) -> Result<Returned, OsError> {
        let generation = self.inner().generation();
        let returned = self.inner().send(Operation::GetTable, input, output)?;
        output[8..16].copy_from_slice(generation.as_bytes());
        Ok(returned)
    }

    fn list_leases(&self, filter: &LeaseFilter, output: &mut [u8]) -> Returned {
        let generation = self.inner().generation();
        let state = self.inner().state();
        let wanted = |Held { row, process_id, .. }: &Held| {
            (filter.table.family.0 == 0 || filter.table.family == row.address.family)
                && (!filter.table.luid.is_set() || filter.table.luid == row.luid)
                && (filter.table.luid.is_set() || filter.table.index == 0 || filter.table.index == row.index)
                && (filter.process_id == 0 || filter.process_id == *process_id)
        };
        let rows: Vec<LeaseRow> = state
            .leases
            .values()
            .filter(|held| wanted(held))
            .map(|held| LeaseRow {
                row: held.row,
                lifetime: Lifetime::Handle as u32,
                flags: if held.shared { CreateFlags::SHARED.bits() } else { 0 },
                holders: count(held.holders.len()),
                process_id: held.process_id,
                age: 61_000,
            })
            .collect();
        let room = (output.len() - size_of::<TableHeader>()) / size_of::<LeaseRow>();
        let fitting = rows.len().min(room);
        let header = TableHeader { count: count(fitting), total: count(rows.len()), generation };
        let bytes = [header.as_bytes(), rows[..fitting].as_bytes()].concat();
        Returned { more: fitting < rows.len(), ..reply(output, &bytes) }
    }
}

pub(super) fn count(length: usize) -> u32 {
    u32::try_from(length).expect("tests are small")
}

pub(super) fn reply(output: &mut [u8], reply: &[u8]) -> Returned {
    output[..reply.len()].copy_from_slice(reply);
    Returned { length: reply.len(), more: false }
}

impl Handle {
    /// Refuses what is malformed, as far as the operation table tells.
    fn check(&self, operation: Operation, input: &[u8], output_length: usize) -> Result<(), OsError> {
        let definition = operation.definition();
        if !self.inner().limits.features.contains(definition.feature) {
            return refuse(NtStatus::INVALID_DEVICE_REQUEST);
        }
        if !definition.input.accepts(input.len()) {
            return refuse(NtStatus::INFO_LENGTH_MISMATCH);
        }
        if output_length < definition.output.fixed {
            return refuse(NtStatus::BUFFER_TOO_SMALL);
        }
        Ok(())
    }
}

impl Transport for Handle {
    fn control(&self, control_code: u32, input: &[u8], output: &mut [u8]) -> Result<Returned, OsError> {
        let Some(operation) = Operation::from_control_code(control_code) else {
            return self.inner().driver.control(control_code, input, output);
        };
        self.check(operation, input, output.len())?;
        let result = match (operation, CreateRequest::read_from_bytes(input)) {
            (Operation::QueryVersion, _) => self.version(output),
            (Operation::Create, Ok(request)) if request.lifetime == Lifetime::Handle as u32 => {
                self.create(&request).map(|row| reply(output, row.as_bytes()))
            }
            (Operation::Delete, _) => {
                let request = DeleteRequest::read_from_bytes(input).expect("the length was checked");
                self.delete(&request).map(|_| Returned { length: 0, more: false })
            }
            (Operation::GetTable, _) => self.table(input, output),
            (Operation::Apply, _) => self.apply(input, output),
            (Operation::ListLeases, _) => {
                Ok(self.list_leases(&LeaseFilter::read_from_bytes(input).expect("the length was checked"), output))
            }
            (Operation::QueryStatistics, _) => Ok(self.statistics(output)),
            _ => self.inner().send(operation, input, output),
        };
        self.driver.notify();
        result
    }

    fn begin<'a>(
        &'a self,
        control_code: u32,
        input: &[u8],
        output_length: usize,
    ) -> Result<Box<dyn PendingRequest + 'a>, OsError> {
        match Operation::from_control_code(control_code) {
            Some(operation @ Operation::WaitChange) => {
                self.check(operation, input, output_length)?;
                let seen = u64::read_from_bytes(input).expect("the length was checked");
                Ok(Box::new(Wait::new(self, seen)))
            }
            _ => Ok(Box::new(CompletedRequest::through(self, control_code, input, output_length)?)),
        }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        let mut state = self.inner().state();
        for held in state.leases.values_mut().filter(|held| held.holders.contains(&self.number)) {
            held.holders.retain(|holder| *holder != self.number);
            if held.holders.is_empty() {
                let withdrawn = self.inner().delete(&held.row);
                held.is_refused = withdrawn.is_err_and(|error| error.status != NtStatus::NOT_FOUND);
            }
        }
        state.leases.retain(|_, held| !held.holders.is_empty() || held.is_refused);
        drop(state);
        self.driver.notify();
    }
}
