//! The clocks that drivers read. All show simulated time.
//!
//! Source: <https://learn.microsoft.com/windows-hardware/drivers/kernel/acquiring-high-resolution-time-stamps>

use crate::driver_memory;
use crate::processor;

/// The performance counter runs as fast as the other clocks, as it does on most machines: 10 million ticks a second.
const FREQUENCY: u64 = 10_000_000;
/// How many units of the clocks the system's timer takes from tick to tick: 1/64 second.
const TIME_INCREMENT: u32 = 156_250;

fn interrupt_time() -> u64 {
    processor::core().look(|it| it.clock.interrupt_time())
}

/// # Safety
/// The driver vouches for the address, if there is one.
unsafe fn store(address: usize, value: u64) {
    if address != 0 {
        // SAFETY: as the caller promises.
        unsafe { driver_memory::write(address, value) };
    }
}

/// `KeQueryInterruptTimePrecise`, which also tells the performance counter.
///
/// # Safety
/// Only the driver may call it.
pub(super) unsafe extern "win64" fn interrupt_time_precise(counter: usize) -> u64 {
    let now = interrupt_time();
    // SAFETY: as the driver vouches.
    unsafe { store(counter, now) };
    now
}

/// `KeQueryUnbiasedInterruptTime`: this system never sleeps.
///
/// # Safety
/// Only the driver may call it.
pub(super) unsafe extern "win64" fn unbiased_interrupt_time() -> u64 {
    interrupt_time()
}

/// `KeQuerySystemTimePrecise`.
///
/// # Safety
/// Only the driver may call it.
pub(super) unsafe extern "win64" fn system_time_precise(time: usize) {
    let now = processor::core().look(|it| it.clock.system_time());
    // SAFETY: as the driver vouches.
    unsafe { store(time, now) };
}

/// `KeQueryPerformanceCounter`.
///
/// # Safety
/// Only the driver may call it.
pub(super) unsafe extern "win64" fn performance_counter(frequency: usize) -> u64 {
    // SAFETY: as the driver vouches.
    unsafe { store(frequency, FREQUENCY) };
    interrupt_time()
}

/// `KeQueryTimeIncrement`.
///
/// # Safety
/// Only the driver may call it.
pub(super) unsafe extern "win64" fn time_increment() -> u32 {
    TIME_INCREMENT
}
