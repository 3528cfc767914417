//! What happens after a panic.

use core::panic::PanicInfo;

use windows_sys::Wdk::System::SystemServices::KeBugCheckEx;

/// MANUALLY_INITIATED_CRASH1: ends this kernel host; the standard error of Wine shows it.
const BUG_CHECK_CODE: u32 = 0xDEAD_DEAD;

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    // SAFETY: KeBugCheckEx may be called at any IRQL and does not return.
    unsafe { KeBugCheckEx(BUG_CHECK_CODE, 0, 0, 0, 0) };
    loop {
        core::hint::spin_loop();
    }
}
