//! Handles that open and close, and the leases that go with them.

use netio_anycast_protocol::status::NtStatus;

use crate::change::is_gone;
use crate::engine::{Engine, HandleId};
use crate::kernel::{Event, Kernel, Lock};
use crate::key::Key;
use crate::leases::State as LeaseState;
use crate::netio::Netio;
use crate::state::State;
use crate::trace::TraceEvent;
use crate::watch::TableChange;

/// Whose withdrawal is tried.
#[derive(Clone, Copy)]
enum Holder {
    /// The share of a handle that goes.
    Handle(u32),
    /// Nobody's any more: NetIO has refused to withdraw it.
    Nobody,
}

/// What is to be done about a lease that somebody holds no more.
enum Withdrawal {
    /// Nothing: it has ended otherwise.
    None,
    /// Nothing: others go on holding it.
    Left { process_id: u32 },
    /// Its address is to be deleted.
    Delete { lease: u32, process_id: u32 },
}

impl<N: Netio, K: Kernel> Engine<N, K> {
    /// Enters a handle that `process_id` has opened. What cleaning it up will need is kept ready.
    ///
    /// # Errors
    /// [`NtStatus::INSUFFICIENT_RESOURCES`]: there is no memory.
    pub fn open(&self, process_id: u32) -> Result<HandleId, NtStatus> {
        let opened = self.state.with(|state| {
            state.claims.reserve(&self.kernel)?;
            let handle = state.leases.open(&self.kernel, process_id);
            if handle.is_none() {
                state.claims.unreserve();
            }
            handle
        });
        opened.map(HandleId).ok_or(NtStatus::INSUFFICIENT_RESOURCES)
    }

    /// Withdraws what the handle leases now: IRP_MJ_CLEANUP. Requests may still be under way on it, and kernel callers may
    /// begin more; what those lease goes with [`Engine::close`].
    pub fn cleanup(&self, level: N::PassiveLevel, handle: HandleId) {
        while let Some(key) = self.state.with(|state| state.leases.first_of(handle.0)) {
            self.withdraw(level, &key, Holder::Handle(handle.0));
        }
    }

    /// Withdraws what the handle leases and forgets it: IRP_MJ_CLOSE. No request is under way on it, and none will be.
    pub fn close(&self, level: N::PassiveLevel, handle: HandleId) {
        self.cleanup(level, handle);
        self.state.with(|state| {
            state.leases.close(handle.0);
            state.claims.unreserve();
        });
    }

    /// Tries once more to withdraw what NetIO has refused to. Called before the driver goes, when every handle is closed;
    /// returns how many addresses stay behind. Each of them is told of.
    pub fn shut_down(&self, level: N::PassiveLevel) -> u32 {
        self.retry_each_withdrawal(level);
        let mut abandoned = 0_u32;
        while let Some(key) = self.state.with(|state| {
            let key = state.leases.first_orphan()?;
            let lease = state.leases.find(&key)?;
            state.leases.remove(lease);
            Some(key)
        }) {
            abandoned = abandoned.saturating_add(1);
            if self.kernel.is_tracing() {
                self.kernel.trace(&TraceEvent::LeaseAbandoned { row: key.row() });
            }
        }
        abandoned
    }

    /// Tries each withdrawal that NetIO has refused once more, and again later if it has to.
    pub(crate) fn retry_withdrawals(&self, level: N::PassiveLevel) {
        self.retry_each_withdrawal(level);
        self.state.with(|state| match state.leases.orphans() {
            0 => state.schedule.reset_retries(),
            _ => state.schedule.retry(&self.kernel),
        });
    }

    fn retry_each_withdrawal(&self, level: N::PassiveLevel) {
        let orphans = self.state.with(|state| state.leases.orphans());
        for _ in 0..orphans {
            let Some(key) = self.state.with(|state| state.leases.first_orphan()) else { break };
            self.withdraw(level, &key, Holder::Nobody);
        }
    }

