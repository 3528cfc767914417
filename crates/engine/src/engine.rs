//! The one way from a control code to a completed request.

use core::sync::atomic::{AtomicU64, Ordering};

use netio_anycast_protocol::operation::Operation;
use netio_anycast_protocol::request::Request;
use netio_anycast_protocol::status::NtStatus;
use netio_anycast_protocol::wait::Generation;

use crate::netio::Netio;
use crate::statistics::Tallies;
use crate::status_map::Mapped;
use crate::{reply, version};

/// The one buffer of a METHOD_BUFFERED request: input coming in, output going out.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/kernel/buffer-descriptions-for-i-o-control-codes>
#[derive(Debug)]
pub struct SystemBuffer<'a> {
    /// As long as the longer of the two.
    pub bytes: &'a mut [u8],
    /// The bytes of input.
    pub input_length: usize,
    /// The bytes of output that the caller has room for.
    pub output_length: usize,
}

impl<'a> SystemBuffer<'a> {
    /// The bytes that may be written: a length that the buffer does not have promises no room.
    fn output_room(&self) -> usize {
        self.output_length.min(self.bytes.len())
    }

    /// The room for output, once the input was read.
    fn into_output(self) -> &'a mut [u8] {
        let room = self.output_room();
        self.bytes.get_mut(..room).unwrap_or_default()
    }
}

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
    pub fn serve(&self, control_code: u32, buffer: SystemBuffer<'_>) -> Completion {
        let Some(operation) = Operation::from_control_code(control_code).filter(|found| version::offers(*found)) else {
            self.tallies.unknown_code();
            return Completion::bare(NtStatus::INVALID_DEVICE_REQUEST);
        };
        let request = match decode(operation, &buffer) {
            Ok(request) => request,
            Err(status) => {
                self.tallies.malformed(operation);
                return Completion::bare(status);
            }
        };
        match self.run(&request, buffer.into_output()) {
            Ok(completion) => {
                self.tallies.succeeded(operation);
                completion
            }
            Err(failure) => {
                self.tallies.failed(operation, failure);
                Completion::bare(failure.status)
            }
        }
    }

    fn run(&self, request: &Request, output: &mut [u8]) -> Result<Completion, Mapped> {
        match request {
            Request::QueryVersion => reply::value(output, &version::VERSION),
            // Only lifetime `unowned` without flags is decoded while leases are no feature of this driver, and FORCE has
            // nothing to override.
            Request::Create { row, .. } => reply::value(output, &self.create(row)?),
            Request::Delete { row, .. } => self.delete(row).map(|()| Completion::bare(NtStatus::SUCCESS)),
            Request::Get { row } => reply::value(output, &self.get(row)?),
            Request::GetTable { filter } => self.get_table(filter, output),
            Request::QueryStatistics => reply::value(output, &self.tallies.read(self.generation())),
        }
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

fn decode(operation: Operation, buffer: &SystemBuffer<'_>) -> Result<Request, NtStatus> {
    let input = buffer.bytes.get(..buffer.input_length).ok_or(NtStatus::INFO_LENGTH_MISMATCH)?;
    Request::decode(operation, input, buffer.output_room())
}
