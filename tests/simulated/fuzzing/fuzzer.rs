//! Sequences that are made of others, and kept if they reach what none has reached before.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use kernel_sim::{Coverage, Image};
use netio_anycast_protocol::status::NtStatus;

use super::corpus::{answers, reached};
use super::ending::execute;
use super::judgement::{Judgement, Outcomes};
use super::sequence::{Mutator, Sequence};
use super::shrinking::shrink;

/// One sequence in so many is made out of nothing.
const OUT_OF_NOTHING: usize = 20;
/// One in so many is made of one of those that were kept last.
const OF_THE_LAST: usize = 2;
/// How many those are.
const LAST: usize = 16;
/// The trials that a sequence which is kept is shortened with, and one by which something was found.
const TRIALS_TO_KEEP: usize = 60;
const TRIALS_OF_FINDING: usize = 600;

/// Something that must not be.
#[derive(Debug)]
pub(super) struct Finding {
    /// The shortest sequence that leads to it.
    pub(super) sequence: Sequence,
    /// What is wrong.
    pub(super) wrong: Vec<String>,
}

/// What becomes of a sequence that reaches something new.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Guidance {
    /// It is kept, without the steps that it does not take.
    Shortened,
    /// It is kept as it is, which takes no time.
    Whole,
    /// Nothing: to see what guidance is good for.
    None,
}

/// A fuzzer at work.
pub(super) struct Fuzzer<'a> {
    image: &'a Image,
    /// What was reached, and what was before the sequence that is run now.
    coverage: Coverage,
    known: Coverage,
    answers: BTreeSet<(String, NtStatus)>,
    corpus: Vec<Sequence>,
    mutator: Mutator,
    guidance: Guidance,
    /// The file to which each sequence is written before it is run, so that it is known if the simulator itself crashes.
    pub(super) running: Option<PathBuf>,
    /// The sequences that were run.
    pub(super) executions: u64,
    /// How the requests of all of them ended.
    pub(super) outcomes: Outcomes,
}

impl<'a> Fuzzer<'a> {
    /// One that knows nothing yet.
    pub(super) fn new(image: &'a Image, seed: u64, guidance: Guidance) -> Self {
        let coverage = Coverage::new(image).expect("the image is whole");
        Self {
            image,
            known: coverage.afresh(),
            coverage,
            answers: BTreeSet::new(),
            corpus: Vec::new(),
            mutator: Mutator::new(seed),
            guidance,
            running: None,
            executions: 0,
            outcomes: Outcomes::new(),
        }
    }

    pub(super) const fn coverage(&self) -> &Coverage {
        &self.coverage
    }

    pub(super) fn corpus(&self) -> &[Sequence] {
        &self.corpus
    }

    /// The requests that were sent.
    pub(super) fn irps(&self) -> u64 {
        self.outcomes.values().sum()
    }

    /// Runs a sequence that is known, and keeps it to make others of.
    ///
    /// # Errors
    /// It finds something.
    pub(super) fn replay(&mut self, sequence: &Sequence) -> Result<(), Finding> {
        let judgement = self.run(sequence)?;
        self.answers.extend(answers(&judgement));
        self.known.add(&self.coverage);
        self.corpus.push(sequence.clone());
        Ok(())
    }

    /// Makes a new sequence and runs it.
    ///
    /// # Errors
    /// It finds something.
    pub(super) fn round(&mut self) -> Result<(), Finding> {
        let sequence = self.make();
        let judgement = self.run(&sequence)?;
        let answers: BTreeSet<_> = answers(&judgement).difference(&self.answers).cloned().collect();
        let is_new = self.coverage.covered() > self.known.covered() || !answers.is_empty();
        if is_new && self.guidance != Guidance::None {
            let kept =
                if self.guidance == Guidance::Shortened { self.shortened(&sequence, &answers) } else { sequence };
            self.corpus.push(kept);
            self.known.add(&self.coverage);
            self.answers.extend(answers);
        }
        Ok(())
    }

    fn make(&mut self) -> Sequence {
        if self.corpus.is_empty() || self.mutator.below(OUT_OF_NOTHING) == 0 {
            return self.mutator.new_sequence();
        }
        let count = self.corpus.len();
        let first = if self.mutator.below(OF_THE_LAST) == 0 { count.saturating_sub(LAST) } else { 0 };
        let one = first + self.mutator.below(count - first);
        self.mutator.mutate(&self.corpus[one], &self.corpus)
    }

    /// What it takes of a sequence that has reached something new.
    fn shortened(&self, sequence: &Sequence, new_answers: &BTreeSet<(String, NtStatus)>) -> Sequence {
        let known = reached(&self.known);
        let new: BTreeSet<usize> = reached(&self.coverage).difference(&known).copied().collect();
        let reaches_it = |candidate: &Sequence| {
            let probe = self.known.afresh();
            probe.add(&self.known);
            let judgement = execute(self.image, candidate, Some(&probe));
            let is_fine = judgement.wrong.is_empty();
            is_fine && new.is_subset(&reached(&probe)) && new_answers.is_subset(&answers(&judgement))
        };
        shrink(sequence, TRIALS_TO_KEEP, reaches_it)
    }

    fn run(&mut self, sequence: &Sequence) -> Result<Judgement, Finding> {
        if let Some(path) = &self.running {
            fs::write(path, sequence.to_string()).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        }
        let judgement = execute(self.image, sequence, Some(&self.coverage));
        self.executions += 1;
        for (outcome, times) in &judgement.outcomes {
            *self.outcomes.entry(outcome.clone()).or_default() += times;
        }
        if judgement.wrong.is_empty() { Ok(judgement) } else { Err(self.found(sequence, &judgement)) }
    }

    /// Makes a finding of a sequence by which something was found.
    fn found(&self, sequence: &Sequence, judgement: &Judgement) -> Finding {
        let kind_of = |wrong: &[String]| wrong.first().map(|wrong| kind(wrong));
        let found = kind_of(&judgement.wrong);
        let finds_it = |candidate: &Sequence| kind_of(&execute(self.image, candidate, None).wrong) == found;
        let sequence = shrink(sequence, TRIALS_OF_FINDING, finds_it);
        let again = execute(self.image, &sequence, None).wrong;
        // What does not happen again has happened all the same.
        let wrong = if again.is_empty() { judgement.wrong.clone() } else { again };
        Finding { sequence, wrong }
    }
}

/// What kind of thing is wrong: the first line, without its numbers.
fn kind(wrong: &str) -> String {
    let line = wrong.lines().next().unwrap_or_default();
    line.chars().filter(|character| !character.is_ascii_digit()).collect()
}
