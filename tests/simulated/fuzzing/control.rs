//! The control of the fuzzer: a driver in the place of the real one, with a mistake that hides behind several conditions. Who keeps
//! what reaches new code finds it, and who does not, does not.

use super::fuzzer::{Fuzzer, Guidance};
use crate::controls::build;

/// More sequences than it takes.
const SEQUENCES: u64 = 8_000;
const SEED: u64 = 1;

/// The number of the sequence that finds the mistake, among so many, and how many steps it has when it was shortened.
fn found(guidance: Guidance, sequences: u64) -> Option<(u64, usize)> {
    let image = build::image("hidden_mistake");
    let mut fuzzer = Fuzzer::new(&image, SEED, guidance);
    (0..sequences).find_map(|number| {
        let finding = fuzzer.round().err()?;
        assert!(finding.wrong.iter().any(|wrong| wrong.contains("hidden_mistake.c")), "{:?}", finding.wrong);
        Some((number, finding.sequence.steps.len()))
    })
}

#[test]
fn a_mistake_behind_several_conditions_is_found_with_guidance_alone() {
    let (number, steps) = found(Guidance::Shortened, SEQUENCES).expect("guided by what is reached it is found");
    println!("found by sequence {number}, shortened to {steps} steps");
    assert!(steps <= 8, "it takes an open handle and five requests, and {steps} steps were left");
    assert_eq!(found(Guidance::None, number), None, "it is not hidden well enough to tell anything of guidance");
}
