//! Who called.

use windows_sys::Wdk::Foundation::IRP;
use windows_sys::Wdk::Storage::FileSystem::IoGetRequestorProcess;
use windows_sys::Wdk::System::SystemServices::{PsGetCurrentProcessId, PsGetProcessId};

#[link(name = "kernel32", kind = "raw-dylib")]
unsafe extern "system" {
    safe fn GetCurrentProcessId() -> u32;
}

/// ExGetPreviousMode: UserMode while Wine dispatches a client's request, which it does with the client's thread as the
/// current one; KernelMode in a thread of the kernel host itself.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-exgetpreviousmode>
#[unsafe(no_mangle)]
extern "system" fn extension_ExGetPreviousMode() -> i8 {
    const KERNEL_MODE: i8 = 0;
    const USER_MODE: i8 = 1;
    // SAFETY: it has no preconditions.
    let current = unsafe { PsGetCurrentProcessId() };
    if current.addr() == GetCurrentProcessId() as usize { KERNEL_MODE } else { USER_MODE }
}

/// IoGetRequestorProcessId: the process whose thread sent the request, or zero if there is none.
///
/// # Safety
/// `irp` is an IRP that a driver has.
#[unsafe(no_mangle)]
unsafe extern "system" fn extension_IoGetRequestorProcessId(irp: *const IRP) -> u32 {
    // SAFETY: as the caller promises.
    let tail = unsafe { &(*irp).Tail };
    // SAFETY: `Overlay` is the member in use while a driver has the IRP.
    if unsafe { tail.Overlay.Thread } == 0 {
        // Wine's function reads it all the same.
        return 0;
    }
    // SAFETY: as the caller promises, and a thread has sent it.
    let process = unsafe { IoGetRequestorProcess(irp) };
    // SAFETY: the process object lives as long as the request.
    let id = unsafe { PsGetProcessId(process) };
    // Process ids have 32 bits, here as on Windows.
    u32::try_from(id.addr()).unwrap_or(0)
}
