//! What the inline functions of `wdm.h` do with an IRP that is to be sent.

use core::ptr::NonNull;

use netio_anycast_protocol::status::NtStatus;
use wdk_sys::{FILE_OBJECT, IO_STACK_LOCATION, IO_STATUS_BLOCK, IRP};

use crate::transport::Reply;

/// The stack location of the driver that the IRP is sent to: IoGetNextIrpStackLocation.
///
/// # Safety
/// The IRP has a next location, and is the caller's until it is sent.
pub(super) unsafe fn next_location(irp: NonNull<IRP>) -> NonNull<IO_STACK_LOCATION> {
    // SAFETY: the IRP is alive.
    let irp = unsafe { irp.as_ref() };
    // SAFETY: `Overlay` is the member of `Tail` in use while a driver has the IRP.
    let overlay = unsafe { &irp.Tail.Overlay };
    // SAFETY: the union beside it (`PacketType`) is in use after the completion only.
    let current = unsafe { overlay.__bindgen_anon_2.__bindgen_anon_1.CurrentStackLocation };
    // SAFETY: as the caller promises, there is one below the current one.
    let next = unsafe { current.sub(1) };
    // SAFETY: it is inside the IRP.
    unsafe { NonNull::new_unchecked(next) }
}

/// Names the file object that an IRP is about: without it the driver does not know whose leases it is to make.
///
/// # Safety
/// As for [`next_location`].
pub(super) unsafe fn set_file_object(irp: NonNull<IRP>, file: NonNull<FILE_OBJECT>) {
    // SAFETY: as the caller promises.
    let mut location = unsafe { next_location(irp) };
    // SAFETY: the location is the caller's to fill in.
    unsafe { location.as_mut() }.FileObject = file.as_ptr();
}

/// What a status block says.
pub(super) fn reply(block: &IO_STATUS_BLOCK) -> Reply {
    // SAFETY: `Status` is the member of the union in use; `Pointer` is reserved.
    let status = NtStatus(unsafe { block.__bindgen_anon_1.Status });
    #[expect(clippy::cast_possible_truncation, reason = "ULONG_PTR is as wide as usize")]
    let length = block.Information as usize;
    Reply { status, length }
}
