//! Requests that were sent and are not waited for.
//!
//! The driver's own IRP comes back to [`completed`], which IoSetCompletionRoutineEx protects: the I/O manager keeps this driver's image
//! until that has returned.
//! Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-iosetcompletionroutineex>

use alloc::boxed::Box;
use core::cell::UnsafeCell;
use core::marker::PhantomData;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicU32, Ordering, fence};
use core::time::Duration;

use netio_anycast_protocol::status::NtStatus;
use wdk_sys::ntddk::{IoAllocateIrp, IoCancelIrp, IoFreeIrp, IoSetCompletionRoutineEx, IofCallDriver};
use wdk_sys::{
    DEVICE_OBJECT, IRP, IRP_MJ_INTERNAL_DEVICE_CONTROL, NTSTATUS, PVOID, STATUS_MORE_PROCESSING_REQUIRED, ULONG,
};
use zerocopy::FromBytes;

use super::device::Device;
use super::event::Event;
use super::fallible_box::try_box;
use super::in_flight::InFlight;
use super::irp;
use super::irql::may_wait;
use super::owner::Owner;
use crate::error::Error;
use crate::rows::Buffer;
use crate::transport::Reply;

/// What a request ended with.
#[derive(Clone, Copy, Debug)]
pub struct Outcome<'a> {
    /// Its status.
    pub status: NtStatus,
    /// Its output; empty unless the status is STATUS_SUCCESS or the warning STATUS_BUFFER_OVERFLOW.
    pub output: &'a [u8],
}

impl Outcome<'_> {
    /// The struct that is the whole output.
    ///
    /// # Errors
    /// The status, if it is not success; [`Error::Malformed`] if the output has another length.
    pub fn read<T: FromBytes>(&self) -> Result<T, Error> {
        match self.status {
            NtStatus::SUCCESS => T::read_from_bytes(self.output).map_err(|_| Error::Malformed),
            failure => Err(Error::Status(failure)),
        }
    }
}

/// A request that was sent and may not have ended. Dropping it cancels it, if it has not, and does not wait for its end.
///
/// Made by [`Device::begin`]. It may be shared: one thread waits, another cancels.
#[derive(Debug)]
pub struct Request<'a, F> {
    state: NonNull<State<F>>,
    device: PhantomData<&'a Device>,
}

// SAFETY: the state is shared with the routine of completion already, and is used by atomic operations, by the kernel's functions on
// events and IRPs, which any thread may call, and for reading once it is over. The routine at the end goes from thread to thread.
unsafe impl<F: Send> Send for Request<'_, F> {}
// SAFETY: as above.
unsafe impl<F: Send> Sync for Request<'_, F> {}

/// What a request consists of. The [`Request`] and the IRP own it, and the last of them frees it.
struct State<F> {
    irp: NonNull<IRP>,
    /// What the device waits for.
    requests: NonNull<InFlight>,
    /// The system buffer: the input, then the output.
    buffer: Buffer,
    output_length: usize,
    /// Set when the IRP has come back and `at_end` was called.
    ended: Event,
    owners: AtomicU32,
    at_end: UnsafeCell<Option<F>>,
}

impl<F> State<F> {
    /// What the IRP has come back with.
    ///
    /// # Safety
    /// It has come back.
    unsafe fn outcome(&self) -> Outcome<'_> {
        // SAFETY: the state owns the IRP, and nobody changes it once it has come back.
        let Reply { status, length } = irp::reply(&unsafe { self.irp.as_ref() }.IoStatus);
        let has_output = matches!(status, NtStatus::SUCCESS | NtStatus::BUFFER_OVERFLOW);
        let length = if has_output { length.min(self.output_length) } else { 0 };
        Outcome { status, output: self.buffer.bytes().get(..length).unwrap_or(&[]) }
    }
}

