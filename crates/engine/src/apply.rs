//! APPLY: many addresses created and deleted in one request.
//!
//! All addresses of a batch are claimed together, so that nobody else changes one of them until the batch is over. What a
//! batch may have to undo is kept until its end: undoing needs no memory.

use netio_anycast_protocol::address::Luid;
use netio_anycast_protocol::apply::{ApplyAction, ApplyFlags, ApplyItem, ApplyReply, Field, ItemOutcome, ItemState};
use netio_anycast_protocol::create::{CreateFlags, DeleteFlags, Lifetime};
use netio_anycast_protocol::operation::Operation;
use netio_anycast_protocol::request;
use netio_anycast_protocol::status::NtStatus;
use netio_anycast_protocol::win32::Win32Error;
use zerocopy::{IntoBytes as _, transmute};

use crate::buffer::Buffer;
use crate::change::{Change, Effect, LeaseEffect};
use crate::claims::Keys;
use crate::engine::{Caller, Completion, Engine, HandleId};
use crate::kernel::{Event, Kernel, Lock};
use crate::key::Key;
use crate::netio::Netio;
use crate::sort;
use crate::status_map::Mapped;
use crate::trace::TraceEvent;
use crate::validate;
use crate::watch::TableChange;

/// One item on its way.
#[derive(Clone, Copy)]
struct Item {
    key: Key,
    /// What is to be done; `None` if the item says nothing that can be.
    change: Option<Change>,
    effect: Effect,
    status: NtStatus,
    raw: NtStatus,
    field: Field,
    state: ItemState,
}

impl Default for Item {
    fn default() -> Self {
        Self {
            key: Key::FIRST,
            change: None,
            effect: Effect::default(),
            status: NtStatus::SUCCESS,
            raw: NtStatus::SUCCESS,
            field: Field::None,
            state: ItemState::NotAttempted,
        }
    }
}

/// Why an item can't be done, and what of it is at fault.
type Fault = (Mapped, Field);

const fn fault(field: Field) -> Fault {
    (Mapped::refused(NtStatus::INVALID_PARAMETER), field)
}

impl Item {
    fn fail(&mut self, (failure, field): Fault) {
        self.state = ItemState::Failed;
        (self.status, self.raw, self.field) = (failure.status, failure.raw, field);
    }

    fn outcome(&self) -> ItemOutcome {
        ItemOutcome {
            status: self.status,
            netio_status: self.raw,
            win32: Win32Error::from_status(self.status).0,
            field: self.field as u8,
            state: self.state as u8,
            reserved: 0,
        }
    }
}

/// The interface that the item before named by index, since items in a row mostly name the same.
#[derive(Default)]
struct LastIndex(Option<(u32, Luid)>);

impl<N: Netio, K: Kernel> Engine<N, K> {
    /// Does what the items of the batch in `buffer` say, and writes what became of each.
    #[inline(never)]
    pub(crate) fn apply(
        &self,
        caller: Caller<N>,
        flags: ApplyFlags,
        count: u32,
        buffer: &mut impl Buffer,
    ) -> Result<Completion, Mapped> {
        if count > self.limits.max_apply_items {
            return Err(Mapped::refused(NtStatus::INVALID_PARAMETER));
        }
        if count == 0 {
            return write_outcomes(buffer.output(), &[]);
        }
        let no_memory = Mapped::refused(NtStatus::INSUFFICIENT_RESOURCES);
        let mut batch = self.kernel.allocate::<Item>(count as usize).ok_or(no_memory)?;
        let mut keys = self.kernel.allocate::<Key>(count as usize).ok_or(no_memory)?;
        let items = batch.as_mut();
        self.read_items(caller, buffer.input(), items);
        if gather_keys(items, keys.as_mut()) {
            let entered = self.state.with(|state| state.claims.enter(&self.kernel, Keys::Many(keys)));
            let claim = entered.ok_or(no_memory)?;
            if let Some(turn) = claim.turn {
                turn.wait();
            }
            self.apply_claimed(caller, flags.contains(ApplyFlags::ATOMIC), items);
            self.state.with(|state| state.claims.leave(claim.slot));
        }
        let completion = write_outcomes(buffer.output(), items)?;
        self.report(caller, flags, items);
        Ok(completion)
    }

    /// Copies the items out of the input and checks them.
    fn read_items(&self, caller: Caller<N>, input: &[u8], items: &mut [Item]) {
        let mut last = LastIndex::default();
        for (item, bytes) in items.iter_mut().zip(request::items(input)) {
            match self.read_item(caller, &transmute!(*bytes), &mut last) {
                Ok((key, change)) => (item.key, item.change) = (key, Some(change)),
                Err(fault) => item.fail(fault),
            }
        }
    }

