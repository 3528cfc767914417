//! The one way from a control code to a completed request.

use netio_anycast_protocol::operation::Operation;
use netio_anycast_protocol::request::Request;
use netio_anycast_protocol::status::NtStatus;

use crate::netio::Netio;

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

/// How a request ended: what the driver puts into `IO_STATUS_BLOCK`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Completion {
    /// The mapped status.
    pub status: NtStatus,
    /// The bytes of output written; zero with an error status.
    pub information: usize,
}

/// The driver's behaviour over a NetIO.
#[derive(Debug)]
pub struct Engine<N> {
    netio: N,
}

impl<N: Netio> Engine<N> {
    /// An engine over `netio`.
    #[must_use]
    pub const fn new(netio: N) -> Self {
        Self { netio }
    }

    /// Serves one request at PASSIVE_LEVEL.
    #[must_use]
    pub fn serve(&self, control_code: u32, buffer: SystemBuffer<'_>) -> Completion {
        let _ = (&self.netio, control_code, buffer, Operation::from_control_code, Request::decode);
        todo!()
    }
}
