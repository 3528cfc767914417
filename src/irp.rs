//! One IRP, owned until it is completed.

use core::marker::PhantomData;
use core::ptr::NonNull;

use netio_anycast_engine::{Buffer, Completion};
use netio_anycast_protocol::operation::METHOD_BUFFERED;
use netio_anycast_protocol::status::NtStatus;
use wdk_sys::ntddk::IofCompleteRequest;
use wdk_sys::{CCHAR, IO_NO_INCREMENT, IO_STACK_LOCATION, IRP, NTSTATUS};

/// The parameters of IRP_MJ_DEVICE_CONTROL.
struct DeviceControl {
    code: u32,
    /// In bytes, as are the output's.
    input_length: usize,
    output_length: usize,
}

/// The bits of a control code that tell how its buffers travel, `METHOD_FROM_CTL_CODE` of `wdm.h`.
const METHOD_MASK: u32 = 0b11;

/// No boost for the thread that waits: it did not wait for a device.
#[expect(
    clippy::cast_possible_truncation,
    reason = "IO_NO_INCREMENT is zero, and bindgen has made a wider number of it"
)]
const NO_PRIORITY_BOOST: CCHAR = IO_NO_INCREMENT as CCHAR;

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

    /// The control code of IRP_MJ_DEVICE_CONTROL.
    pub(crate) fn control_code(&self) -> u32 {
        self.device_control().code
    }

    /// The buffer of IRP_MJ_DEVICE_CONTROL.
    pub(crate) const fn buffer(&mut self) -> IrpBuffer<'_> {
        IrpBuffer { irp: Self { irp: self.irp }, borrowed: PhantomData }
    }

    /// The parameters of IRP_MJ_DEVICE_CONTROL.
    fn device_control(&self) -> DeviceControl {
        // SAFETY: for IRP_MJ_DEVICE_CONTROL this is the member of `Parameters` that is in use.
        let parameters = unsafe { self.stack_location().Parameters.DeviceIoControl };
        DeviceControl {
            code: parameters.IoControlCode,
            input_length: parameters.InputBufferLength as usize,
            output_length: parameters.OutputBufferLength as usize,
        }
    }

    /// Where the system buffer of IRP_MJ_DEVICE_CONTROL begins, or `None` if there is none.
    ///
    /// Only METHOD_BUFFERED has one. It is absent if both lengths are zero.
    fn system_buffer(&self) -> Option<NonNull<u8>> {
        if self.control_code() & METHOD_MASK != METHOD_BUFFERED {
            return None;
        }
        // SAFETY: the IRP is ours until it is completed.
        let irp = unsafe { self.irp.as_ref() };
        // SAFETY: with METHOD_BUFFERED this is the member of `AssociatedIrp` that is in use.
        let buffer = unsafe { irp.AssociatedIrp.SystemBuffer };
        NonNull::new(buffer.cast())
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

/// The system buffer of an IRP_MJ_DEVICE_CONTROL, which is as long as the longer of the two lengths that the caller gave; the
/// I/O manager has copied the input into it.
///
/// The borrow keeps the completion away while it is used.
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/kernel/buffer-descriptions-for-i-o-control-codes>
pub(crate) struct IrpBuffer<'a> {
    irp: Irp,
    borrowed: PhantomData<&'a mut Irp>,
}

impl Buffer for IrpBuffer<'_> {
    #[inline]
    fn input(&self) -> &[u8] {
        let Some(first) = self.irp.system_buffer() else { return &[] };
        let length = self.irp.device_control().input_length;
        // SAFETY: the buffer is at least as long, and nobody else uses it before the completion; `self` is borrowed.
        unsafe { core::slice::from_raw_parts(first.as_ptr(), length) }
    }

    #[inline]
    fn output(&mut self) -> &mut [u8] {
        let Some(first) = self.irp.system_buffer() else { return &mut [] };
        let length = self.irp.device_control().output_length;
        // SAFETY: the buffer is at least as long, and nobody else uses it before the completion; `self` is borrowed mutably.
        unsafe { core::slice::from_raw_parts_mut(first.as_ptr(), length) }
    }
}
