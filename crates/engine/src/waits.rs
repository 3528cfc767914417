//! WAIT_CHANGE, and the looks at the table that notice what others change.

use netio_anycast_protocol::address::AddressFamily;
use netio_anycast_protocol::operation::Operation;
use netio_anycast_protocol::row::Row;
use netio_anycast_protocol::status::NtStatus;
use netio_anycast_protocol::wait::Generation;

use crate::buffer::Buffer;
use crate::engine::{Answer, Completion, Engine, Wait};
use crate::kernel::{Kernel, Lock};
use crate::netio::Netio;
use crate::reply;
use crate::state::State;
use crate::status_map::Mapped;
use crate::trace::TraceEvent;
use crate::watch::{Digests, Look};

/// A look at the table that has begun, and the generation then.
#[derive(Clone, Copy)]
pub(crate) struct TableLook {
    look: Look,
    generation: Generation,
}

impl<N: Netio, K: Kernel> Engine<N, K> {
    /// Whether what `wait` waits for has come. Whoever has put a request into the queue asks once more then, since the change
    /// may have come in between, and takes it out again if so.
    #[must_use]
    pub fn is_over(&self, wait: Wait) -> bool {
        self.state.with(|state| state.generation != wait)
    }

    /// Ends a WAIT_CHANGE that was pending and is over.
    pub fn finish_wait(&self, buffer: &mut impl Buffer) -> Completion {
        let generation = self.state.with(State::end_wait);
        match reply::value(buffer.output(), &generation) {
            Ok(completion) => {
                self.tallies.succeeded(Operation::WaitChange);
                completion
            }
            Err(failure) => {
                self.tallies.failed(Operation::WaitChange, failure);
                Completion::bare(failure.status)
            }
        }
    }

    /// Ends a WAIT_CHANGE that was pending and that nobody wants any more, or that could not be made to pend.
    pub fn cancel_wait(&self) -> Completion {
        self.state.with(State::end_wait);
        self.tallies.failed(Operation::WaitChange, Mapped::refused(NtStatus::CANCELLED));
        Completion::bare(NtStatus::CANCELLED)
    }

    /// What the engine asked for with [`Kernel::defer`].
    pub fn run_deferred(&self, level: N::PassiveLevel) {
        let due = self.state.with(|state| state.schedule.take_due(&self.kernel));
        if due.look {
            self.look_for_changes(level);
        }
        if due.retry {
            self.retry_withdrawals(level);
        }
    }

    pub(crate) fn wait_change(&self, seen: Generation, output: &mut [u8]) -> Result<Answer, Mapped> {
        let generation =
            self.state.with(|state| state.begin_wait(&self.kernel, seen, self.limits.max_pending_waits))?;
        match generation {
            Some(generation) => reply::value(output, &generation).map(Answer::Complete),
            None => Ok(Answer::Pend(seen)),
        }
    }

    /// Before a table is read.
    pub(crate) fn begin_look(&self) -> TableLook {
        self.state.with(|state| {
            let look = state.watch.begin(state.claims.active() == 0);
            TableLook { look, generation: state.generation }
        })
    }

    /// After the table of `family` was read: the generation from which a caller who has seen it misses nothing.
    pub(crate) fn end_look(&self, look: TableLook, family: AddressFamily, rows: &[Row]) -> Generation {
        let seen = Digests::of(family, rows);
        let (changed, waited_for, generation) = self.state.with(|state| {
            let changed = state.watch.end(look.look, state.claims.active() == 0, seen);
            if changed {
                state.move_generation();
            }
            (changed, state.waits > 0, state.generation)
        });
        if !changed {
            return look.generation;
        }
        self.wake(waited_for);
        if self.kernel.is_tracing() {
            self.kernel.trace(&TraceEvent::ChangedByOthers { generation: generation.0 });
        }
        generation
    }

    /// Looks whether others have changed anything, and again later as long as somebody waits.
    fn look_for_changes(&self, level: N::PassiveLevel) {
        let family = AddressFamily::UNSPECIFIED;
        let look = self.begin_look();
        match self.netio.table(level, family) {
            Ok(table) => drop(self.end_look(look, family, table.as_ref())),
            // The documentation's way to say that there are no addresses.
            Err(NtStatus::NOT_FOUND) => drop(self.end_look(look, family, &[])),
            // The next look will tell.
            Err(_) => {}
        }
        self.state.with(|state| {
            if state.waits > 0 {
                state.schedule.look(&self.kernel);
            }
        });
    }
}

impl<K: Kernel> State<K> {
    /// The generation now if it is not what the caller has seen; otherwise one more wait pends.
    fn begin_wait(&mut self, kernel: &K, seen: Generation, most: u32) -> Result<Option<Generation>, Mapped> {
        if self.generation != seen {
            return Ok(Some(self.generation));
        }
        if self.waits >= most {
            return Err(Mapped::refused(NtStatus::QUOTA_EXCEEDED));
        }
        self.waits = self.waits.saturating_add(1);
        self.schedule.look(kernel);
        Ok(None)
    }

    /// A wait pends no more; the generation now.
    fn end_wait(&mut self) -> Generation {
        self.waits = self.waits.saturating_sub(1);
        self.generation
    }
}
