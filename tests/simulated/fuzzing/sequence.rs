//! A sequence of steps: its text, and how another is made of it.

use std::fmt;

use fastrand::Rng;
use mutatis::{Mutate, Session};
use serde::{Deserialize, Serialize};

use super::choice::Limit;
use super::request::is_default;
use super::step::{Step, StepMutator};

/// The most steps of a sequence: what goes wrong should be found in few.
pub(super) const LONGEST: usize = 120;
/// The steps of a sequence that nothing is known of yet.
const NEW_STEPS: std::ops::RangeInclusive<usize> = 20..=100;
/// The most threads that take turns.
const THREADS: std::ops::RangeInclusive<u8> = 1..=4;

/// Where a sequence begins.
#[derive(Clone, Debug, Default, PartialEq, Eq, Mutate, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Setup {
    /// The limits of the Parameters key.
    #[serde(skip_serializing_if = "is_default")]
    pub(super) max_apply_items: Option<Limit>,
    #[serde(skip_serializing_if = "is_default")]
    pub(super) max_leases_per_handle: Option<Limit>,
    #[serde(skip_serializing_if = "is_default")]
    pub(super) max_leases: Option<Limit>,
    #[serde(skip_serializing_if = "is_default")]
    pub(super) max_pending_waits: Option<Limit>,
    /// The kernel is one without ExAllocatePool2.
    #[serde(skip_serializing_if = "is_default")]
    pub(super) old_pool: bool,
    /// The steps are those of several threads that take turns, each taking the next of every so many.
    #[serde(skip_serializing_if = "is_default")]
    #[mutatis(ignore)]
    pub(super) threads: u8,
    /// The order of their turns follows from this.
    #[serde(skip_serializing_if = "is_default")]
    #[mutatis(ignore)]
    pub(super) seed: u32,
}

/// What can be done to the driver and replayed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Sequence {
    pub(super) setup: Setup,
    pub(super) steps: Vec<Step>,
}

/// A line of a sequence's text: JSON, the setup first.
impl fmt::Display for Sequence {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fn line(value: &impl Serialize) -> Result<String, fmt::Error> {
            serde_json::to_string(value).map_err(|_| fmt::Error)
        }
        writeln!(formatter, "{}", line(&self.setup)?)?;
        self.steps.iter().try_for_each(|step| writeln!(formatter, "{}", line(step)?))
    }
}

impl Sequence {
    /// Reads what [`Display`](fmt::Display) writes.
    ///
    /// # Errors
    /// A line is no step; the error names it.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        fn read<'a, T: Deserialize<'a>>((number, line): (usize, &'a str)) -> Result<T, String> {
            serde_json::from_str(line).map_err(|error| format!("line {}: {error}: {line}", number + 1))
        }
        // What is wrong, in front of a regression.
        let mut lines = text.lines().enumerate().filter(|(_, line)| !line.starts_with('#'));
        let setup = lines.next().map(read).transpose()?.unwrap_or_default();
        Ok(Self { setup, steps: lines.map(read).collect::<Result<_, _>>()? })
    }
}

/// Makes sequences of others.
pub(super) struct Mutator {
    random: Rng,
    session: Session,
    steps: StepMutator,
}

impl Mutator {
    pub(super) fn new(seed: u64) -> Self {
        Self { random: Rng::with_seed(seed), session: Session::new().seed(seed), steps: StepMutator::default() }
    }

    /// A number below `bound`.
    pub(super) fn below(&mut self, bound: usize) -> usize {
        self.random.usize(..bound)
    }

    /// A sequence out of nothing.
    pub(super) fn new_sequence(&mut self) -> Sequence {
        let mut sequence = Sequence { setup: self.new_setup(), steps: Vec::new() };
        // Nothing happens before somebody has opened the device.
        sequence.steps.push(Step::OPEN);
        for _ in 0..self.random.usize(NEW_STEPS) {
            sequence.steps.extend(self.new_step());
        }
        sequence
    }

