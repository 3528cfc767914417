//! The driver's device, and requests that are waited for.

use alloc::boxed::Box;
use core::ptr::{NonNull, null_mut};

use netio_anycast_protocol::DEVICE_NAME;
use netio_anycast_protocol::operation::Operation;
use netio_anycast_protocol::status::NtStatus;
use wdk_sys::ntddk::{IoBuildDeviceIoControlRequest, IoGetDeviceObjectPointer, IofCallDriver, ObfDereferenceObject};
use wdk_sys::{DEVICE_OBJECT, FILE_OBJECT, FILE_READ_DATA, FILE_WRITE_DATA, IO_STATUS_BLOCK, PVOID, ULONG};

use super::event::Event;
use super::fallible_box::try_box;
use super::in_flight::InFlight;
use super::irp;
use super::irql::is_passive_level;
use super::owner::Owner;
use super::request::{self, Outcome, Request};
use super::unicode_string::{unicode_string, utf16};
use crate::transport::{Reply, Transport};

static DEVICE_NAME_UTF16: [u16; DEVICE_NAME.len()] = utf16(DEVICE_NAME);

/// The driver's device, opened by this driver. It keeps the netio-anycast driver loaded.
///
/// What was leased through it goes when it is dropped, at PASSIVE_LEVEL. The drop waits for the requests that were [begun](Self::begin)
/// and are not over.
#[derive(Debug)]
pub struct Device {
    file: NonNull<FILE_OBJECT>,
    /// The topmost of the devices that requests go through.
    target: NonNull<DEVICE_OBJECT>,
    /// The requests that are under way. In memory of its own, since a request outlives the place where the device is.
    requests: NonNull<InFlight>,
}

// SAFETY: a file object may be used and given back by any thread.
unsafe impl Send for Device {}
// SAFETY: requests may be sent by any number of threads at once.
unsafe impl Sync for Device {}

impl Device {
    /// Opens the device. IRQL: PASSIVE_LEVEL.
    ///
    /// # Errors
    /// STATUS_OBJECT_NAME_NOT_FOUND: the netio-anycast driver is not loaded; STATUS_NO_SUCH_DEVICE: it is just being loaded or
    /// unloaded; STATUS_INVALID_DEVICE_STATE: this is not PASSIVE_LEVEL; STATUS_INSUFFICIENT_RESOURCES.
    pub fn open() -> Result<Self, NtStatus> {
        if !is_passive_level() {
            return Err(NtStatus::INVALID_DEVICE_STATE);
        }
        let requests = NonNull::from(Box::leak(try_box(InFlight::default())?));
        // SAFETY: it came out of a box, whose it is.
        let in_flight = unsafe { requests.as_ref() };
        // SAFETY: it has its place, and nobody uses it yet.
        unsafe { in_flight.initialize() };
        open_by_name().map(|(file, target)| Self { file, target, requests }).inspect_err(|_| {
            // SAFETY: it came out of a box above, and nobody has used it.
            drop(unsafe { Box::from_raw(requests.as_ptr()) });
        })
    }

