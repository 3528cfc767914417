//! What the results of a health check mean.

use std::num::NonZeroU32;

use crate::event::CheckResult;

/// How a service is, by the results of its health check so far. A single result turns nothing around unless that is wanted.
#[derive(Debug)]
pub(super) struct Health {
    rise: NonZeroU32,
    fall: NonZeroU32,
    /// `None` until one of the two was reached for the first time.
    is_good: Option<bool>,
    /// Passes if the last one was a pass, failures otherwise.
    in_a_row: u32,
    last_passed: bool,
}

/// That the health has turned around.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    Good { passes: NonZeroU32 },
    Bad { failures: NonZeroU32 },
}

impl Health {
    /// Good after `rise` passes in a row, bad after `fall` failures; neither at first.
    pub(super) const fn new(rise: NonZeroU32, fall: NonZeroU32) -> Self {
        Self { rise, fall, is_good: None, in_a_row: 0, last_passed: false }
    }

    pub(super) fn is_good(&self) -> bool {
        self.is_good == Some(true)
    }

    /// Takes another result into account, and tells if it turned the health around.
    pub(super) fn turns(&mut self, result: &CheckResult) -> Option<Turn> {
        let passed = *result == CheckResult::Passed;
        self.in_a_row = if passed == self.last_passed { self.in_a_row.saturating_add(1) } else { 1 };
        self.last_passed = passed;
        let (enough, turn) = if passed {
            (self.rise, Turn::Good { passes: self.rise })
        } else {
            (self.fall, Turn::Bad { failures: self.fall })
        };
        if self.in_a_row < enough.get() || self.is_good == Some(passed) {
            return None;
        }
        self.is_good = Some(passed);
        Some(turn)
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::{Health, Turn};
    use crate::event::CheckResult;

    fn times(number: u32) -> NonZeroU32 {
        NonZeroU32::new(number).expect("not zero")
    }

    /// The turns that results, `+` and `-`, bring with rise 2 and fall 3.
    fn turns(results: &str) -> String {
        let mut health = Health::new(times(2), times(3));
        let turn = |result| {
            let result = if result == '+' { CheckResult::Passed } else { CheckResult::Failed(1) };
            match health.turns(&result) {
                Some(Turn::Good { passes }) => format!("up after {passes}"),
                Some(Turn::Bad { failures }) => format!("down after {failures}"),
                None => ".".to_owned(),
            }
        };
        results.chars().map(turn).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn it_takes_so_many_in_a_row_to_turn_it_around() {
        assert_eq!(turns("+++"), ". up after 2 .");
        assert_eq!(turns("+-+-+-"), ". . . . . .");
        assert_eq!(turns("---++---"), ". . down after 3 . up after 2 . . down after 3");
        assert_eq!(turns("++--+--+---"), ". up after 2 . . . . . . . . down after 3");
    }
}