/// Builds and sends the request: `(input, output_length)` are its buffers.
pub(super) fn begin<'a, F>(
    device: &'a Device,
    owner: Owner,
    code: u32,
    (input, output_length): (&[u8], usize),
    at_end: F,
) -> Result<Request<'a, F>, NtStatus>
where
    F: FnOnce(&Outcome<'_>) + Send + 'static,
{
    let mut buffer = Buffer::zeroed(input.len().max(output_length)).map_err(Error::status)?;
    let place = buffer.bytes_mut().get_mut(..input.len()).ok_or(NtStatus::INVALID_PARAMETER)?;
    place.copy_from_slice(input);
    let lengths = (ULONG::try_from(input.len()), ULONG::try_from(output_length));
    let (Ok(input_length), Ok(output_room)) = lengths else { return Err(NtStatus::INVALID_PARAMETER) };

    // SAFETY: the device is referenced by its file object; IRQL <= DISPATCH_LEVEL.
    let stack_size = unsafe { device.target().as_ref() }.StackSize;
    // SAFETY: IRQL <= DISPATCH_LEVEL.
    let irp = NonNull::new(unsafe { IoAllocateIrp(stack_size, 0) }).ok_or(NtStatus::INSUFFICIENT_RESOURCES)?;
    let state = State {
        irp,
        requests: device.requests(),
        buffer,
        output_length,
        ended: Event::default(),
        owners: AtomicU32::new(2),
        at_end: UnsafeCell::new(Some(at_end)),
    };
    let state = match try_box(state) {
        Ok(state) => NonNull::from(Box::leak(state)),
        Err(status) => {
            // SAFETY: the IRP was allocated above and never sent.
            unsafe { IoFreeIrp(irp.as_ptr()) };
            return Err(status);
        }
    };
    // SAFETY: the state is where it stays, and nobody else has it yet.
    unsafe { prepare(device, state, (code, input_length, output_room)) };
    // SAFETY: the device is borrowed, so that they are there.
    let requests = unsafe { device.requests().as_ref() };
    // It takes requests as long as it can be borrowed.
    if !requests.begin() {
        // SAFETY: the IRP was not sent, so that the state has no other owner.
        unsafe { discard(state) };
        return Err(NtStatus::DEVICE_NOT_READY);
    }
    let context = state.as_ptr().cast();
    // SAFETY: the IRP is filled in and sent next, as this asks; the state lives until the routine, which is of its very type, has
    // released it.
    let registered =
        unsafe { IoSetCompletionRoutineEx(owner.as_ptr(), irp.as_ptr(), Some(completed::<F>), context, 1, 1, 1) };
    if NtStatus(registered) != NtStatus::SUCCESS {
        // SAFETY: as above.
        unsafe { discard(state) };
        // SAFETY: it began above, and is over.
        unsafe { requests.end() };
        return Err(NtStatus::INSUFFICIENT_RESOURCES);
    }
    // SAFETY: the IRP is filled in; from here on it is the driver's until it comes back to `completed`.
    let _ = unsafe { IofCallDriver(device.target().as_ptr(), irp.as_ptr()) };
    Ok(Request { state, device: PhantomData })
}

/// Fills the IRP in.
///
/// # Safety
/// The state is where it stays, and nobody else has it.
unsafe fn prepare<F>(
    device: &Device,
    mut state: NonNull<State<F>>,
    (code, input_length, output_length): (u32, ULONG, ULONG),
) {
    // SAFETY: as the caller promises.
    let state = unsafe { state.as_mut() };
    // SAFETY: as the caller promises.
    unsafe { state.ended.initialize() };
    // SAFETY: the IRP was just allocated, and is this driver's until it is sent.
    let irp = unsafe { state.irp.as_mut() };
    irp.AssociatedIrp.SystemBuffer = state.buffer.bytes_mut().as_mut_ptr().cast();
    // SAFETY: it was allocated with a location for each device of the stack.
    let mut location = unsafe { irp::next_location(state.irp) };
    // SAFETY: the location is this driver's to fill in.
    let location = unsafe { location.as_mut() };
    #[expect(
        clippy::cast_possible_truncation,
        reason = "major functions are bytes, and bindgen has made a wider number of it"
    )]
    let major_function = IRP_MJ_INTERNAL_DEVICE_CONTROL as u8;
    location.MajorFunction = major_function;
    location.FileObject = device.file().as_ptr();
    location.Parameters.DeviceIoControl.IoControlCode = code;
    location.Parameters.DeviceIoControl.InputBufferLength = input_length;
    location.Parameters.DeviceIoControl.OutputBufferLength = output_length;
}

