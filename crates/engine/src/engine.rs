//! The one way from a control code to a completed request.

use core::hint::cold_path;
use core::sync::atomic::AtomicU32;

use netio_anycast_protocol::operation::Operation;
use netio_anycast_protocol::request::Request;
use netio_anycast_protocol::status::NtStatus;

use crate::buffer::Buffer;
use crate::kernel::{Kernel, Lock};
use crate::limits::Limits;
use crate::netio::Netio;
use crate::slab::NIL;
use crate::state::State;
use crate::statistics::Tallies;
use crate::status_map::Mapped;
use crate::trace::TraceEvent;
use crate::{reply, version};

/// How a request ended: what the driver puts into `IO_STATUS_BLOCK`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct Completion {
    /// The mapped status.
    pub status: NtStatus,
    /// The bytes of output written; zero with an error status.
    pub information: usize,
}

impl Completion {
    /// The end of a request that returns nothing but its status.
    pub const fn bare(status: NtStatus) -> Self {
        Self { status, information: 0 }
    }
}

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Answer {
    /// It is over.
    Complete(Completion),
    /// It is a WAIT_CHANGE that has to wait, and counts as pending until it is ended with [`Engine::finish_wait`] or
    /// [`Engine::cancel_wait`].
    Pend(Wait),
}

/// What a pending WAIT_CHANGE waits for: another generation than this.
pub type Wait = netio_anycast_protocol::wait::Generation;

/// An open handle of the device, or of the direct-call interface: whose leases go when it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HandleId(pub(crate) u32);

impl HandleId {
    /// No handle: for requests that come without one. Nothing can be leased through it.
    pub const NONE: Self = Self(NIL);

    /// The number that it is, for a driver that keeps it in a word.
    #[must_use]
    pub const fn number(self) -> u32 {
        self.0
    }

    /// What [`number`](Self::number) gave. Any other number is a handle that there is not, or somebody else's.
    #[must_use]
    pub const fn from_number(number: u32) -> Self {
        Self(number)
    }
}

/// The driver's behaviour over a NetIO and a kernel.
pub struct Engine<N: Netio, K: Kernel> {
    pub(crate) netio: N,
    pub(crate) kernel: K,
    pub(crate) limits: Limits,
    pub(crate) state: K::Lock<State<K>>,
    /// The WAIT_CHANGE requests that pend. Not behind the lock, since their cancellation may come at DISPATCH_LEVEL.
    pub(crate) waits: AtomicU32,
    pub(crate) tallies: Tallies,
}

impl<N: Netio, K: Kernel> Engine<N, K> {
    /// An engine over `netio` and `kernel`, or `None` if there is no memory.
    pub fn new(netio: N, kernel: K, limits: Limits) -> Option<Self> {
        let limits = limits.clamped();
        let state = kernel.lock(State::new(&kernel, limits)?)?;
        Some(Self { netio, kernel, limits, state, waits: AtomicU32::new(0), tallies: Tallies::new() })
    }

    /// Serves one request at PASSIVE_LEVEL that came through `handle`.
    ///
    /// The buffer is written only where the completion says that there is output.
    #[inline]
    pub fn serve(
        &self,
        level: N::PassiveLevel,
        handle: HandleId,
        control_code: u32,
        buffer: &mut impl Buffer,
    ) -> Answer {
        let Some(operation) = Operation::from_control_code(control_code) else {
            self.tallies.unknown_code();
            return Answer::Complete(Completion::bare(NtStatus::INVALID_DEVICE_REQUEST));
        };
        let caller = Caller { level, handle };
        // The same for all. Each gets a copy of its own, in which the compiler knows the operation, and with it the lengths, the
        // decoder and the counters.
        match operation {
            Operation::QueryVersion => self.serve_operation(Operation::QueryVersion, &caller, buffer),
            Operation::Create => self.serve_operation(Operation::Create, &caller, buffer),
            Operation::Delete => self.serve_operation(Operation::Delete, &caller, buffer),
            Operation::Get => self.serve_operation(Operation::Get, &caller, buffer),
            Operation::GetTable => self.serve_operation(Operation::GetTable, &caller, buffer),
            Operation::Apply => self.serve_operation(Operation::Apply, &caller, buffer),
            Operation::WaitChange => self.serve_operation(Operation::WaitChange, &caller, buffer),
            Operation::ListLeases => self.serve_operation(Operation::ListLeases, &caller, buffer),
            Operation::QueryStatistics => self.serve_operation(Operation::QueryStatistics, &caller, buffer),
        }
    }

