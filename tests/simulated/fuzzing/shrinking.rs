//! Making a sequence shorter and simpler as long as it still does what it is kept for.

use mutatis::Session;

use super::sequence::{Sequence, Setup, simpler};

/// How often a step is tried in a simpler form.
const SIMPLIFICATIONS: usize = 4;

/// The shortest sequence that can be found with up to `trials` trials of which `still` is true. It is true of `sequence`.
pub(super) fn shrink(sequence: &Sequence, trials: usize, mut still: impl FnMut(&Sequence) -> bool) -> Sequence {
    let mut left = trials;
    let mut try_it = |candidate: &Sequence| {
        left = left.saturating_sub(1);
        left > 0 && still(candidate)
    };
    let mut best = sequence.clone();
    for setup in [Setup::default(), Setup { threads: 0, seed: 0, ..best.setup.clone() }] {
        let candidate = Sequence { setup, ..best.clone() };
        if candidate != best && try_it(&candidate) {
            best = candidate;
        }
    }
    let mut length = best.steps.len().div_ceil(2);
    while length > 0 {
        let mut start = 0;
        while start < best.steps.len() {
            let mut candidate = best.clone();
            candidate.steps.drain(start..(start + length).min(best.steps.len()));
            if try_it(&candidate) {
                best = candidate;
            } else {
                start += length;
            }
        }
        length = if length == 1 { 0 } else { length.div_ceil(2) };
    }
    let mut session = Session::new().seed(0).shrink(true);
    for position in 0..best.steps.len() {
        for _ in 0..SIMPLIFICATIONS {
            let Some(step) = simpler(&mut session, &best.steps[position]) else { break };
            let mut candidate = best.clone();
            candidate.steps[position] = step;
            if try_it(&candidate) {
                best = candidate;
            }
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzzing::sequence::Mutator;
    use crate::fuzzing::step::Step;

    #[test]
    fn what_does_not_matter_goes() {
        let mut mutator = Mutator::new(7);
        let mut sequence = mutator.new_sequence();
        sequence.setup.threads = 3;
        let last = sequence.steps.len();
        sequence.steps.insert(last / 2, Step::Unload);
        sequence.steps.push(Step::Unload);
        let unloads = |sequence: &Sequence| sequence.steps.iter().filter(|step| **step == Step::Unload).count() >= 2;
        let shrunk = shrink(&sequence, 1_000, unloads);
        assert_eq!(shrunk, Sequence { setup: Setup::default(), steps: vec![Step::Unload, Step::Unload] });
    }
}
