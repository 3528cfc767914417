//! References to objects.
//!
//! Source: <https://learn.microsoft.com/windows-hardware/drivers/kernel/life-cycle-of-an-object>

use netio_anycast_protocol::status::NtStatus;

use crate::core::{Core, Object};
use crate::objects::DEFAULT_TAG;
use crate::process::Mode;
use crate::violation::Rule;
use crate::{crash, driver_memory, processor, status};

/// `ObfReferenceObject`.
///
/// # Safety
/// Only the driver may call it.
pub(super) unsafe extern "win64" fn reference(object: usize) -> usize {
    // SAFETY: as the driver vouches.
    unsafe { reference_with_tag(object, DEFAULT_TAG) }
}

/// `ObfReferenceObjectWithTag`. What it returns is the system's own affair.
///
/// # Safety
/// Only the driver may call it.
pub(super) unsafe extern "win64" fn reference_with_tag(object: usize, tag: u32) -> usize {
    processor::core().reference_object(object, tag);
    0
}

/// `ObfDereferenceObject`.
///
/// # Safety
/// Only the driver may call it.
pub(super) unsafe extern "win64" fn dereference(object: usize) -> usize {
    // SAFETY: as the driver vouches.
    unsafe { dereference_with_tag(object, DEFAULT_TAG) }
}

/// `ObfDereferenceObjectWithTag`. What it returns is the system's own affair.
///
/// # Safety
/// Only the driver may call it.
pub(super) unsafe extern "win64" fn dereference_with_tag(object: usize, tag: u32) -> usize {
    processor::core().dereference_object(object, tag);
    // SAFETY: there is nothing here to be dropped.
    unsafe { crash::propagate() };
    0
}

/// `ObDereferenceObjectDeferDelete`: if the object goes, a thread of the system's sees to it.
///
/// # Safety
/// Only the driver may call it.
pub(super) unsafe extern "win64" fn dereference_deferred(object: usize) {
    // SAFETY: as the driver vouches.
    unsafe { dereference_deferred_with_tag(object, DEFAULT_TAG) };
}

/// `ObDereferenceObjectDeferDeleteWithTag`.
///
/// # Safety
/// Only the driver may call it.
pub(super) unsafe extern "win64" fn dereference_deferred_with_tag(object: usize, tag: u32) {
    processor::core().dereference_object_deferred(object, tag);
}

/// `ObReferenceObjectByPointer`.
///
/// # Safety
/// Only the driver may call it.
pub(super) unsafe extern "win64" fn reference_by_pointer(
    object: usize,
    access: u32,
    object_type: usize,
    mode: i8,
) -> i32 {
    // SAFETY: as the driver vouches.
    unsafe { reference_by_pointer_with_tag(object, access, object_type, mode, DEFAULT_TAG) }
}

/// `ObReferenceObjectByPointerWithTag`.
///
/// # Safety
/// Only the driver may call it.
pub(super) unsafe extern "win64" fn reference_by_pointer_with_tag(
    object: usize,
    _access: u32,
    object_type: usize,
    mode: i8,
    tag: u32,
) -> i32 {
    let core = processor::core();
    let kind = core.state().objects.get(object).map(|header| header.kind);
    // Kernel mode may leave the type open.
    let any = object_type == 0 && mode == Mode::Kernel as i8;
    if kind.is_some() && !any && core.kind_of_type(object_type) != kind {
        return status::OBJECT_TYPE_MISMATCH.0;
    }
    if core.reference_object(object, tag) { NtStatus::SUCCESS.0 } else { NtStatus::INVALID_PARAMETER.0 }
}

/// `ObReferenceObjectByHandle`.
///
/// # Safety
/// Only the driver may call it, with room for a pointer and, perhaps, for `OBJECT_HANDLE_INFORMATION`.
pub(super) unsafe extern "win64" fn reference_by_handle(
    handle: usize,
    access: u32,
    object_type: usize,
    mode: i8,
    object: usize,
    information: usize,
) -> i32 {
    // SAFETY: as the driver vouches.
    unsafe { reference_by_handle_with_tag(handle, access, object_type, mode, DEFAULT_TAG, object, information) }
}

/// `ObReferenceObjectByHandleWithTag`.
///
/// # Safety
/// As for [`reference_by_handle`].
pub(super) unsafe extern "win64" fn reference_by_handle_with_tag(
    handle: usize,
    _access: u32,
    object_type: usize,
    mode: i8,
    tag: u32,
    object: usize,
    information: usize,
) -> i32 {
    // SAFETY: as the driver vouches.
    unsafe { driver_memory::write(object, 0_usize) };
    if information != 0 {
        // `HandleAttributes` and `GrantedAccess`, which nobody asks for here.
        // SAFETY: as the driver vouches.
        unsafe { driver_memory::write(information, [0_u32; 2]) };
    }
    let core = processor::core();
    match referenced(&core, handle, object_type, mode, tag) {
        Ok(address) => {
            // SAFETY: as the driver vouches.
            unsafe { driver_memory::write(object, address) };
            NtStatus::SUCCESS.0
        }
        Err(status) => status.0,
    }
}

/// The object that a handle stands for, referenced.
fn referenced(core: &Core, handle: usize, object_type: usize, mode: i8, tag: u32) -> Result<usize, NtStatus> {
    let object = core.state().object_of(handle);
    let address = match object {
        Some(Object::Plain(_, address)) => address,
        Some(Object::File(file)) => file.file,
        Some(Object::Key(_)) => return Err(status::OBJECT_TYPE_MISMATCH),
        None => {
            // A program may have given the driver any number; the driver itself should know its handles.
            if mode == Mode::Kernel as i8 {
                core.report(Rule::HandleInvalid, format!("{handle:#x} is referenced and is not open"));
            }
            return Err(status::INVALID_HANDLE);
        }
    };
    let kind = core.state().objects.get(address).map(|header| header.kind);
    if object_type != 0 && core.kind_of_type(object_type) != kind {
        return Err(status::OBJECT_TYPE_MISMATCH);
    }
    core.reference_object(address, tag);
    Ok(address)
}
