//! One IRP, owned until it is completed.

use core::ptr::NonNull;

use netio_anycast_engine::{Completion, SystemBuffer};
use netio_anycast_protocol::operation::METHOD_BUFFERED;
use netio_anycast_protocol::status::NtStatus;
use wdk_sys::ntddk::IofCompleteRequest;
use wdk_sys::{CCHAR, IO_NO_INCREMENT, IO_STACK_LOCATION, IRP, NTSTATUS};

/// The bits of a control code that tell how its buffers travel, `METHOD_FROM_CTL_CODE` of `wdm.h`.
const METHOD_MASK: u32 = 0b11;

/// No boost for the thread that waits: it did not wait for a device.
#[expect(
    clippy::cast_possible_truncation,
    reason = "IO_NO_INCREMENT is zero, and bindgen has made a wider number of it"
)]
const NO_PRIORITY_BOOST: CCHAR = IO_NO_INCREMENT as CCHAR;

/// The buffer of a request that has none.
const fn no_buffer() -> SystemBuffer<'static> {
    SystemBuffer { bytes: &mut [], input_length: 0, output_length: 0 }
}

/// An IRP that the I/O manager has handed to the driver and that the driver has not completed yet.
///
/// [`Irp::complete`] consumes it, so that neither a second completion nor a touch after the completion can be written.
pub(crate) struct Irp {
    irp: NonNull<IRP>,
}

/// Proof that a request was completed: the only thing that a dispatch routine can make its return value from.
#[must_use]
pub(crate) struct Completed {
    status: NtStatus,
}

impl Completed {
    /// What the dispatch routine returns: the status that the IRP was completed with.
    pub(crate) const fn dispatch_status(self) -> NTSTATUS {
        self.status.0
    }
}

impl Irp {
    /// Takes over the IRP that a dispatch routine was called with.
    ///
    /// # Safety
    /// `irp` is the IRP that the I/O manager passed to the running dispatch routine, and no other `Irp` was made of it.
    pub(crate) const unsafe fn from_dispatch(irp: NonNull<IRP>) -> Self {
        Self { irp }
    }

    /// The length in bytes of the name that is being opened below the device, for IRP_MJ_CREATE.
    pub(crate) fn file_name_length(&self) -> u16 {
        let file = self.stack_location().FileObject;
        // SAFETY: the I/O manager keeps the file object alive until IRP_MJ_CLOSE is completed; a driver that sends a
        // create IRP of its own without a file object is told apart by the null pointer.
        let file = unsafe { file.as_ref() };
        file.map_or(0, |file| file.FileName.Length)
    }

    /// The control code, and the buffer for input and output, of IRP_MJ_DEVICE_CONTROL.
    ///
    /// Only METHOD_BUFFERED has one buffer for both; with another method the buffer returned is empty.
    pub(crate) fn device_control(&mut self) -> (u32, SystemBuffer<'_>) {
        // SAFETY: for IRP_MJ_DEVICE_CONTROL this is the member of `Parameters` that is in use.
        let parameters = unsafe { self.stack_location().Parameters.DeviceIoControl };
        let code = parameters.IoControlCode;
        let buffer = match code & METHOD_MASK {
            METHOD_BUFFERED => self.system_buffer(parameters.InputBufferLength, parameters.OutputBufferLength),
            _ => no_buffer(),
        };
        (code, buffer)
    }

    /// The system buffer with the lengths that the caller gave.
    ///
    /// The I/O manager allocates one buffer that is as long as the longer of the two and copies the input into it; the
    /// buffer is absent if both are zero.
    /// Source: <https://learn.microsoft.com/windows-hardware/drivers/kernel/buffer-descriptions-for-i-o-control-codes>
    fn system_buffer(&mut self, input_length: u32, output_length: u32) -> SystemBuffer<'_> {
        // SAFETY: the IRP is ours until it is completed.
        let irp = unsafe { self.irp.as_ref() };
        // SAFETY: with METHOD_BUFFERED this is the member of `AssociatedIrp` that is in use.
        let buffer = unsafe { irp.AssociatedIrp.SystemBuffer };
        let Some(buffer) = NonNull::new(buffer.cast::<u8>()) else {
            return no_buffer();
        };
        let input_length = input_length as usize;
        let output_length = output_length as usize;
        let length = input_length.max(output_length);
        // SAFETY: the I/O manager allocated the buffer with this length, and nobody else uses it before the completion;
        // the borrow of `self` keeps the completion away while the slice lives.
        let bytes = unsafe { core::slice::from_raw_parts_mut(buffer.as_ptr(), length) };
        SystemBuffer { bytes, input_length, output_length }
    }

    /// Completes the request with a status and no output.
    pub(crate) fn complete_with_status(self, status: NtStatus) -> Completed {
        self.complete(Completion { status, information: 0 })
    }

    /// Completes the request.
    pub(crate) fn complete(mut self, completion: Completion) -> Completed {
        // SAFETY: the IRP is ours until the call below.
        let irp = unsafe { self.irp.as_mut() };
        irp.IoStatus.__bindgen_anon_1.Status = completion.status.0;
        irp.IoStatus.Information = completion.information as u64;
        // SAFETY: the IRP is ours, its status block is filled in, it has no cancel routine, and consuming `self` lets
        // nobody touch it afterwards. IRQL <= DISPATCH_LEVEL, as in every dispatch routine.
        // https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-iocompleterequest
        unsafe { IofCompleteRequest(self.irp.as_ptr(), NO_PRIORITY_BOOST) };
        Completed { status: completion.status }
    }

    /// The driver's own stack location, as the inline function IoGetCurrentIrpStackLocation finds it.
    fn stack_location(&self) -> &IO_STACK_LOCATION {
        // SAFETY: the IRP is ours until it is completed.
        let irp = unsafe { self.irp.as_ref() };
        // SAFETY: `Overlay` is the member of `Tail` in use while a driver owns the IRP.
        let overlay = unsafe { &irp.Tail.Overlay };
        // SAFETY: the union beside it (`PacketType`) belongs to the I/O manager's completion port code.
        let location = unsafe { overlay.__bindgen_anon_2.__bindgen_anon_1.CurrentStackLocation };
        // SAFETY: the I/O manager sets it before it calls a dispatch routine and keeps it until the completion.
        unsafe { &*location }
    }
}