    fn read_item(&self, caller: Caller<N>, item: &ApplyItem, last: &mut LastIndex) -> Result<(Key, Change), Fault> {
        let change = read_change(item)?;
        if item.row.address.ip().is_none() {
            return Err(fault(Field::Family));
        }
        validate::address(&item.row.address).map_err(|_| fault(Field::Address))?;
        let mut row = item.row;
        if !row.luid.is_set() {
            validate::index(row.index).map_err(|_| fault(Field::Interface))?;
            row.luid = match last.0 {
                Some((index, luid)) if index == row.index => luid,
                _ => self.luid_of(caller.level, row.index).map_err(|failure| (failure, Field::Interface))?,
            };
            last.0 = Some((row.index, row.luid));
        }
        Key::of(&row).map(|key| (key, change)).ok_or(fault(Field::Family))
    }

    /// Does the items, whose addresses are claimed.
    fn apply_claimed(&self, caller: Caller<N>, atomic: bool, items: &mut [Item]) {
        // What can't be done is known of some before anything is: nothing is then.
        if atomic && items.iter().any(|item| item.change.is_none()) {
            return;
        }
        for position in 0..items.len() {
            let Some(item) = items.get_mut(position) else { break };
            self.apply_item(caller, atomic, item);
            if atomic && item.state == ItemState::Failed {
                let done = items.get_mut(..position).unwrap_or_default();
                done.iter_mut().rev().for_each(|item| self.undo_item(caller, item));
                return;
            }
        }
        if atomic {
            for item in &*items {
                self.state.with(|state| state.commit(&item.effect));
            }
        }
    }

    fn apply_item(&self, caller: Caller<N>, atomic: bool, item: &mut Item) {
        let Some(change) = item.change else { return };
        let handle = caller.handle.0;
        let decision = self.state.with(|state| state.decide(&self.kernel, handle, &item.key, change));
        let step = match decision {
            Ok(step) => step,
            Err(status) => return item.fail((Mapped::refused(status), Field::None)),
        };
        let raw = self.perform(caller.level, &item.key.row(), &step);
        let (result, generation) = self.state.with(|state| {
            let result = state.settle(&self.kernel, &item.key, step, raw);
            if let (Ok(effect), false) = (&result, atomic) {
                state.commit(effect);
            }
            (result, state.generation.0)
        });
        match result {
            Ok(effect) => {
                (item.state, item.effect, item.raw) = (ItemState::Applied, effect, effect.raw);
                self.wake(effect.table.is_some());
                self.trace_change(caller.handle, &item.key, change, &effect, generation);
            }
            Err(failure) => item.fail((failure, field_of(change, failure.status))),
        }
    }

    fn undo_item(&self, caller: Caller<N>, item: &mut Item) {
        let row = item.key.row();
        let raw = match item.effect.table {
            Some(TableChange::Created) => self.netio.delete(caller.level, &row),
            Some(TableChange::Deleted) => self.netio.create(caller.level, &row),
            None => NtStatus::SUCCESS,
        };
        let (result, generation, shared) = self.state.with(|state| {
            let result = state.undo(&self.kernel, &item.key, &item.effect, raw);
            let lease = state.leases.find(&item.key).and_then(|lease| state.leases.get(lease));
            (result, state.generation.0, lease.map(|lease| lease.shared))
        });
        self.wake(item.effect.table.is_some());
        self.trace_undoing(caller.handle, item, raw, generation, shared);
        item.raw = raw;
        match result {
            Ok(()) => item.state = ItemState::RolledBack,
            Err(failure) => (item.state, item.status) = (ItemState::RollbackFailed, failure.status),
        }
    }

    /// Tells of a change that was undone: as of its contrary. `shared` is of the lease that the address has now.
    #[cold]
    fn trace_undoing(&self, handle: HandleId, item: &Item, raw: NtStatus, generation: u64, shared: Option<bool>) {
        let row = item.key.row();
        self.trace(handle, |process_id| match (item.effect.table, item.effect.leases) {
            (Some(TableChange::Created), _) if raw == NtStatus::SUCCESS => {
                Some(TraceEvent::AddressDeleted { row, process_id, generation })
            }
            (Some(TableChange::Created), LeaseEffect::Granted { .. }) => {
                Some(TraceEvent::WithdrawalRefused { row, netio_status: raw })
            }
            (Some(TableChange::Deleted), _) if raw == NtStatus::SUCCESS => {
                let lifetime = if shared.is_some() { Lifetime::Handle } else { Lifetime::Unowned };
                let shared = shared.unwrap_or_default();
                Some(TraceEvent::AddressCreated { row, lifetime, shared, process_id, generation })
            }
            (None, LeaseEffect::Joined { .. }) => Some(TraceEvent::LeaseLeft { row, process_id }),
            (None, LeaseEffect::Left { .. }) => Some(TraceEvent::LeaseJoined { row, process_id }),
            _ => None,
        });
    }

