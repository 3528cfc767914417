//! A request that pends.

use std::fmt;
use std::fs::File;
use std::os::windows::io::{AsRawHandle, OwnedHandle};
use std::ptr::null_mut;
use std::time::Duration;

use netio_anycast_protocol::status::NtStatus;
use windows_sys::Win32::Foundation::{ERROR_IO_PENDING, STATUS_PENDING, WAIT_OBJECT_0};
use windows_sys::Win32::System::IO::{CancelIoEx, DeviceIoControl, OVERLAPPED};
use windows_sys::Win32::System::Threading::{INFINITE, WaitForSingleObject};

use super::{device, last_error};
use crate::transport::{OsError, PendingRequest, Returned};

/// What the system writes to until the request has ended: it stays where it is.
struct Buffers {
    overlapped: OVERLAPPED,
    input: Vec<u8>,
    output: Vec<u8>,
}

/// A request on `device`, under way or ended.
pub(super) struct Pending<'a> {
    device: &'a File,
    /// Set when the request ends. Nothing resets it.
    event: OwnedHandle,
    /// From `Box::into_raw`; the system's as long as the event is not set.
    buffers: *mut Buffers,
    /// What DeviceIoControl said, if it failed.
    immediate: Option<OsError>,
}

// SAFETY: a request belongs to no thread: any may wait for it, cancel it by CancelIoEx, and free it once it has ended.
unsafe impl Send for Pending<'_> {}
// SAFETY: by a shared reference threads only wait on the event, call CancelIoEx, and, once the event was set, read.
unsafe impl Sync for Pending<'_> {}

impl<'a> Pending<'a> {
    /// Sends the request.
    pub(super) fn begin(
        device: &'a File,
        control_code: u32,
        input: &[u8],
        output_length: usize,
    ) -> Result<Self, OsError> {
        let input = input.to_vec();
        let output = vec![0; output_length];
        let (input_length, output_length) = (device::length(&input)?, device::length(&output)?);
        let event = device::event()?;
        let mut overlapped = OVERLAPPED { Internal: STATUS_PENDING as usize, ..OVERLAPPED::default() };
        overlapped.hEvent = event.as_raw_handle();
        let mut buffers = Box::new(Buffers { overlapped, input, output });
        let (input, output) = (buffers.input.as_ptr(), buffers.output.as_mut_ptr());
        let buffers = Box::into_raw(buffers);
        // SAFETY: it points to live buffers.
        let overlapped = unsafe { &raw mut (*buffers).overlapped };
        // SAFETY: the handle is open, the buffers are valid with these lengths, and `Drop` frees them only once the request
        // has ended.
        // https://learn.microsoft.com/windows/win32/api/ioapiset/nf-ioapiset-deviceiocontrol
        let done = unsafe {
            DeviceIoControl(
                device.as_raw_handle(),
                control_code,
                input.cast(),
                input_length,
                output.cast(),
                output_length,
                null_mut(),
                overlapped,
            )
        };
        let immediate = (done == 0).then(last_error::last_error);
        let immediate = immediate.filter(|error| error.win32.0 != ERROR_IO_PENDING);
        let pending = Self { device, event, buffers, immediate };
        match immediate {
            // The system leaves the event alone if the driver refuses at once.
            Some(_) => match pending.result() {
                Err(error) => Err(error),
                Ok(_) => Ok(pending),
            },
            None => Ok(pending),
        }
    }

    const fn overlapped(&self) -> *mut OVERLAPPED {
        // SAFETY: the buffers live as long as this does, and no reference is made.
        unsafe { &raw mut (*self.buffers).overlapped }
    }

    /// Whether the request has ended, within so many milliseconds.
    fn ends_within(&self, milliseconds: u32) -> bool {
        if self.immediate.is_some() {
            return true;
        }
        // SAFETY: the event is open.
        // https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-waitforsingleobject
        unsafe { WaitForSingleObject(self.event.as_raw_handle(), milliseconds) == WAIT_OBJECT_0 }
    }

    /// What the request ended with. It has ended.
    fn result(&self) -> Result<Vec<u8>, OsError> {
        // SAFETY: the request has ended, so nobody writes to the buffers any more.
        let buffers = unsafe { &*self.buffers };
        let Returned { length, more } = device::outcome(&buffers.overlapped, self.immediate)?;
        match buffers.output.get(..length) {
            Some(output) if !more => Ok(output.to_vec()),
            // More than fits can only be a warning, which nothing that pends ends with.
            _ => Err(OsError::from_status(NtStatus::BUFFER_OVERFLOW)),
        }
    }
}

impl PendingRequest for Pending<'_> {
    fn wait(&self, timeout: Option<Duration>) -> Option<Result<Vec<u8>, OsError>> {
        let milliseconds = match timeout {
            None => INFINITE,
            // Rounded up, so that it does not look again and again in the last millisecond.
            Some(timeout) => u32::try_from(timeout.as_micros().div_ceil(1000)).unwrap_or(INFINITE).min(INFINITE - 1),
        };
        self.ends_within(milliseconds).then(|| self.result())
    }

    fn cancel(&self) {
        // SAFETY: the device is open, and the OVERLAPPED lives; if its request has ended, nothing is found and nothing done.
        // https://learn.microsoft.com/windows/win32/fileio/cancelioex-func
        unsafe { CancelIoEx(self.device.as_raw_handle(), self.overlapped()) };
    }
}

impl Drop for Pending<'_> {
    fn drop(&mut self) {
        if !self.ends_within(0) {
            self.cancel();
            device::wait(self.device, self.overlapped());
        }
        // SAFETY: it came from a box, and the request has ended, so the system is done with it.
        drop(unsafe { Box::from_raw(self.buffers) });
    }
}

impl fmt::Debug for Pending<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Pending").field("ended", &self.ends_within(0)).finish_non_exhaustive()
    }
}
