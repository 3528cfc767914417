//! Objects of this module's own, beside those of Wine's object manager: counted by their address, which is what drivers know
//! them by.
//!
//! Source: <https://learn.microsoft.com/windows-hardware/drivers/kernel/life-cycle-of-an-object>

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use core::ffi::c_void;

use windows_sys::Wdk::Foundation::POBJECT_TYPE;
use windows_sys::Wdk::System::SystemServices::{ObfDereferenceObject, ObfReferenceObject};
use windows_sys::Win32::Foundation::{NTSTATUS, STATUS_OBJECT_TYPE_MISMATCH, STATUS_SUCCESS};

use crate::lock::Lock;

#[link(name = "ntoskrnl.exe", kind = "raw-dylib", modifiers = "+verbatim")]
unsafe extern "system" {
    fn ObGetObjectType(object: *const c_void) -> POBJECT_TYPE;
}

/// What an object does when its last reference goes. It is called without a lock, by whoever dereferenced it.
pub(crate) type End = unsafe fn(*mut c_void);

struct Object {
    references: isize,
    end: End,
}

static OBJECTS: Lock<BTreeMap<usize, Object>> = Lock::new(BTreeMap::new());

/// Makes `body` an object with one reference. `end` gets its address back when it has none any more, and frees it by
/// `Box::from_raw`.
pub(crate) fn create<T>(body: Box<T>, end: End) -> *mut T {
    let address = Box::into_raw(body);
    OBJECTS.with(|objects| objects.insert(address.addr(), Object { references: 1, end }));
    address
}

/// Changes what an object does when its last reference goes.
pub(crate) fn set_end(object: *const c_void, end: End) {
    OBJECTS.with(|objects| {
        if let Some(object) = objects.get_mut(&object.addr()) {
            object.end = end;
        }
    });
}

/// References an object of this module's: the references it has then, or `None` if it is none.
pub(crate) fn reference(object: *const c_void) -> Option<isize> {
    OBJECTS.with(|objects| {
        let object = objects.get_mut(&object.addr())?;
        object.references += 1;
        Some(object.references)
    })
}

/// Dereferences an object of this module's: the references it has then, or `None` if it is none.
///
/// # Safety
/// The caller has a reference, and gives it up.
pub(crate) unsafe fn dereference(object: *mut c_void) -> Option<isize> {
    let (left, end) = OBJECTS.with(|objects| {
        let entry = objects.get_mut(&object.addr())?;
        entry.references -= 1;
        let left = entry.references;
        let end = (left == 0).then(|| objects.remove(&object.addr())).flatten();
        Some((left, end))
    })?;
    if let Some(Object { end, .. }) = end {
        // SAFETY: the address is that of an object made with this end, and nobody has a reference any more.
        unsafe { end(object) };
    }
    Some(left)
}

/// ObfReferenceObject.
///
/// # Safety
/// `object` is one that the caller may use.
#[unsafe(no_mangle)]
unsafe extern "system" fn extension_ObfReferenceObject(object: *mut c_void) -> isize {
    // SAFETY: as the caller promises.
    reference(object).unwrap_or_else(|| unsafe { ObfReferenceObject(object) })
}

/// ObfDereferenceObject.
///
/// # Safety
/// The caller has a reference to `object`, and gives it up.
#[unsafe(no_mangle)]
unsafe extern "system" fn extension_ObfDereferenceObject(object: *mut c_void) -> isize {
    // SAFETY: as the caller promises.
    match unsafe { dereference(object) } {
        Some(left) => left,
        // SAFETY: as the caller promises.
        None => unsafe { ObfDereferenceObject(object) },
    }
}

/// ObReferenceObjectByPointer, which does nothing in Wine. An object of this module's is taken for what the caller takes it for.
///
/// # Safety
/// `object` is one that the caller may use.
#[unsafe(no_mangle)]
unsafe extern "system" fn extension_ObReferenceObjectByPointer(
    object: *mut c_void,
    _access: u32,
    object_type: POBJECT_TYPE,
    _mode: i8,
) -> NTSTATUS {
    if reference(object).is_some() {
        return STATUS_SUCCESS;
    }
    // SAFETY: as the caller promises, and the object is one of Wine's.
    if object_type != 0 && unsafe { ObGetObjectType(object) } != object_type {
        return STATUS_OBJECT_TYPE_MISMATCH;
    }
    // SAFETY: as above.
    unsafe { ObfReferenceObject(object) };
    STATUS_SUCCESS
}
