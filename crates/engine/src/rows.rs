//! CREATE, DELETE and GET: one address on one interface.

use core::hint::cold_path;

use netio_anycast_protocol::address::Luid;
use netio_anycast_protocol::create::{CreateFlags, DeleteFlags, Lifetime};
use netio_anycast_protocol::row::Row;
use netio_anycast_protocol::status::NtStatus;

use crate::change::{Change, Effect, LeaseEffect, Step};
use crate::claims::Keys;
use crate::engine::{Caller, Completion, Engine, HandleId};
use crate::kernel::{Event, Kernel, Lock};
use crate::key::Key;
use crate::netio::Netio;
use crate::reply;
use crate::status_map::Mapped;
use crate::trace::TraceEvent;
use crate::validate::{self, InterfaceName};
use crate::watch::TableChange;

impl<N: Netio, K: Kernel> Engine<N, K> {
    /// Creates an address; the output is the row as NetIO has it then.
    #[inline(always)]
    pub(crate) fn create(
        &self,
        caller: Caller<N>,
        row: &Row,
        lifetime: Lifetime,
        flags: CreateFlags,
        output: &mut [u8],
    ) -> Result<Completion, Mapped> {
        let mut row = self.resolve(caller.level, row)?;
        let change = Change::Create { lifetime, shared: flags.contains(CreateFlags::SHARED) };
        self.change(caller, &row, change)?;
        self.describe(caller.level, &mut row, output)
    }

    /// Deletes an address.
    #[inline(always)]
    pub(crate) fn delete(&self, caller: Caller<N>, row: &Row, flags: DeleteFlags) -> Result<Completion, Mapped> {
        let row = self.resolve(caller.level, row)?;
        self.change(caller, &row, Change::Delete { force: flags.contains(DeleteFlags::FORCE) })?;
        Ok(Completion::bare(NtStatus::SUCCESS))
    }

    /// Reads an address.
    #[inline(always)]
    pub(crate) fn get(&self, caller: Caller<N>, row: Row, output: &mut [u8]) -> Result<Completion, Mapped> {
        let mut row = self.resolve(caller.level, &row)?;
        succeeded(self.netio.get(caller.level, &mut row))?;
        row.clear_unused();
        reply::value(output, &row)
    }

    /// Changes one address, in the order in which the requests for it came.
    #[inline(always)]
    fn change(&self, caller: Caller<N>, row: &Row, change: Change) -> Result<(), Mapped> {
        let key = Key::of(row).ok_or(Mapped::refused(NtStatus::INVALID_PARAMETER))?;
        let Some(place) = self.state.with(|state| state.begin_plain(&key, change)) else {
            return self.change_in_turn(caller, row, &key, change);
        };
        let raw = match change {
            Change::Create { .. } => self.netio.create(caller.level, row),
            Change::Delete { .. } => self.netio.delete(caller.level, row),
        };
        let generation = self.state.with(|state| state.end_plain(place, &key, change, raw));
        succeeded(raw)?;
        self.wake(true);
        self.trace(caller.handle, |process_id| match change {
            Change::Create { lifetime, shared } => {
                TraceEvent::AddressCreated { row: key.row(), lifetime, shared, process_id, generation: generation.0 }
            }
            Change::Delete { .. } => {
                TraceEvent::AddressDeleted { row: key.row(), process_id, generation: generation.0 }
            }
        });
        Ok(())
    }

    /// The same for an address that is leased or to be leased, or that somebody else is changing.
    #[cold]
    fn change_in_turn(&self, caller: Caller<N>, row: &Row, key: &Key, change: Change) -> Result<(), Mapped> {
        let claim = self.state.with(|state| state.claims.enter(&self.kernel, Keys::One(*key)));
        let claim = claim.ok_or(Mapped::refused(NtStatus::INSUFFICIENT_RESOURCES))?;
        if let Some(turn) = claim.turn {
            turn.wait();
        }
        let decision = self.state.with(|state| state.decide(&self.kernel, caller.handle.0, key, change));
        let raw = match &decision {
            Ok(step) => self.perform(caller.level, row, step),
            Err(_) => NtStatus::SUCCESS,
        };
        let (result, generation) = self.state.with(|state| {
            let step = decision.map_err(Mapped::refused);
            let result = step.and_then(|step| state.settle(&self.kernel, key, step, raw));
            if let Ok(effect) = &result {
                state.commit(effect);
            }
            state.claims.leave(claim.slot);
            (result, state.generation)
        });
        let effect = result?;
        self.wake(effect.table.is_some());
        self.trace_change(caller.handle, key, change, &effect, generation.0);
        Ok(())
    }

