//! Precise clocks, which Wine's kernel lacks.
//!
//! Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-kequeryinterrupttimeprecise>

#[link(name = "ntdll", kind = "raw-dylib")]
unsafe extern "system" {
    safe fn RtlGetSystemTimePrecise() -> i64;
    safe fn RtlQueryPerformanceCounter(counter: &mut i64) -> i32;
    safe fn RtlQueryPerformanceFrequency(frequency: &mut i64) -> i32;
}

/// The kernel's unit of time is 100 nanoseconds.
const UNITS_IN_A_SECOND: u64 = 10_000_000;

/// KeQueryInterruptTimePrecise: the time since the system was started, and the performance counter at that moment.
///
/// # Safety
/// `performance_counter` may be written.
#[unsafe(no_mangle)]
unsafe extern "system" fn extension_KeQueryInterruptTimePrecise(performance_counter: *mut u64) -> u64 {
    let (mut counter, mut frequency) = (0, 1);
    RtlQueryPerformanceCounter(&mut counter);
    RtlQueryPerformanceFrequency(&mut frequency);
    // Neither is ever negative.
    let (counter, frequency) = (counter.unsigned_abs(), frequency.unsigned_abs().max(1));
    // SAFETY: as the caller promises.
    unsafe { performance_counter.write(counter) };
    let (seconds, rest) = (counter / frequency, counter % frequency);
    seconds * UNITS_IN_A_SECOND + rest * UNITS_IN_A_SECOND / frequency
}

/// KeQuerySystemTimePrecise: the time since the year 1601.
///
/// # Safety
/// `time` may be written.
#[unsafe(no_mangle)]
unsafe extern "system" fn extension_KeQuerySystemTimePrecise(time: *mut i64) {
    // SAFETY: as the caller promises.
    unsafe { time.write(RtlGetSystemTimePrecise()) };
}