/// The completion routine: calls `at_end`, wakes who waits, and keeps the IRP, which is this driver's.
///
/// # Safety
/// Only the I/O manager may call it, with the state that it was registered with. IRQL <= DISPATCH_LEVEL.
unsafe extern "C" fn completed<F>(_device: *mut DEVICE_OBJECT, _irp: *mut IRP, state: PVOID) -> NTSTATUS
where
    F: FnOnce(&Outcome<'_>) + Send + 'static,
{
    // SAFETY: `begin` has registered the routine with the state, which this still owns.
    let place = unsafe { NonNull::new_unchecked(state.cast::<State<F>>()) };
    // SAFETY: as above.
    let state = unsafe { place.as_ref() };
    // SAFETY: nobody else touches it once the IRP is sent, and this is called once.
    let at_end = unsafe { &mut *state.at_end.get() }.take();
    if let Some(at_end) = at_end {
        // SAFETY: the IRP has come back.
        at_end(&unsafe { state.outcome() });
    }
    state.ended.set();
    // SAFETY: the IRP's share of the state ends here.
    unsafe { release(place) };
    STATUS_MORE_PROCESSING_REQUIRED
}

/// Gives up one share of the state; the last frees it, and tells the device.
///
/// # Safety
/// The share is the caller's, and not used any more.
unsafe fn release<F>(state: NonNull<State<F>>) {
    // SAFETY: the caller's share keeps it.
    let owners = unsafe { &state.as_ref().owners };
    if owners.fetch_sub(1, Ordering::Release) != 1 {
        return;
    }
    // What the other owner did comes before the end.
    fence(Ordering::Acquire);
    // SAFETY: this was the last share.
    let requests = unsafe { state.as_ref() }.requests;
    // SAFETY: as above.
    unsafe { discard(state) };
    // SAFETY: the device waits for the request, which is not over before the next call.
    let requests = unsafe { requests.as_ref() };
    // SAFETY: `begin` has begun it, and it ends once.
    unsafe { requests.end() };
}

/// Frees the IRP and the state.
///
/// # Safety
/// Nobody else has either.
unsafe fn discard<F>(state: NonNull<State<F>>) {
    // SAFETY: it came out of a box in `begin`, and is put back once.
    let state = unsafe { Box::from_raw(state.as_ptr()) };
    // SAFETY: IoAllocateIrp has made it, and no driver has it.
    unsafe { IoFreeIrp(state.irp.as_ptr()) };
}

impl<F> Request<'_, F> {
    fn state(&self) -> &State<F> {
        // SAFETY: this share keeps the state.
        unsafe { self.state.as_ref() }
    }

    /// Waits until the request has ended, at most for `timeout`; `None` if it has not. Without a timeout it waits for as long as the
    /// request takes. IRQL <= APC_LEVEL; at DISPATCH_LEVEL it only looks.
    #[must_use]
    pub fn wait(&self, timeout: Option<Duration>) -> Option<Outcome<'_>> {
        let timeout = if may_wait() { timeout } else { Some(Duration::ZERO) };
        let state = self.state();
        // SAFETY: the event is set when the IRP has come back.
        state.ended.wait(timeout).then(|| unsafe { state.outcome() })
    }

    /// Asks for the end of the request, which then ends with STATUS_CANCELLED; one that has ended already keeps its outcome.
    /// IRQL <= DISPATCH_LEVEL.
    pub fn cancel(&self) {
        // SAFETY: the state, which this share keeps, owns the IRP: it is there, sent or come back.
        let _ = unsafe { IoCancelIrp(self.state().irp.as_ptr()) };
    }
}

impl<F> Drop for Request<'_, F> {
    fn drop(&mut self) {
        if !self.state().ended.wait(Some(Duration::ZERO)) {
            self.cancel();
        }
        // SAFETY: this share ends here.
        unsafe { release(self.state) };
    }
}
