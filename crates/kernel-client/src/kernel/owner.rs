//! The driver that uses this crate, as far as the kernel has to know it.

use core::ptr::NonNull;

use wdk_sys::DEVICE_OBJECT;

/// A device object of the driver that uses this crate: by it the I/O manager keeps the driver's image while a routine of its
/// is to be called, or has not returned.
///
/// Any device object of the driver's does, one without a name and for nothing else included.
/// Sources: <https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-iosetcompletionroutineex>,
/// <https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-ioallocateworkitem>
#[derive(Clone, Copy, Debug)]
pub struct Owner {
    device: NonNull<DEVICE_OBJECT>,
}

// SAFETY: the I/O manager takes a reference to the device object, which any thread may do.
unsafe impl Send for Owner {}
// SAFETY: as above.
unsafe impl Sync for Owner {}

impl Owner {
    /// The owner of this device object.
    ///
    /// # Safety
    /// The device object is one of the driver's that this code is linked into, and lives as long as anything that was made with this.
    #[must_use]
    pub const unsafe fn new(device: NonNull<DEVICE_OBJECT>) -> Self {
        Self { device }
    }

    pub(super) const fn as_ptr(self) -> *mut DEVICE_OBJECT {
        self.device.as_ptr()
    }
}