    /// Sends an operation without waiting for its end, at IRQL <= DISPATCH_LEVEL. The input is copied.
    ///
    /// At the end `at_end` is called, once, at IRQL <= DISPATCH_LEVEL, in whichever thread that comes. It must not drop this device.
    /// `owner` is this driver.
    ///
    /// # Errors
    /// STATUS_INSUFFICIENT_RESOURCES: nothing was sent, and `at_end` is not called.
    pub fn begin<F>(
        &self,
        owner: Owner,
        operation: Operation,
        input: &[u8],
        output_length: usize,
        at_end: F,
    ) -> Result<Request<'_, F>, NtStatus>
    where
        F: FnOnce(&Outcome<'_>) + Send + 'static,
    {
        request::begin(self, owner, operation.definition().control_code(), (input, output_length), at_end)
    }

    pub(super) const fn file(&self) -> NonNull<FILE_OBJECT> {
        self.file
    }

    pub(super) const fn target(&self) -> NonNull<DEVICE_OBJECT> {
        self.target
    }

    pub(super) const fn requests(&self) -> NonNull<InFlight> {
        self.requests
    }

    /// Sends a control code as IRP_MJ_INTERNAL_DEVICE_CONTROL, and waits for its end. IRQL: PASSIVE_LEVEL.
    ///
    /// The I/O manager builds the IRP and ends it in this thread, so no routine of this driver's is called.
    ///
    /// # Safety
    /// `output` is writable for `output_length` bytes, and any bytes may be written there.
    pub(super) unsafe fn send(&self, code: u32, input: &[u8], output: PVOID, output_length: usize) -> Reply {
        if !is_passive_level() {
            return Reply::failure(NtStatus::INVALID_DEVICE_STATE);
        }
        let (Ok(input_length), Ok(output_length)) = (ULONG::try_from(input.len()), ULONG::try_from(output_length))
        else {
            return Reply::failure(NtStatus::INVALID_PARAMETER);
        };
        let ended = Event::default();
        // SAFETY: the event stays here until the request has ended.
        unsafe { ended.initialize() };
        let mut block = IO_STATUS_BLOCK::default();
        // SAFETY: PASSIVE_LEVEL; the buffers, the event and the status block live until the request has ended. The I/O manager only
        // reads the input.
        let request = unsafe {
            IoBuildDeviceIoControlRequest(
                code,
                self.target.as_ptr(),
                input.as_ptr().cast_mut().cast(),
                input_length,
                output,
                output_length,
                1,
                ended.as_ptr(),
                &raw mut block,
            )
        };
        let Some(request) = NonNull::new(request) else {
            return Reply::failure(NtStatus::INSUFFICIENT_RESOURCES);
        };
        // SAFETY: the IRP was just built for one driver, and is not sent yet.
        unsafe { irp::set_file_object(request, self.file) };
        // SAFETY: the IRP is complete, and not used any more: the I/O manager frees it.
        let status = NtStatus(unsafe { IofCallDriver(self.target.as_ptr(), request.as_ptr()) });
        match status {
            NtStatus::PENDING => {
                let _ = ended.wait(None);
                irp::reply(&block)
            }
            // An IRP that fails at once ends without its status block being written.
            error if error.is_error() => Reply::failure(error),
            _ => irp::reply(&block),
        }
    }
}

impl Transport for Device {
    fn control(&self, control_code: u32, input: &[u8], output: &mut [u8]) -> Reply {
        // SAFETY: the slice is writable, and bytes are bytes.
        unsafe { self.send(control_code, input, output.as_mut_ptr().cast(), output.len()) }
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        // SAFETY: it lives until the end of this.
        unsafe { self.requests.as_ref() }.wait();
        // SAFETY: IoGetDeviceObjectPointer has referenced the file object, and it is given back once. The device goes with it.
        let _ = unsafe { ObfDereferenceObject(self.file.as_ptr().cast()) };
        // SAFETY: it came out of a box in `open`, and nothing is under way any more.
        drop(unsafe { Box::from_raw(self.requests.as_ptr()) });
    }
}

fn open_by_name() -> Result<(NonNull<FILE_OBJECT>, NonNull<DEVICE_OBJECT>), NtStatus> {
    let mut name = unicode_string(&DEVICE_NAME_UTF16);
    let (mut file, mut device) = (null_mut(), null_mut());
    let access = FILE_READ_DATA | FILE_WRITE_DATA;
    // SAFETY: PASSIVE_LEVEL, as `open` has seen; everything pointed to lives through the call.
    let status = unsafe { IoGetDeviceObjectPointer(&raw mut name, access, &raw mut file, &raw mut device) };
    match NtStatus(status) {
        NtStatus::SUCCESS => NonNull::new(file).zip(NonNull::new(device)).ok_or(NtStatus::UNSUCCESSFUL),
        failure => Err(failure),
    }
}
