//! Keeping modules loaded: this one, since its threads run in it and what it keeps for drivers outlives each of them, and images of
//! drivers.

use core::ffi::c_void;

use windows_sys::Win32::Foundation::NTSTATUS;

unsafe extern "C" {
    /// The first byte of this module, which the linker defines.
    static __ImageBase: u8;
}

#[link(name = "ntdll", kind = "raw-dylib")]
unsafe extern "system" {
    fn LdrAddRefDll(flags: u32, module: *const u8) -> NTSTATUS;
}

/// LDR_ADDREF_DLL_PIN.
const PIN: u32 = 1;

/// The address of this module, as the loader knows it.
pub(crate) fn module() -> *const u8 {
    &raw const __ImageBase
}

/// Sees to it that this module is never unloaded, which otherwise happens with the last driver that imports it.
pub(crate) fn pin() {
    keep_image(module().cast());
}

/// Sees to it that an image is never unloaded; `start` is where it begins.
pub(crate) fn keep_image(start: *const c_void) {
    // SAFETY: it does not fail for a module that is loaded, and does nothing for another address.
    unsafe { LdrAddRefDll(PIN, start.cast()) };
}
