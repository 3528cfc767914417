//! The one way from a control code to a completed request.

use core::hint::cold_path;
use core::sync::atomic::{AtomicU64, Ordering};

use netio_anycast_protocol::operation::Operation;
use netio_anycast_protocol::request::Request;
use netio_anycast_protocol::status::NtStatus;
use netio_anycast_protocol::wait::Generation;

use crate::buffer::Buffer;
use crate::netio::Netio;
use crate::statistics::Tallies;
use crate::status_map::Mapped;
use crate::{reply, version};

/// How a request ended: what the driver puts into `IO_STATUS_BLOCK`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Completion {
    /// The mapped status.
    pub status: NtStatus,
    /// The bytes of output written; zero with an error status.
    pub information: usize,
}

impl Completion {
    /// The end of a request that returns nothing but its status.
    #[must_use]
    pub const fn bare(status: NtStatus) -> Self {
        Self { status, information: 0 }
    }
}

/// The driver's behaviour over a NetIO.
#[derive(Debug)]
pub struct Engine<N> {
    pub(crate) netio: N,
    generation: AtomicU64,
    tallies: Tallies,
}

impl<N: Netio> Engine<N> {
    /// An engine over `netio`.
    #[must_use]
    pub const fn new(netio: N) -> Self {
        Self { netio, generation: AtomicU64::new(0), tallies: Tallies::new() }
    }

    /// Serves one request at PASSIVE_LEVEL.
    ///
    /// The buffer is written only where the completion says that there is output.
    #[must_use]
    #[inline]
    pub fn serve(&self, control_code: u32, buffer: impl Buffer) -> Completion {
        let Some(operation) = Operation::from_control_code(control_code).filter(|found| version::offers(*found)) else {
            self.tallies.unknown_code();
            return Completion::bare(NtStatus::INVALID_DEVICE_REQUEST);
        };
        // The same for all. Each gets a copy of its own, in which the compiler knows the operation, and with it the lengths, the
        // decoder and the counters.
        match operation {
            Operation::QueryVersion => self.serve_operation(Operation::QueryVersion, buffer),
            Operation::Create => self.serve_operation(Operation::Create, buffer),
            Operation::Delete => self.serve_operation(Operation::Delete, buffer),
            Operation::Get => self.serve_operation(Operation::Get, buffer),
            Operation::GetTable => self.serve_operation(Operation::GetTable, buffer),
            Operation::Apply => self.serve_operation(Operation::Apply, buffer),
            Operation::WaitChange => self.serve_operation(Operation::WaitChange, buffer),
            Operation::ListLeases => self.serve_operation(Operation::ListLeases, buffer),
            Operation::QueryStatistics => self.serve_operation(Operation::QueryStatistics, buffer),
        }
    }

    #[inline(always)]
    fn serve_operation(&self, operation: Operation, mut buffer: impl Buffer) -> Completion {
        let room = buffer.output().len();
        let request = match Request::decode(operation, buffer.input(), room) {
            Ok(request) => request,
            Err(status) => {
                cold_path();
                self.tallies.malformed(operation);
                return Completion::bare(status);
            }
        };
        match self.run(request, buffer.output()) {
            Ok(completion) => {
                self.tallies.succeeded(operation);
                completion
            }
            Err(failure) => {
                cold_path();
                self.tallies.failed(operation, failure);
                Completion::bare(failure.status)
            }
        }
    }

    #[inline(always)]
    fn run(&self, request: Request, output: &mut [u8]) -> Result<Completion, Mapped> {
        match request {
            Request::QueryVersion => reply::value(output, &version::VERSION),
            // Only lifetime `unowned` without flags is decoded while leases are no feature of this driver, and FORCE has
            // nothing to override.
            Request::Create { row, .. } => self.create(row, output),
            Request::Delete { row, .. } => self.delete(row),
            Request::Get { row } => self.get(row, output),
            Request::GetTable { filter } => self.get_table(&filter, output),
            Request::QueryStatistics => self.query_statistics(output),
        }
    }

    /// Not a part of the function above, whose stack frame would have room for all counters.
    #[inline(never)]
    fn query_statistics(&self, output: &mut [u8]) -> Result<Completion, Mapped> {
        reply::value(output, &self.tallies.read(self.generation()))
    }

    /// Proof that NetIO may be called during this request.
    #[inline]
    pub(crate) fn passive_level(&self) -> Result<N::PassiveLevel, Mapped> {
        self.netio.passive_level().ok_or(Mapped::irql_too_high())
    }

    /// The number that moves with every change the driver makes.
    ///
    /// Whoever reads it sees in NetIO's table every change that it counts.
    pub(crate) fn generation(&self) -> Generation {
        Generation(self.generation.load(Ordering::Acquire))
    }

    /// Called after a change was made, so that a generation read earlier is never newer than a table read later.
    pub(crate) fn changed(&self) {
        self.generation.fetch_add(1, Ordering::Release);
    }
}