    /// Asks NetIO for what a step needs of it.
    #[inline(always)]
    pub(crate) fn perform(&self, level: N::PassiveLevel, row: &Row, step: &Step) -> NtStatus {
        match step {
            Step::Create(_) => self.netio.create(level, row),
            Step::Delete { .. } => self.netio.delete(level, row),
            Step::Done(_) => NtStatus::SUCCESS,
        }
    }

    /// Tells of a change that was made.
    #[inline]
    pub(crate) fn trace_change(&self, handle: HandleId, key: &Key, change: Change, effect: &Effect, generation: u64) {
        self.trace(handle, |process_id| {
            let row = key.row();
            let (lifetime, shared) = match change {
                Change::Create { lifetime, shared } => (lifetime, shared),
                Change::Delete { .. } => (Lifetime::Unowned, false),
            };
            match (effect.leases, effect.table) {
                (LeaseEffect::Left { .. }, _) => TraceEvent::LeaseLeft { row, process_id },
                (LeaseEffect::Joined { .. } | LeaseEffect::Replaced { .. }, None) => {
                    TraceEvent::LeaseJoined { row, process_id }
                }
                (_, Some(TableChange::Created)) => {
                    TraceEvent::AddressCreated { row, lifetime, shared, process_id, generation }
                }
                (_, Some(TableChange::Deleted) | None) => TraceEvent::AddressDeleted { row, process_id, generation },
            }
        });
    }

    /// Makes of a caller's row the one that NetIO is called with: the address and the LUID, everything else zero.
    #[inline(always)]
    pub(crate) fn resolve(&self, level: N::PassiveLevel, row: &Row) -> Result<Row, Mapped> {
        let mut row = *row;
        validate::address(&row.address).map_err(Mapped::refused)?;
        row.clear_unused();
        if !row.luid.is_set() {
            cold_path();
            validate::index(row.index).map_err(Mapped::refused)?;
            row.luid = self.luid_of(level, row.index)?;
        }
        row.index = 0;
        row.scope_id = 0;
        Ok(row)
    }

    /// The LUID of an interface.
    pub(crate) fn luid(&self, level: N::PassiveLevel, interface: InterfaceName) -> Result<Luid, Mapped> {
        match interface {
            InterfaceName::Luid(luid) => Ok(luid),
            InterfaceName::Index(index) => self.luid_of(level, index),
        }
    }

    /// The LUID of the interface with this index.
    #[cold]
    pub(crate) fn luid_of(&self, level: N::PassiveLevel, index: u32) -> Result<Luid, Mapped> {
        match self.netio.luid_from_index(level, index) {
            // Handed on, it would mean "no interface given".
            Ok(Luid::UNSET) => Err(Mapped::refused(NtStatus::NOT_FOUND)),
            Ok(luid) => Ok(luid),
            Err(raw) => Err(Mapped::from_conversion(raw)),
        }
    }

    /// Writes a row that was just created, with the index and the scope that NetIO has for it. It may be gone again, and was
    /// created all the same: what can't be read is zero.
    #[inline(always)]
    fn describe(&self, level: N::PassiveLevel, row: &mut Row, output: &mut [u8]) -> Result<Completion, Mapped> {
        let (completion, reply) = reply::place(output, row)?;
        if self.netio.get(level, row) == NtStatus::SUCCESS {
            reply.update(|created| (created.index, created.scope_id) = (row.index, row.scope_id));
        } else {
            cold_path();
            reply.update(|created| created.index = self.netio.index_from_luid(level, created.luid).unwrap_or_default());
        }
        Ok(completion)
    }
}

/// Only STATUS_SUCCESS is success.
#[inline]
fn succeeded(raw: NtStatus) -> Result<(), Mapped> {
    match raw {
        NtStatus::SUCCESS => Ok(()),
        failure => {
            cold_path();
            Err(Mapped::from_netio(failure))
        }
    }
}
