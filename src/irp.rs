//! One IRP, owned until it is completed or pends.

use core::marker::PhantomData;
use core::mem::offset_of;
use core::ops::Deref;
use core::ptr::NonNull;

use netio_anycast_engine::{Buffer, Completion, HandleId, Wait};
use netio_anycast_protocol::operation::METHOD_BUFFERED;
use netio_anycast_protocol::status::NtStatus;
use wdk_sys::_MODE::KernelMode;
use wdk_sys::ntddk::{IoGetRequestorProcessId, IofCompleteRequest};
use wdk_sys::{
    CCHAR, FILE_OBJECT, IO_NO_INCREMENT, IO_STACK_LOCATION, IRP, IRP_MJ_INTERNAL_DEVICE_CONTROL, LIST_ENTRY, NTSTATUS,
    PIRP,
};

use crate::open_file::OpenFile;

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
/// [`Irp::complete`] consumes it, as [`IrpQueue::insert`](crate::irp_queue::IrpQueue::insert) does, so that neither a second
/// completion nor a touch after the completion can be written.
pub(crate) struct Irp {
    irp: NonNull<IRP>,
}

// SAFETY: an IRP belongs to no thread: whoever has it may complete it.
unsafe impl Send for Irp {}

/// An IRP that is somebody else's to complete, looked at for a moment.
pub(crate) struct BorrowedIrp(Irp);

impl Deref for BorrowedIrp {
    type Target = Irp;

    fn deref(&self) -> &Irp {
        &self.0
    }
}

/// Proof that a request was completed or pends: the only thing that a dispatch routine can make its return value from.
#[must_use]
pub(crate) struct Dispatched {
    status: NtStatus,
}

