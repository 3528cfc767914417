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

/// The time since the system was started.
pub(crate) fn interrupt_time() -> u64 {
    in_units(performance_counter())
}

/// The time since the year 1601.
pub(crate) fn system_time() -> i64 {
    RtlGetSystemTimePrecise()
}

fn performance_counter() -> u64 {
    let mut counter = 0;
    RtlQueryPerformanceCounter(&mut counter);
    // It is never negative.
    counter.unsigned_abs()
}

fn in_units(counter: u64) -> u64 {
    let mut frequency = 0;
    RtlQueryPerformanceFrequency(&mut frequency);
    let frequency = frequency.unsigned_abs().max(1);
    counter / frequency * UNITS_IN_A_SECOND + counter % frequency * UNITS_IN_A_SECOND / frequency
}

/// KeQueryInterruptTimePrecise: the time since the system was started, and the performance counter at that moment.
///
/// # Safety
/// `counter` may be written.
#[unsafe(no_mangle)]
unsafe extern "system" fn extension_KeQueryInterruptTimePrecise(counter: *mut u64) -> u64 {
    let now = performance_counter();
    // SAFETY: as the caller promises.
    unsafe { counter.write(now) };
    in_units(now)
}

/// KeQuerySystemTimePrecise: the time since the year 1601.
///
/// # Safety
/// `time` may be written.
#[unsafe(no_mangle)]
unsafe extern "system" fn extension_KeQuerySystemTimePrecise(time: *mut i64) {
    // SAFETY: as the caller promises.
    unsafe { time.write(system_time()) };
}