    /// Ends one holder's share of a lease, and the lease if nobody else holds it. In room that was reserved, so that it can't
    /// fail for want of memory.
    fn withdraw(&self, level: N::PassiveLevel, key: &Key, holder: Holder) {
        let Some(claim) = self.state.with(|state| state.claims.enter_reserved(*key)) else { return };
        if let Some(turn) = claim.turn {
            turn.wait();
        }
        match self.state.with(|state| state.begin_withdrawal(key, holder)) {
            Withdrawal::None => self.state.with(|state| state.claims.leave_reserved(claim.slot)),
            Withdrawal::Left { process_id } => {
                self.state.with(|state| state.claims.leave_reserved(claim.slot));
                if self.kernel.is_tracing() {
                    self.kernel.trace(&TraceEvent::LeaseLeft { row: key.row(), process_id });
                }
            }
            Withdrawal::Delete { lease, process_id } => {
                let raw = self.netio.delete(level, &key.row());
                let generation = self.state.with(|state| {
                    state.end_withdrawal(&self.kernel, key, lease, holder, raw);
                    state.claims.leave_reserved(claim.slot);
                    state.generation.0
                });
                self.wake(raw == NtStatus::SUCCESS);
                self.trace_withdrawal(key, holder, process_id, raw, generation);
            }
        }
    }

    fn trace_withdrawal(&self, key: &Key, holder: Holder, process_id: u32, raw: NtStatus, generation: u64) {
        if !self.kernel.is_tracing() {
            return;
        }
        let row = key.row();
        if matches!(holder, Holder::Nobody) {
            self.kernel.trace(&TraceEvent::WithdrawalRetried { row, netio_status: raw });
        }
        if raw == NtStatus::SUCCESS || is_gone(raw) {
            self.kernel.trace(&TraceEvent::LeaseWithdrawn { row, process_id, generation });
        } else if matches!(holder, Holder::Handle(_)) {
            self.kernel.trace(&TraceEvent::WithdrawalRefused { row, netio_status: raw });
        }
    }
}

impl<K: Kernel> State<K> {
    /// What the end of a share of the lease of `key`, which is claimed, asks for.
    fn begin_withdrawal(&mut self, key: &Key, holder: Holder) -> Withdrawal {
        let Some(lease) = self.leases.find(key) else { return Withdrawal::None };
        let Some(found) = self.leases.get(lease) else { return Withdrawal::None };
        let (holders, process_id, orphaned) = (found.holders, found.process_id, found.state == LeaseState::Orphaned);
        match holder {
            Holder::Nobody if orphaned => Withdrawal::Delete { lease, process_id },
            Holder::Nobody => Withdrawal::None,
            Holder::Handle(handle) => match self.leases.share_of(lease, handle) {
                None => Withdrawal::None,
                Some(share) if holders > 1 => {
                    self.leases.give_share_up(lease, share);
                    Withdrawal::Left { process_id: self.leases.process_of(handle) }
                }
                Some(_) => Withdrawal::Delete { lease, process_id },
            },
        }
    }

    /// Enters what NetIO has said to the withdrawal of the address of `key`.
    fn end_withdrawal(&mut self, kernel: &K, key: &Key, lease: u32, holder: Holder, raw: NtStatus) {
        if matches!(holder, Holder::Nobody) {
            self.withdrawal_retries = self.withdrawal_retries.saturating_add(1);
        }
        if raw == NtStatus::SUCCESS {
            self.table_changed(TableChange::Deleted, key);
        }
        if raw == NtStatus::SUCCESS || is_gone(raw) {
            self.leases.remove(lease);
            return;
        }
        match holder {
            Holder::Nobody => self.leases.postpone_orphan(lease),
            Holder::Handle(_) => {
                self.leases.orphan(lease);
                self.schedule.retry(kernel);
            }
        }
    }
}
