//! What the engine has to do later, on its one timer.

use crate::kernel::Kernel;

/// How often the table is looked at while somebody waits for a change, in milliseconds. Others' changes are to be noticed
/// within a second, the look included.
pub(crate) const LOOK_INTERVAL: u64 = 500;
/// The first time until a withdrawal that NetIO has refused is tried again, in milliseconds; it doubles up to the last.
const FIRST_RETRY: u64 = 100;
const LAST_RETRY: u64 = 5_000;

/// What is due now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Due {
    /// A look at the table.
    pub(crate) look: bool,
    /// The withdrawals that NetIO has refused.
    pub(crate) retry: bool,
}

/// When to do what, in [`Kernel::now`]'s milliseconds.
#[derive(Debug, Default)]
pub(crate) struct Schedule {
    look: Option<u64>,
    last_look: Option<u64>,
    retry: Option<u64>,
    retry_delay: u64,
    /// What the timer is set to.
    armed: Option<u64>,
}

impl Schedule {
    /// Somebody begins to wait for a change: the table is looked at, but not more often than it has to be.
    pub(crate) fn look<K: Kernel>(&mut self, kernel: &K) {
        if self.look.is_none() {
            let now = kernel.now();
            let earliest = self.last_look.map_or(now, |last| last.saturating_add(LOOK_INTERVAL));
            self.look = Some(earliest.max(now));
            self.arm(kernel);
        }
    }

    /// A withdrawal was refused.
    pub(crate) fn retry<K: Kernel>(&mut self, kernel: &K) {
        if self.retry.is_none() {
            self.retry_delay = self.retry_delay.saturating_mul(2).clamp(FIRST_RETRY, LAST_RETRY);
            self.retry = Some(kernel.now().saturating_add(self.retry_delay));
            self.arm(kernel);
        }
    }

    /// Nothing is left to be withdrawn: the next refusal is the first again.
    pub(crate) const fn reset_retries(&mut self) {
        self.retry_delay = 0;
    }

    /// The timer has expired: what is to be done.
    pub(crate) fn take_due<K: Kernel>(&mut self, kernel: &K) -> Due {
        let now = kernel.now();
        self.armed = None;
        let due = |time: &mut Option<u64>| time.take_if(|time| *time <= now).is_some();
        let due = Due { look: due(&mut self.look), retry: due(&mut self.retry) };
        if due.look {
            self.last_look = Some(now);
        }
        self.arm(kernel);
        due
    }

    /// Sets the timer to what comes first, if it is not set to that.
    fn arm<K: Kernel>(&mut self, kernel: &K) {
        let Some(first) = self.look.into_iter().chain(self.retry).min() else { return };
        if self.armed.is_none_or(|armed| armed > first) {
            self.armed = Some(first);
            kernel.defer(first.saturating_sub(kernel.now()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host_kernel::HostKernel;

    #[test]
    fn a_look_comes_at_once_and_then_no_more_often_than_it_has_to() {
        let (kernel, mut schedule) = (HostKernel::new(), Schedule::default());
        schedule.look(&kernel);
        assert_eq!(kernel.due_in(), Some(0));
        assert!(kernel.is_due());
        assert_eq!(schedule.take_due(&kernel), Due { look: true, retry: false });
        assert_eq!(kernel.due_in(), None, "nobody waits any more");
        kernel.advance(1);
        schedule.look(&kernel);
        assert_eq!(kernel.due_in(), Some(LOOK_INTERVAL - 1));
    }

    #[test]
    fn retries_come_ever_more_seldom_until_all_is_withdrawn() {
        let (kernel, mut schedule) = (HostKernel::new(), Schedule::default());
        for expected in [100, 200, 400, 800, 1600, 3200, 5000, 5000] {
            schedule.retry(&kernel);
            assert_eq!(kernel.due_in(), Some(expected));
            kernel.advance(expected);
            assert!(kernel.is_due() && schedule.take_due(&kernel).retry);
        }
        schedule.reset_retries();
        schedule.retry(&kernel);
        assert_eq!(kernel.due_in(), Some(100));
    }

    #[test]
    fn the_one_timer_is_set_to_what_comes_first() {
        let (kernel, mut schedule) = (HostKernel::new(), Schedule::default());
        schedule.retry(&kernel);
        schedule.look(&kernel);
        assert!(kernel.is_due(), "the look");
        assert_eq!(schedule.take_due(&kernel), Due { look: true, retry: false });
        assert_eq!(kernel.due_in(), Some(100));
        kernel.advance(99);
        assert!(!kernel.is_due());
        kernel.advance(1);
        assert!(kernel.is_due());
        assert_eq!(schedule.take_due(&kernel), Due { look: false, retry: true });
    }
}