    #[cold]
    fn trace_item_refusal(&self, handle: HandleId, item: &Item) {
        let Item { status, raw: netio_status, .. } = *item;
        self.trace(handle, |process_id| match status {
            NtStatus::QUOTA_EXCEEDED => TraceEvent::QuotaExceeded { operation: Operation::Apply, process_id },
            status => TraceEvent::ItemRefused { row: item.key.row(), status, netio_status, process_id },
        });
    }

    /// Keeps account of a batch that has ended.
    fn report(&self, caller: Caller<N>, flags: ApplyFlags, items: &[Item]) {
        for item in items {
            self.tallies.netio_failed(Operation::Apply, item.raw);
            if item.state == ItemState::Failed && item.change.is_some() {
                self.trace_item_refusal(caller.handle, item);
            }
        }
        let (count, not_applied) = (number_of(items.len()), not_applied(items));
        let atomic = flags.contains(ApplyFlags::ATOMIC);
        self.trace(caller.handle, |process_id| TraceEvent::BatchApplied { count, not_applied, atomic, process_id });
    }
}

/// What an item is to do.
fn read_change(item: &ApplyItem) -> Result<Change, Fault> {
    const CREATE: u32 = ApplyAction::Create as u32;
    const DELETE: u32 = ApplyAction::Delete as u32;
    if item.reserved != 0 {
        return Err(fault(Field::Flags));
    }
    match item.action {
        CREATE => {
            let lifetime = Lifetime::from_wire(item.lifetime).ok_or(fault(Field::Lifetime))?;
            let flags = CreateFlags::from_bits(item.flags).ok_or(fault(Field::Flags))?;
            let shared = flags.contains(CreateFlags::SHARED);
            if shared && lifetime == Lifetime::Unowned {
                return Err(fault(Field::Flags));
            }
            Ok(Change::Create { lifetime, shared })
        }
        DELETE if item.lifetime != 0 => Err(fault(Field::Lifetime)),
        DELETE => {
            let flags = DeleteFlags::from_bits(item.flags).ok_or(fault(Field::Flags))?;
            Ok(Change::Delete { force: flags.contains(DeleteFlags::FORCE) })
        }
        _ => Err(fault(Field::Flags)),
    }
}

/// What of an item NetIO found at fault, as far as its status tells.
const fn field_of(change: Change, status: NtStatus) -> Field {
    match (status, change) {
        (NtStatus::INVALID_PARAMETER, _) => Field::Address,
        (NtStatus::NOT_SUPPORTED, _) => Field::Family,
        (NtStatus::NOT_FOUND, Change::Create { .. }) => Field::Interface,
        _ => Field::None,
    }
}

/// Writes the addresses that the batch changes into `keys`, sorted. False if there is none.
fn gather_keys(items: &[Item], keys: &mut [Key]) -> bool {
    let wanted = || items.iter().filter(|item| item.change.is_some()).map(|item| item.key);
    let Some(first) = wanted().next() else { return false };
    // In place of the items that change nothing: an address that is claimed anyway.
    keys.fill(first);
    keys.iter_mut().zip(wanted()).for_each(|(place, key)| *place = key);
    sort::sort_by(keys, Key::cmp);
    true
}

fn write_outcomes(output: &mut [u8], items: &[Item]) -> Result<Completion, Mapped> {
    let too_small = Mapped::refused(NtStatus::BUFFER_TOO_SMALL);
    let reply = ApplyReply { count: number_of(items.len()), not_applied: not_applied(items) };
    let (header, space) = output.split_first_chunk_mut::<{ size_of::<ApplyReply>() }>().ok_or(too_small)?;
    *header = transmute!(reply);
    let (places, _) = space.as_chunks_mut::<{ size_of::<ItemOutcome>() }>();
    for (place, item) in places.iter_mut().zip(items) {
        *place = transmute!(item.outcome());
    }
    let outcomes = items.len().saturating_mul(size_of::<ItemOutcome>());
    Ok(Completion { status: NtStatus::SUCCESS, information: outcomes.saturating_add(reply.as_bytes().len()) })
}

fn not_applied(items: &[Item]) -> u32 {
    number_of(items.iter().filter(|item| item.state != ItemState::Applied).count())
}

/// A batch has at most [`MAX_APPLY_ITEMS`](netio_anycast_protocol::apply::MAX_APPLY_ITEMS) items.
fn number_of(items: usize) -> u32 {
    u32::try_from(items).unwrap_or(u32::MAX)
}
