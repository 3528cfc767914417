//! The callback object by which other drivers learn that this one is there, or goes.
//!
//! Source: <https://learn.microsoft.com/windows-hardware/drivers/kernel/defining-a-callback-object>

use core::ptr::{NonNull, null_mut, without_provenance_mut};

use netio_anycast_protocol::notice::{CALLBACK_NAME, Notice};
use netio_anycast_protocol::status::NtStatus;
use wdk_sys::ntddk::{ExCreateCallback, ExNotifyCallback, ObfDereferenceObject};
use wdk_sys::{_CALLBACK_OBJECT, OBJ_CASE_INSENSITIVE, OBJECT_ATTRIBUTES, PVOID, ULONG};

use crate::unicode_string::{unicode_string, utf16};

static CALLBACK_NAME_UTF16: [u16; CALLBACK_NAME.len()] = utf16(CALLBACK_NAME);

/// The callback object, given back when this is dropped.
pub(crate) struct Notices {
    object: NonNull<_CALLBACK_OBJECT>,
}

// SAFETY: the object may be notified by any thread.
unsafe impl Send for Notices {}
// SAFETY: as above.
unsafe impl Sync for Notices {}

impl Notices {
    /// The object that is there, or a new one. IRQL: PASSIVE_LEVEL.
    ///
    /// # Errors
    /// Whatever the executive says: no memory, or somebody else's object of that name.
    pub(crate) fn open() -> Result<Self, NtStatus> {
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
        // SAFETY: PASSIVE_LEVEL; everything pointed to lives through the call. It is created if it is not there, and several
        // may register.
        let status = NtStatus(unsafe { ExCreateCallback(&raw mut object, &raw mut attributes, 1, 1) });
        if status != NtStatus::SUCCESS {
            return Err(status);
        }
        NonNull::new(object).map(|object| Self { object }).ok_or(NtStatus::UNSUCCESSFUL)
    }

    /// Calls whoever has registered. IRQL: PASSIVE_LEVEL.
    pub(crate) fn tell(&self, notice: Notice) {
        let argument: PVOID = without_provenance_mut(notice as usize);
        // SAFETY: the object is referenced; IRQL <= DISPATCH_LEVEL.
        unsafe { ExNotifyCallback(self.object.as_ptr().cast(), argument, null_mut()) };
    }
}

impl Drop for Notices {
    fn drop(&mut self) {
        // SAFETY: ExCreateCallback has referenced it, and the reference is given back once.
        let _ = unsafe { ObfDereferenceObject(self.object.as_ptr().cast()) };
    }
}
