//! The callback object by which the driver tells that it is there, or goes.
//!
//! Source: <https://learn.microsoft.com/windows-hardware/drivers/kernel/using-a-driver-defined-callback-object>

use core::ptr::{NonNull, null_mut};

use netio_anycast_protocol::notice::CALLBACK_NAME;
use netio_anycast_protocol::status::NtStatus;
use wdk_sys::ntddk::{ExCreateCallback, ExRegisterCallback, ExUnregisterCallback, ObfDereferenceObject};
use wdk_sys::{_CALLBACK_OBJECT, OBJ_CASE_INSENSITIVE, OBJECT_ATTRIBUTES, PVOID, ULONG};

use super::unicode_string::{unicode_string, utf16};

static CALLBACK_NAME_UTF16: [u16; CALLBACK_NAME.len()] = utf16(CALLBACK_NAME);

/// What the executive calls: with the context, and what the driver tells.
pub(super) type Routine = unsafe extern "C" fn(context: PVOID, argument1: PVOID, argument2: PVOID);

/// A routine that is called with everything that the driver tells, until this is dropped, at IRQL <= APC_LEVEL.
///
/// It is called at PASSIVE_LEVEL, in the thread that loads or unloads the driver, which waits meanwhile.
#[derive(Debug)]
pub(super) struct Registration {
    object: NonNull<_CALLBACK_OBJECT>,
    registration: PVOID,
}

impl Registration {
    /// Has `routine` called from now on. IRQL: PASSIVE_LEVEL.
    ///
    /// # Errors
    /// STATUS_INSUFFICIENT_RESOURCES, or what the executive says of an object of that name that is none of the driver's.
    ///
    /// # Safety
    /// What `context` points to lives as long as this.
    pub(super) unsafe fn new(routine: Routine, context: PVOID) -> Result<Self, NtStatus> {
        let object = open()?;
        // SAFETY: the object is referenced, and the context lives as the caller promises.
        let registration = unsafe { ExRegisterCallback(object.as_ptr(), Some(routine), context) };
        // What there is, is given back by its drop.
        let this = Self { object, registration };
        if registration.is_null() { Err(NtStatus::INSUFFICIENT_RESOURCES) } else { Ok(this) }
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        if !self.registration.is_null() {
            // SAFETY: it was registered, and is unregistered once. The executive waits until the routine has returned.
            unsafe { ExUnregisterCallback(self.registration) };
        }
        // SAFETY: ExCreateCallback has referenced the object, and it is given back once.
        let _ = unsafe { ObfDereferenceObject(self.object.as_ptr().cast()) };
    }
}

/// The object that is there, or a new one: whoever comes first creates it.
fn open() -> Result<NonNull<_CALLBACK_OBJECT>, NtStatus> {
    let mut name = unicode_string(&CALLBACK_NAME_UTF16);
    #[expect(clippy::cast_possible_truncation, reason = "it is a few bytes")]
    let length = size_of::<OBJECT_ATTRIBUTES>() as ULONG;
    let mut attributes = OBJECT_ATTRIBUTES {
        Length: length,
        ObjectName: &raw mut name,
        Attributes: OBJ_CASE_INSENSITIVE,
        ..OBJECT_ATTRIBUTES::default()
    };
    let mut object = null_mut();
    // SAFETY: PASSIVE_LEVEL, as `new` asks; everything pointed to lives through the call. Several may register.
    let status = NtStatus(unsafe { ExCreateCallback(&raw mut object, &raw mut attributes, 1, 1) });
    match status {
        NtStatus::SUCCESS => NonNull::new(object).ok_or(NtStatus::UNSUCCESSFUL),
        failure => Err(failure),
    }
}
