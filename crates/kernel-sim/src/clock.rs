//! Simulated time: it stands still while anything runs, so that no test depends on how fast its machine is.

use std::time::Duration;

/// When time passes in a simulated kernel. No test sleeps for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Time {
    /// When everybody waits: then it is at once as late as the first timer or timeout that somebody waits for.
    #[default]
    WhenAllWait,
    /// Only by [`Kernel::advance`](crate::Kernel::advance).
    OnDemand,
}

/// The units of the kernel's clocks: 100 nanoseconds.
pub(crate) const UNITS_PER_MILLISECOND: u64 = 10_000;
/// How long the kernel has been running when a test begins: ten minutes.
const STARTED: u64 = 600_000 * UNITS_PER_MILLISECOND;
/// When it was started, in units since 1601: the beginning of 2026.
const BOOT: u64 = 134_116_992_000_000_000;

/// The kernel's clock.
#[derive(Debug)]
pub(crate) struct Clock {
    now: u64,
}

impl Default for Clock {
    fn default() -> Self {
        Self { now: STARTED }
    }
}

impl Clock {
    /// The interrupt time: units since the system was started.
    pub(crate) const fn interrupt_time(&self) -> u64 {
        self.now
    }

    /// The system time: units since 1601.
    pub(crate) const fn system_time(&self) -> u64 {
        BOOT + self.now
    }

    /// When a timeout or a timer ends: negative numbers count from now, others are a system time. As an interrupt time.
    pub(crate) fn due(&self, time: i64) -> u64 {
        match u64::try_from(time) {
            Ok(system_time) => system_time.saturating_sub(BOOT),
            Err(_) => self.now.saturating_add(time.unsigned_abs()),
        }
    }

    /// It is so late now; never earlier than it was.
    pub(crate) fn set(&mut self, interrupt_time: u64) {
        self.now = self.now.max(interrupt_time);
    }
}

/// A duration in the clock's units.
pub(crate) fn units(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos() / 100).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn negative_times_count_from_now_and_others_from_1601() {
        let mut clock = Clock::default();
        assert_eq!(clock.due(-10), clock.interrupt_time() + 10);
        assert_eq!(clock.due(i64::try_from(clock.system_time() + 7).expect("it fits")), clock.interrupt_time() + 7);
        assert_eq!(clock.due(0), 0, "long ago");
        clock.set(STARTED + 5);
        clock.set(STARTED);
        assert_eq!(clock.interrupt_time(), STARTED + 5);
    }
}