    #[inline(always)]
    fn serve_operation(&self, operation: Operation, caller: &Caller<N>, buffer: &mut impl Buffer) -> Answer {
        let room = buffer.output().len();
        let request = match Request::decode(operation, buffer.input(), room) {
            Ok(request) => request,
            Err(status) => {
                cold_path();
                self.tallies.malformed(operation);
                return Answer::Complete(Completion::bare(status));
            }
        };
        match self.run(&request, caller, buffer) {
            Ok(Answer::Complete(completion)) => {
                self.tallies.succeeded(operation);
                Answer::Complete(completion)
            }
            Ok(pending) => pending,
            Err(failure) => {
                cold_path();
                self.tallies.failed(operation, failure);
                self.trace_refusal(operation, caller.handle, failure);
                Answer::Complete(Completion::bare(failure.status))
            }
        }
    }

    #[inline(always)]
    fn run(&self, request: &Request, caller: &Caller<N>, buffer: &mut impl Buffer) -> Result<Answer, Mapped> {
        let completion = match request {
            Request::QueryVersion => reply::value(buffer.output(), &version::version(&self.limits)),
            Request::Create { row, lifetime, flags } => self.create(caller, row, *lifetime, *flags, buffer.output()),
            Request::Delete { row, flags } => self.delete(caller, row, *flags),
            Request::Get { row } => self.get(caller, *row, buffer.output()),
            Request::GetTable { filter } => self.get_table(caller, filter, buffer.output()),
            Request::Apply { flags, count } => self.apply(caller, *flags, *count, buffer),
            Request::WaitChange { seen } => return self.wait_change(*seen, buffer.output()),
            Request::ListLeases { filter } => self.list_leases(caller, filter, buffer.output()),
            Request::QueryStatistics => self.query_statistics(buffer.output()),
        };
        completion.map(Answer::Complete)
    }

    /// Not a part of the function above, whose stack frame would have room for all counters.
    #[inline(never)]
    fn query_statistics(&self, output: &mut [u8]) -> Result<Completion, Mapped> {
        let totals = self.state.with(|state| state.totals(self.pending_waits()));
        reply::value(output, &self.tallies.read(&totals))
    }

    /// Lets those who wait for a change know of one, if there was one. Called after the section in which the generation moved:
    /// whoever began to wait before is counted then, and whoever comes later sees the new generation.
    #[inline]
    pub(crate) fn wake(&self, changed: bool) {
        if changed && self.pending_waits() > 0 {
            cold_path();
            self.kernel.wake_waits();
        }
    }

    /// Tells whoever listens, with what `event` makes of the process that opened `handle`.
    #[inline]
    pub(crate) fn trace(&self, handle: HandleId, event: impl FnOnce(u32) -> TraceEvent) {
        if self.kernel.is_tracing() {
            cold_path();
            let process_id = self.state.with(|state| state.leases.process_of(handle.0));
            self.kernel.trace(&event(process_id));
        }
    }

    #[cold]
    fn trace_refusal(&self, operation: Operation, handle: HandleId, failure: Mapped) {
        let Mapped { status, raw } = failure;
        self.trace(handle, |process_id| match status {
            NtStatus::QUOTA_EXCEEDED => TraceEvent::QuotaExceeded { operation, process_id },
            status => TraceEvent::RequestRefused { operation, status, netio_status: raw, process_id },
        });
    }
}

/// On whose behalf a request is served, with the proof that NetIO may be called.
pub(crate) struct Caller<N: Netio> {
    pub(crate) level: N::PassiveLevel,
    pub(crate) handle: HandleId,
}