impl Dispatched {
    /// What the dispatch routine returns: the status that the IRP was completed with, or STATUS_PENDING.
    pub(crate) const fn status(self) -> NTSTATUS {
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

    /// Takes over an IRP that was in a queue of the driver's.
    ///
    /// # Safety
    /// The IRP was taken out of the queue, and no other `Irp` was made of it since.
    pub(crate) const unsafe fn from_queue(irp: NonNull<IRP>) -> Self {
        Self { irp }
    }

    /// Looks at an IRP.
    ///
    /// # Safety
    /// `irp` is an IRP that is not completed before the last use of what this returns.
    pub(crate) unsafe fn borrow(irp: PIRP) -> BorrowedIrp {
        // SAFETY: as the caller promises.
        BorrowedIrp(Self { irp: unsafe { NonNull::new_unchecked(irp) } })
    }

    /// The IRP itself.
    pub(crate) const fn as_ptr(&self) -> PIRP {
        self.irp.as_ptr()
    }

    /// The IRP pends in a queue, and whoever takes it out of there owns it.
    #[expect(clippy::unused_self, reason = "it is given up")]
    pub(crate) const fn pended(self) -> Dispatched {
        Dispatched { status: NtStatus::PENDING }
    }

    /// The entry with which a driver puts an IRP into a list.
    ///
    /// # Safety
    /// `irp` is an IRP that the driver owns, or has in a queue.
    pub(crate) unsafe fn list_entry(irp: PIRP) -> *mut LIST_ENTRY {
        // SAFETY: the address alone is taken, of a member of the live IRP.
        unsafe { &raw mut (*irp).Tail.Overlay.__bindgen_anon_2.ListEntry }
    }

    /// The IRP of such an entry, as `CONTAINING_RECORD` finds it.
    ///
    /// # Safety
    /// `entry` is the list entry of an IRP.
    pub(crate) const unsafe fn of_list_entry(entry: *mut LIST_ENTRY) -> PIRP {
        const OFFSET: usize = offset_of!(IRP, Tail.Overlay.__bindgen_anon_2.ListEntry);
        // SAFETY: as the caller promises, the entry is that far inside an IRP.
        unsafe { entry.byte_sub(OFFSET).cast() }
    }

    /// The file object that the request was sent through. A driver that builds an IRP of its own may leave it out.
    pub(crate) fn file_object(&self) -> Option<NonNull<FILE_OBJECT>> {
        NonNull::new(self.stack_location().FileObject)
    }

    /// What IRP_MJ_CREATE has left in the file object.
    pub(crate) fn open_file(&self) -> Option<&OpenFile> {
        // SAFETY: whoever sends an IRP through a file object keeps it alive until the IRP is completed, and what the driver
        // has put there lives until IRP_MJ_CLOSE.
        self.file_object().and_then(|file| unsafe { OpenFile::of(file) })
    }

    /// Whose leases a request makes.
    pub(crate) fn handle(&self) -> HandleId {
        self.open_file().map_or(HandleId::NONE, OpenFile::handle)
    }

    /// Whether the request comes from a program, through a handle that is closed already.
    pub(crate) fn is_of_closed_handle(&self) -> bool {
        !self.is_from_kernel_mode() && self.open_file().is_some_and(OpenFile::is_cleaned_up)
    }

    /// Whether it is IRP_MJ_INTERNAL_DEVICE_CONTROL.
    pub(crate) fn is_internal(&self) -> bool {
        u32::from(self.stack_location().MajorFunction) == IRP_MJ_INTERNAL_DEVICE_CONTROL
    }

    /// Whether another driver has sent the request on its own behalf.
    pub(crate) fn is_from_kernel_mode(&self) -> bool {
        // SAFETY: the IRP is ours until it is completed.
        let mode = unsafe { self.irp.as_ref() }.RequestorMode;
        i32::from(mode) == KernelMode.cast_signed()
    }

    /// The process on whose behalf the request was sent. IRQL: PASSIVE_LEVEL.
    pub(crate) fn process_id(&self) -> u32 {
        // SAFETY: the IRP is ours until it is completed.
        unsafe { IoGetRequestorProcessId(self.as_ptr()) }
    }

    /// The generation that a pending WAIT_CHANGE has seen.
    pub(crate) fn wait(&self) -> Wait {
        // SAFETY: the IRP is ours, or in a queue of ours, until it is completed.
        let irp = unsafe { self.irp.as_ref() };
        // SAFETY: `Overlay` is the member of `Tail` in use while a driver owns the IRP.
        let overlay = unsafe { &irp.Tail.Overlay };
        // SAFETY: these words are the driver's while it owns the IRP; IoCsq uses the last of them only.
        let words = unsafe { overlay.__bindgen_anon_1.__bindgen_anon_1.DriverContext };
        let [seen, ..] = words;
        netio_anycast_protocol::wait::Generation(seen.addr() as u64)
    }

    /// Keeps the generation that a WAIT_CHANGE has seen with the IRP, for [`Irp::wait`].
    pub(crate) fn set_wait(&mut self, seen: Wait) {
        // SAFETY: the IRP is ours until it is completed.
        let irp = unsafe { self.irp.as_mut() };
        // SAFETY: `Overlay` is the member of `Tail` in use while a driver owns the IRP.
        let overlay = unsafe { &mut irp.Tail.Overlay };
        // SAFETY: as in `wait`.
        let words = unsafe { &mut overlay.__bindgen_anon_1.__bindgen_anon_1.DriverContext };
        let [first, ..] = words;
        #[expect(clippy::cast_possible_truncation, reason = "the driver is for 64-bit Windows")]
        let seen = seen.0 as usize;
        *first = core::ptr::without_provenance_mut(seen);
    }

    /// The length in bytes of the name that is being opened below the device, for IRP_MJ_CREATE.
    pub(crate) fn file_name_length(&self) -> u16 {
        // SAFETY: the I/O manager keeps the file object alive until IRP_MJ_CLOSE is completed.
        self.file_object().map_or(0, |file| unsafe { file.as_ref() }.FileName.Length)
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
    pub(crate) fn complete_with_status(self, status: NtStatus) -> Dispatched {
        self.complete(Completion { status, information: 0 })
    }

    /// Completes the request.
    pub(crate) fn complete(mut self, completion: Completion) -> Dispatched {
        // SAFETY: the IRP is ours until the call below.
        let irp = unsafe { self.irp.as_mut() };
        irp.IoStatus.__bindgen_anon_1.Status = completion.status.0;
        irp.IoStatus.Information = completion.information as u64;
        // SAFETY: the IRP is ours, its status block is filled in, it has no cancel routine, and consuming `self` lets
        // nobody touch it afterwards. IRQL <= DISPATCH_LEVEL, as in every dispatch routine.
        // https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-iocompleterequest
        unsafe { IofCompleteRequest(self.irp.as_ptr(), NO_PRIORITY_BOOST) };
        Dispatched { status: completion.status }
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
