//! What the driver keeps for each open file object, from IRP_MJ_CREATE to IRP_MJ_CLOSE.

use core::ptr::{NonNull, null_mut};
use core::sync::atomic::{AtomicBool, Ordering};

use netio_anycast_engine::HandleId;
use netio_anycast_protocol::status::NtStatus;
use wdk_sys::FILE_OBJECT;

use crate::pool_box::PoolBox;

/// What `FILE_OBJECT.FsContext` points to.
pub(crate) struct OpenFile {
    handle: HandleId,
    /// The last handle to the file object is closed. A program's requests are over then; a kernel caller's need not be, since
    /// IoGetDeviceObjectPointer closes its handle and returns the file object.
    /// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-iogetdeviceobjectpointer>
    cleaned_up: AtomicBool,
}

impl OpenFile {
    /// Attaches what belongs to `handle` to a file object that is being opened.
    ///
    /// # Errors
    /// [`NtStatus::INSUFFICIENT_RESOURCES`]: there is no memory.
    ///
    /// # Safety
    /// IRP_MJ_CREATE of the file object is under way, and nothing is attached to it yet.
    pub(crate) unsafe fn attach(mut file: NonNull<FILE_OBJECT>, handle: HandleId) -> Result<(), NtStatus> {
        let opened = PoolBox::try_new(Self { handle, cleaned_up: AtomicBool::new(false) })?;
        // SAFETY: `FsContext` is for the driver whose device is opened, and nobody else looks at it.
        unsafe { file.as_mut() }.FsContext = opened.into_raw().as_ptr().cast();
        Ok(())
    }

    /// What was attached to a file object.
    ///
    /// # Safety
    /// The file object is one of the driver's device, and IRP_MJ_CLOSE has not ended for it before the last use.
    pub(crate) unsafe fn of<'a>(file: NonNull<FILE_OBJECT>) -> Option<&'a Self> {
        // SAFETY: as the caller promises.
        let context = unsafe { file.as_ref() }.FsContext;
        // SAFETY: null, or what `attach` has put there, which lives until `detach`.
        unsafe { context.cast::<Self>().as_ref() }
    }

    /// Takes back what was attached, and frees it.
    ///
    /// # Safety
    /// IRP_MJ_CLOSE of the file object is under way: nobody uses what was attached any more.
    pub(crate) unsafe fn detach(mut file: NonNull<FILE_OBJECT>) {
        // SAFETY: the file object lives until the IRP is completed.
        let file = unsafe { file.as_mut() };
        let context = core::mem::replace(&mut file.FsContext, null_mut());
        if let Some(opened) = NonNull::new(context.cast::<Self>()) {
            // SAFETY: `attach` has got it from `into_raw`.
            drop(unsafe { PoolBox::from_raw(opened) });
        }
    }

    /// Whose leases requests through the file object make.
    pub(crate) const fn handle(&self) -> HandleId {
        self.handle
    }

    /// The last handle is closed.
    pub(crate) fn clean_up(&self) {
        self.cleaned_up.store(true, Ordering::Release);
    }

    /// Whether [`clean_up`](Self::clean_up) was called.
    pub(crate) fn is_cleaned_up(&self) -> bool {
        self.cleaned_up.load(Ordering::Acquire)
    }
}