    fn new_setup(&mut self) -> Setup {
        let mut setup = Setup::default();
        if self.random.u8(..4) == 0 {
            // What can't be mutated stays as it is.
            let _ = self.session.mutate(&mut setup);
        }
        self.choose_threads(&mut setup);
        setup
    }

    fn choose_threads(&mut self, setup: &mut Setup) {
        // Turns take time.
        let (threads, seed) =
            if self.random.u8(..8) == 0 { (self.random.u8(THREADS), self.random.u32(..)) } else { (0, 0) };
        (setup.threads, setup.seed) = (threads, seed);
    }

    fn new_step(&mut self) -> Option<Step> {
        self.session.generate_with(&mut self.steps).ok()
    }

    /// Another sequence: one of `corpus` and all sorts of things behind it, parts of others among them.
    ///
    /// What is kept is short, and to load the driver takes as long as some dozen requests. So much is done with it each time.
    pub(super) fn mutate(&mut self, sequence: &Sequence, corpus: &[Sequence]) -> Sequence {
        let mut sequence = sequence.clone();
        if self.random.bool() {
            self.choose_threads(&mut sequence.setup);
        }
        for _ in 0..self.random.usize(..4) {
            let other = &corpus[self.random.usize(..corpus.len())];
            self.mutate_once(&mut sequence, other);
        }
        let length = self.random.usize(..LONGEST);
        while sequence.steps.len() < length {
            if self.random.bool() {
                sequence.steps.extend(self.new_step());
                continue;
            }
            let other = &corpus[self.random.usize(..corpus.len())].steps;
            let start = self.random.usize(..=other.len());
            sequence.steps.extend_from_slice(&other[start..]);
            for _ in 0..self.random.usize(..2) {
                let last = self.random.usize(sequence.steps.len().saturating_sub(other.len())..=sequence.steps.len());
                if let Some(step) = sequence.steps.get_mut(last) {
                    // What can't be mutated stays as it is.
                    let _ = self.session.mutate(step);
                }
            }
        }
        sequence.steps.truncate(LONGEST);
        sequence
    }

    fn mutate_once(&mut self, Sequence { setup, steps }: &mut Sequence, other: &Sequence) {
        let place = self.random.usize(..=steps.len());
        let last = steps.len().saturating_sub(1).min(place);
        match self.random.u8(..20) {
            0..4 => {
                if let Some(step) = self.new_step() {
                    steps.insert(place, step);
                }
            }
            4 => steps.extend((0..4).filter_map(|_| self.new_step())),
            5..7 if !steps.is_empty() => drop(steps.remove(last)),
            7 if !steps.is_empty() => {
                let other = self.random.usize(..steps.len());
                steps.swap(last, other);
            }
            8 if !steps.is_empty() => {
                // Again, somewhere later.
                let step = steps[last].clone();
                steps.insert(self.random.usize(place..=steps.len()), step);
            }
            9 => steps.truncate(place),
            10..12 if !other.steps.is_empty() => {
                let start = self.random.usize(..other.steps.len());
                let end = self.random.usize(start..=other.steps.len());
                steps.splice(place..place, other.steps[start..end].iter().cloned());
            }
            12 => drop(self.session.mutate(setup)),
            _ if !steps.is_empty() => drop(self.session.mutate(&mut steps[last])),
            _ => {}
        }
    }
}

/// A step in a simpler form, or `None` if there is none.
pub(super) fn simpler(session: &mut Session, step: &Step) -> Option<Step> {
    let mut simpler = step.clone();
    session.mutate(&mut simpler).ok()?;
    (simpler != *step).then_some(simpler)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sequence_is_read_as_it_was_written() {
        let mut mutator = Mutator::new(1);
        let mut sequence = mutator.new_sequence();
        for _ in 0..200 {
            assert_eq!(Sequence::parse(&sequence.to_string()), Ok(sequence.clone()));
            let other = mutator.new_sequence();
            sequence = mutator.mutate(&sequence, &[other]);
        }
    }
}
