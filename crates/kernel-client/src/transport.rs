//! How a request reaches the driver, and what comes back.

use netio_anycast_protocol::operation::Operation;
use netio_anycast_protocol::status::NtStatus;
use zerocopy::{FromBytes, IntoBytes};

use crate::error::Error;

/// Carries one request to the driver and its reply back.
///
/// In a driver this is `Device`. Anything else that answers as the driver does will do, so that what uses a
/// [`Client`](crate::Client) can be tested without a kernel.
pub trait Transport {
    /// Sends one control code with `input`, waits for the end of the request, and tells what came back in `output`.
    fn control(&self, control_code: u32, input: &[u8], output: &mut [u8]) -> Reply;
}

impl<T: Transport + ?Sized> Transport for &T {
    fn control(&self, control_code: u32, input: &[u8], output: &mut [u8]) -> Reply {
        (**self).control(control_code, input, output)
    }
}

/// What a request ended with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reply {
    /// Its status.
    pub status: NtStatus,
    /// The bytes of output: `Information` of the status block. It means something for STATUS_SUCCESS and the warning
    /// STATUS_BUFFER_OVERFLOW only.
    pub length: usize,
}

impl Reply {
    /// A request that ended with this failure.
    #[must_use]
    pub const fn failure(status: NtStatus) -> Self {
        Self { status, length: 0 }
    }

    /// Only success is success, with exactly this many bytes of output.
    pub(crate) fn expect(self, length: usize) -> Result<(), Error> {
        match self.status {
            NtStatus::SUCCESS if self.length == length => Ok(()),
            NtStatus::SUCCESS | NtStatus::BUFFER_OVERFLOW => Err(Error::Malformed),
            failure => Err(Error::Status(failure)),
        }
    }
}

/// One request whose output is exactly one struct.
pub(crate) fn exchange<R>(transport: &impl Transport, operation: Operation, input: &[u8]) -> Result<R, Error>
where
    R: FromBytes + IntoBytes,
{
    let mut output = R::new_zeroed();
    let reply = transport.control(operation.definition().control_code(), input, output.as_mut_bytes());
    reply.expect(size_of::<R>())?;
    Ok(output)
}
