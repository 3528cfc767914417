//! WAIT_CHANGE, and the looks at the table that notice what others change.

use core::sync::atomic::Ordering;

use netio_anycast_protocol::address::AddressFamily;
use netio_anycast_protocol::operation::Operation;
use netio_anycast_protocol::row::Row;
use netio_anycast_protocol::status::NtStatus;
use netio_anycast_protocol::wait::Generation;

use crate::buffer::Buffer;
use crate::engine::{Completion, Engine, Wait};
use crate::kernel::{Kernel, Lock};
use crate::netio::Netio;
use crate::reply;
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
        self.generation() != wait
    }

    /// The generation now. Every wait for another one is over.
    #[must_use]
    pub fn generation(&self) -> Generation {
        self.state.with(|state| state.generation)
    }

    /// Ends a WAIT_CHANGE that was pending and is over.
    pub fn finish_wait(&self, mut buffer: impl Buffer) -> Completion {
        self.end_wait();
        match reply::value(buffer.output(), &self.generation()) {
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

    /// Ends a WAIT_CHANGE that was pending and that nobody wants any more, or that could not be made to pend. IRQL <=
    /// DISPATCH_LEVEL, as cancel routines are called at.
    pub fn cancel_wait(&self) -> Completion {
        self.end_wait();
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

    pub(crate) fn wait_change(&self, seen: Generation, output: &mut [u8]) -> Result<Completion, Mapped> {
        let generation = self.state.with(|state| {
            if state.generation == seen {
                // With the lock held, so that whoever moves the generation next knows of it.
                self.begin_wait()?;
                state.schedule.look(&self.kernel);
            }
            Ok(state.generation)
        })?;
        if generation == seen {
            return Ok(Completion::wait(seen));
        }
        reply::value(output, &generation)
    }

    /// Before a table is read.
    pub(crate) fn begin_look(&self) -> TableLook {
        self.state.with(|state| {
            let look = state.watch.begin(state.claims.is_idle());
            TableLook { look, generation: state.generation }
        })
    }

    /// After the table of `family` was read: the generation from which a caller who has seen it misses nothing.
    pub(crate) fn end_look(&self, look: TableLook, family: AddressFamily, rows: &[Row]) -> Generation {
        let seen = Digests::of(family, rows);
        let (changed, generation) = self.state.with(|state| {
            let changed = state.watch.end(look.look, state.claims.is_idle(), seen);
            if changed {
                state.move_generation();
            }
            (changed, state.generation)
        });
        if !changed {
            return look.generation;
        }
        self.wake(true);
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
        if self.pending_waits() > 0 {
            self.state.with(|state| state.schedule.look(&self.kernel));
        }
    }

    /// One more wait pends, unless as many do as may.
    fn begin_wait(&self) -> Result<(), Mapped> {
        let most = self.limits.max_pending_waits;
        let one_more = |waits: u32| if waits < most { waits.checked_add(1) } else { None };
        let begun = self.waits.fetch_update(Ordering::AcqRel, Ordering::Acquire, one_more);
        begun.map(drop).map_err(|_| Mapped::refused(NtStatus::QUOTA_EXCEEDED))
    }

    /// A wait pends no more. Any IRQL.
    fn end_wait(&self) {
        self.waits.fetch_sub(1, Ordering::AcqRel);
    }

    pub(crate) fn pending_waits(&self) -> u32 {
        self.waits.load(Ordering::Acquire)
    }
}
