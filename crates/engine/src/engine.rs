//! The one way from a control code to a completed request.

use core::hint::cold_path;
use core::sync::atomic::AtomicU32;

use netio_anycast_protocol::operation::{OPERATIONS, Operation};
use netio_anycast_protocol::request::Request;
use netio_anycast_protocol::status::NtStatus;
use netio_anycast_protocol::wait::Generation;

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

/// How a request ended: what the driver puts into `IO_STATUS_BLOCK`. Or that it has not, if [`pending`](Self::pending) says so.
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

    /// What the request waits for, if it is a WAIT_CHANGE that has to wait. It then counts as pending until it is ended with
    /// [`Engine::finish_wait`] or [`Engine::cancel_wait`].
    #[must_use]
    #[inline]
    pub const fn pending(self) -> Option<Wait> {
        match self.status {
            NtStatus::PENDING => Some(Generation(self.information as u64)),
            _ => None,
        }
    }

    /// A request that waits. It stands in two registers as every other end does, so that the common ones cost no more.
    #[expect(clippy::cast_possible_truncation, reason = "a usize has 64 bits where the engine is used")]
    pub(crate) const fn wait(wait: Wait) -> Self {
        const { assert!(usize::BITS == 64) };
        Self { status: NtStatus::PENDING, information: wait.0 as usize }
    }
}

/// What a pending WAIT_CHANGE waits for: another generation than this.
pub type Wait = Generation;

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
        buffer: impl Buffer,
    ) -> Completion {
        let Some(operation) = Operation::from_control_code(control_code) else {
            self.tallies.unknown_code();
            return Completion::bare(NtStatus::INVALID_DEVICE_REQUEST);
        };
        let caller = Caller { level, handle };
        // The same for all. Each gets a function of its own, in which the compiler knows the operation, and with it the lengths,
        // the decoder and the counters.
        match operation {
            Operation::QueryVersion => self.serve_operation::<{ Operation::QueryVersion as u8 }>(caller, buffer),
            Operation::Create => self.serve_operation::<{ Operation::Create as u8 }>(caller, buffer),
            Operation::Delete => self.serve_operation::<{ Operation::Delete as u8 }>(caller, buffer),
            Operation::Get => self.serve_operation::<{ Operation::Get as u8 }>(caller, buffer),
            Operation::GetTable => self.serve_operation::<{ Operation::GetTable as u8 }>(caller, buffer),
            Operation::Apply => self.serve_operation::<{ Operation::Apply as u8 }>(caller, buffer),
            Operation::WaitChange => self.serve_operation::<{ Operation::WaitChange as u8 }>(caller, buffer),
            Operation::ListLeases => self.serve_operation::<{ Operation::ListLeases as u8 }>(caller, buffer),
            Operation::QueryStatistics => self.serve_operation::<{ Operation::QueryStatistics as u8 }>(caller, buffer),
        }
    }

    #[inline(never)]
    fn serve_operation<const NUMBER: u8>(&self, caller: Caller<N>, mut buffer: impl Buffer) -> Completion {
        let operation = const { OPERATIONS[NUMBER as usize].operation };
        let room = buffer.output().len();
        let request = match Request::decode(operation, buffer.input(), room) {
            Ok(request) => request,
            Err(status) => {
                cold_path();
                self.tallies.malformed(operation);
                return Completion::bare(status);
            }
        };
        match self.run(&request, caller, &mut buffer) {
            Ok(completion) => {
                if completion.status != NtStatus::PENDING {
                    self.tallies.succeeded(operation);
                }
                completion
            }
            Err(failure) => {
                cold_path();
                self.tallies.failed(operation, failure);
                self.trace_refusal(operation, caller.handle, failure);
                Completion::bare(failure.status)
            }
        }
    }

    #[inline(always)]
    fn run(&self, request: &Request, caller: Caller<N>, buffer: &mut impl Buffer) -> Result<Completion, Mapped> {
        match request {
            Request::QueryVersion => reply::value(buffer.output(), &version::version(&self.limits)),
            Request::Create { row, lifetime, flags } => self.create(caller, row, *lifetime, *flags, buffer.output()),
            Request::Delete { row, flags } => self.delete(caller, row, *flags),
            Request::Get { row } => self.get(caller, *row, buffer.output()),
            Request::GetTable { filter } => self.get_table(caller, filter, buffer.output()),
            Request::Apply { flags, count } => self.apply(caller, *flags, *count, buffer),
            Request::WaitChange { seen } => self.wait_change(*seen, buffer.output()),
            Request::ListLeases { filter } => self.list_leases(caller, filter, buffer.output()),
            Request::QueryStatistics => self.query_statistics(buffer.output()),
        }
    }

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

    /// Tells whoever listens what `event` makes of the process that opened `handle`, if it makes anything of it.
    #[inline]
    pub(crate) fn trace<E: Into<Option<TraceEvent>>>(&self, handle: HandleId, event: impl FnOnce(u32) -> E) {
        if self.kernel.is_tracing() {
            cold_path();
            let process_id = self.state.with(|state| state.leases.process_of(handle.0));
            if let Some(event) = event(process_id).into() {
                self.kernel.trace(&event);
            }
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

impl<N: Netio> Clone for Caller<N> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<N: Netio> Copy for Caller<N> {}
