//! Requests through the driver's device.

use std::fs::{File, OpenOptions};
use std::os::windows::fs::OpenOptionsExt;
use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};
use std::ptr::{null, null_mut};

use netio_anycast_protocol::DEVICE_PATH;
use netio_anycast_protocol::status::NtStatus;
use netio_anycast_protocol::win32::Win32Error;
use windows_sys::Win32::Foundation::{ERROR_IO_PENDING, NTSTATUS, STATUS_PENDING};
use windows_sys::Win32::Storage::FileSystem::FILE_FLAG_OVERLAPPED;
use windows_sys::Win32::System::IO::{DeviceIoControl, GetOverlappedResult, OVERLAPPED};
use windows_sys::Win32::System::Threading::CreateEventW;

use super::last_error;
use super::pending::Pending;
use crate::error::Error;
use crate::transport::{Access, OsError, PendingRequest, Returned, Transport};

/// A handle to the driver's device.
///
/// It is opened for overlapped requests, so that threads that share it do not wait for each other: the I/O manager
/// serialises the requests of a handle that is not.
#[derive(Debug)]
pub struct DeviceTransport {
    device: File,
}

impl DeviceTransport {
    /// Opens the driver's device.
    ///
    /// # Errors
    /// `NoDriver` if the driver is not running; `AccessDenied` if the caller is no administrator.
    pub fn open(access: Access) -> Result<Self, Error> {
        Self::open_path(DEVICE_PATH, access)
    }

    /// Opens a device that speaks in control codes, by its Win32 path.
    ///
    /// # Errors
    /// As for [`open`](Self::open).
    pub fn open_path(path: &str, access: Access) -> Result<Self, Error> {
        let opened = OpenOptions::new()
            .read(true)
            .write(access == Access::ReadWrite)
            .custom_flags(FILE_FLAG_OVERLAPPED)
            .open(path);
        match opened {
            Ok(device) => Ok(Self { device }),
            Err(error) => {
                let win32 =
                    error.raw_os_error().map_or(Win32Error::GEN_FAILURE, |code| Win32Error(code.cast_unsigned()));
                Err(Error::opening(path, last_error::with_last_status(win32)))
            }
        }
    }
}

impl Transport for DeviceTransport {
    fn control(&self, control_code: u32, input: &[u8], output: &mut [u8]) -> Result<Returned, OsError> {
        let input_length = length(input)?;
        let output_length = length(output)?;
        let event = event()?;
        let device = self.device.as_raw_handle();
        let mut overlapped = OVERLAPPED { Internal: STATUS_PENDING as usize, ..OVERLAPPED::default() };
        overlapped.hEvent = event.as_raw_handle();
        // From here on the system writes to it, so it is reached through this pointer only.
        let overlapped = &raw mut overlapped;
        // SAFETY: handle and buffers are valid with these lengths, and they and `overlapped` outlive the request: nothing
        // below returns before it has ended.
        // https://learn.microsoft.com/windows/win32/api/ioapiset/nf-ioapiset-deviceiocontrol
        let done = unsafe {
            DeviceIoControl(
                device,
                control_code,
                input.as_ptr().cast(),
                input_length,
                output.as_mut_ptr().cast(),
                output_length,
                null_mut(),
                overlapped,
            )
        };
        let immediate = (done == 0).then(last_error::last_error);
        if immediate.is_some_and(|error| error.win32.0 == ERROR_IO_PENDING) {
            wait(&self.device, overlapped);
        }
        // SAFETY: the request has ended, so nobody writes to it any more.
        outcome(&unsafe { overlapped.read() }, immediate)
    }

    fn begin<'a>(
        &'a self,
        control_code: u32,
        input: &[u8],
        output_length: usize,
    ) -> Result<Box<dyn PendingRequest + 'a>, OsError> {
        Ok(Box::new(Pending::begin(&self.device, control_code, input, output_length)?))
    }
}

/// What the request ended with, from the status block in `overlapped`; the system leaves that alone when the driver refuses
/// at once, and then `immediate` has the reason.
pub(super) fn outcome(overlapped: &OVERLAPPED, immediate: Option<OsError>) -> Result<Returned, OsError> {
    let status = status(overlapped);
    let length = overlapped.InternalHigh;
    match (status, immediate) {
        (NtStatus::SUCCESS, _) => Ok(Returned { length, more: false }),
        (NtStatus::BUFFER_OVERFLOW, _) => Ok(Returned { length, more: true }),
        (NtStatus::PENDING, Some(error)) => Err(error),
        (failure, _) => Err(last_error::from_status(failure.0)),
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    reason = "the system stores an NTSTATUS of 32 bits in the field"
)]
pub(super) const fn status(overlapped: &OVERLAPPED) -> NtStatus {
    NtStatus(overlapped.Internal as NTSTATUS)
}

/// Waits until the request has ended.
///
/// Buffers that the system may still write to can't be given back, so if there is no way to wait the process ends. That
/// takes an invalid handle, which the borrow excludes.
pub(super) fn wait(device: &File, overlapped: *mut OVERLAPPED) {
    let mut transferred = 0;
    // SAFETY: both handles are open, and `overlapped` is that of a request on `device`.
    // https://learn.microsoft.com/windows/win32/api/ioapiset/nf-ioapiset-getoverlappedresult
    unsafe { GetOverlappedResult(device.as_raw_handle(), overlapped, &raw mut transferred, 1) };
    // SAFETY: it points to a live OVERLAPPED; volatile since, had the wait failed, the system could be writing to it.
    let after = unsafe { overlapped.read_volatile() };
    if status(&after) == NtStatus::PENDING {
        std::process::abort();
    }
}

/// An event that is reset by hand, as GetOverlappedResult needs one: the device handle itself is set by the end of any
/// request on it, also by another thread's.
pub(super) fn event() -> Result<OwnedHandle, OsError> {
    // SAFETY: default security, no name; nothing is passed that has to live.
    let event = unsafe { CreateEventW(null(), 1, 0, null()) };
    if event.is_null() {
        return Err(last_error::last_error());
    }
    // SAFETY: it was just created and belongs to nobody else.
    Ok(unsafe { OwnedHandle::from_raw_handle(event) })
}

pub(super) fn length(buffer: &[u8]) -> Result<u32, OsError> {
    u32::try_from(buffer.len()).map_err(|_| OsError::from_win32(Win32Error::INVALID_PARAMETER))
}
