//! How a request reaches the driver.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use netio_anycast_protocol::status::NtStatus;
use netio_anycast_protocol::win32::Win32Error;

/// Carries one request to the driver and its reply back.
///
/// On Windows this is `DeviceTransport`. Anything else that answers as the driver does will do, so that a program that
/// uses [`Client`](crate::Client) is tested without a driver, on any host.
pub trait Transport {
    /// Sends one control code with `input`, waits for the end of the request and returns what came back in `output`.
    ///
    /// # Errors
    /// The request ended with a status other than STATUS_SUCCESS and the warning STATUS_BUFFER_OVERFLOW. `output` then
    /// holds nothing.
    fn control(&self, control_code: u32, input: &[u8], output: &mut [u8]) -> Result<Returned, OsError>;

    /// Sends one control code whose request may pend, and returns at once; the output, of at most `output_length` bytes,
    /// comes with the end of the request.
    ///
    /// A transport that can't do that need not: the request is then sent through [`control`](Self::control), and this
    /// returns when it has ended.
    ///
    /// # Errors
    /// The request could not be sent, or ended at once with a failure.
    fn begin<'a>(
        &'a self,
        control_code: u32,
        input: &[u8],
        output_length: usize,
    ) -> Result<Box<dyn PendingRequest + 'a>, OsError> {
        Ok(Box::new(CompletedRequest::through(self, control_code, input, output_length)?))
    }
}

/// A request that was sent and may not have ended. Dropping it cancels it and waits for its end.
///
/// Threads may share it: one waits, another cancels.
pub trait PendingRequest: fmt::Debug + Send + Sync {
    /// Waits until the request has ended, at most for `timeout`, and returns what it ended with: the output, or why it
    /// failed. `None` if it has not ended. Without a timeout it waits for as long as the request takes; with a timeout of
    /// zero it only looks.
    ///
    /// Once the request has ended, every call returns the same.
    fn wait(&self, timeout: Option<Duration>) -> Option<Result<Vec<u8>, OsError>>;

    /// Asks for the end of the request, which then ends with STATUS_CANCELLED; one that has ended already keeps its result.
    fn cancel(&self);
}

macro_rules! transport_behind_a_pointer {
    ($($pointer:ty),+) => {$(
        impl<T: Transport + ?Sized> Transport for $pointer {
            fn control(&self, control_code: u32, input: &[u8], output: &mut [u8]) -> Result<Returned, OsError> {
                (**self).control(control_code, input, output)
            }

            fn begin<'a>(
                &'a self,
                control_code: u32,
                input: &[u8],
                output_length: usize,
            ) -> Result<Box<dyn PendingRequest + 'a>, OsError> {
                (**self).begin(control_code, input, output_length)
            }
        }
    )+};
}

transport_behind_a_pointer!(&T, Box<T>, Arc<T>);

/// A request that has ended: what [`Transport::begin`] returns where nothing pends.
///
/// ```
/// use netio_anycast_client::{CompletedRequest, PendingRequest};
///
/// let request = CompletedRequest(Ok(vec![1, 2]));
/// request.cancel();
/// assert_eq!(request.wait(None), Some(Ok(vec![1, 2])));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompletedRequest(
    /// What it ended with.
    pub Result<Vec<u8>, OsError>,
);

impl CompletedRequest {
    /// Sends the request through [`Transport::control`] and waits for its end.
    ///
    /// # Errors
    /// As for `control`. Output that does not fit is STATUS_BUFFER_OVERFLOW, since nothing that pends has rows.
    pub fn through(
        transport: &(impl Transport + ?Sized),
        control_code: u32,
        input: &[u8],
        output_length: usize,
    ) -> Result<Self, OsError> {
        let mut output = vec![0; output_length];
        let returned = transport.control(control_code, input, &mut output)?;
        if returned.more || returned.length > output.len() {
            return Err(OsError::from_status(NtStatus::BUFFER_OVERFLOW));
        }
        output.truncate(returned.length);
        Ok(Self(Ok(output)))
    }
}

impl PendingRequest for CompletedRequest {
    fn wait(&self, _timeout: Option<Duration>) -> Option<Result<Vec<u8>, OsError>> {
        Some(self.0.clone())
    }

    fn cancel(&self) {}
}

/// What a request brought back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Returned {
    /// The bytes of output.
    pub length: usize,
    /// The status was the warning STATUS_BUFFER_OVERFLOW: there are more rows than fitted.
    pub more: bool,
}

/// Why a request failed, as the system puts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OsError {
    /// What the request ended with.
    pub status: NtStatus,
    /// What `GetLastError` said.
    pub win32: Win32Error,
}

impl OsError {
    /// A failure of which only the NTSTATUS is known.
    #[must_use]
    pub fn from_status(status: NtStatus) -> Self {
        Self { status, win32: Win32Error::from_status(status) }
    }

    /// A failure of which only the Win32 code is known. The status is then that code in the facility that is there for
    /// this purpose, as the macro `NTSTATUS_FROM_WIN32` composes it.
    #[must_use]
    pub const fn from_win32(win32: Win32Error) -> Self {
        Self { status: NtStatus::from_bits(0xC007_0000 | win32.0 & 0xFFFF), win32 }
    }
}

/// What the device is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everything but creating and deleting addresses.
    Read,
    /// Everything.
    ReadWrite,
}
