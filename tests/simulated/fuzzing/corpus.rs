//! The sequences that are kept: those that have reached something first, and those by which something was found.

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use kernel_sim::{Coverage, Image};
use netio_anycast_protocol::status::NtStatus;

use super::ending::execute;
use super::judgement::Judgement;
use super::sequence::Sequence;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/simulated/fuzzing");

/// The folder of the sequences that together reach all that was ever reached.
pub(super) fn corpus_folder() -> PathBuf {
    Path::new(FOLDER).join("corpus")
}

/// The folder of the sequences by which something was found.
pub(super) fn regressions_folder() -> PathBuf {
    Path::new(FOLDER).join("regressions")
}

/// The sequences in a folder, by their paths; none if there is no such folder: as long as nothing was found, there are no regressions.
///
/// # Errors
/// One can't be read; the error names it and the line.
pub(super) fn read(folder: &Path) -> Result<Vec<(PathBuf, Sequence)>, String> {
    let named = |path: &Path, error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(|error| named(folder, &error))?,
    };
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()
        .map_err(|error| named(folder, &error))?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "jsonl"));
    paths.sort();
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).map_err(|error| named(&path, &error))?;
        let sequence = Sequence::parse(&text).map_err(|error| named(&path, &error))?;
        Ok((path, sequence))
    };
    paths.into_iter().map(read).collect()
}

/// Writes a sequence to a folder, under a name that its text gives, and returns the path. `remarks` are put in front.
///
/// # Panics
/// If it can't be written: what was found must not be lost.
pub(super) fn write(folder: &Path, sequence: &Sequence, remarks: &str) -> PathBuf {
    let text = sequence.to_string();
    let path = folder.join(format!("{:016x}.jsonl", fnv(text.as_bytes())));
    let remarks: String = remarks.lines().flat_map(|line| ["# ", line, "\n"]).collect();
    let written = fs::create_dir_all(folder).and_then(|()| fs::write(&path, remarks + &text));
    written.unwrap_or_else(|error| panic!("cannot write {}: {error}\n{text}", path.display()));
    path
}

/// FNV-1a: a name must be the same whatever Rust's own hash is made of.
fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xCBF2_9CE4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01B3))
}

/// What a sequence is kept for: basic blocks, by their offsets, and answers, by operation and status.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Reach {
    pub(super) blocks: BTreeSet<usize>,
    pub(super) answers: BTreeSet<(String, NtStatus)>,
}

impl Reach {
    /// What a sequence reaches that runs in a kernel in which nothing was reached before, and its judgement.
    fn of(image: &Image, sequence: &Sequence, coverage: &Coverage) -> Self {
        let coverage = coverage.afresh();
        let judgement = execute(image, sequence, Some(&coverage));
        Self { blocks: reached(&coverage), answers: answers(&judgement) }
    }

    fn is_in(&self, other: &Self) -> bool {
        self.blocks.is_subset(&other.blocks) && self.answers.is_subset(&other.answers)
    }

    fn add(&mut self, other: Self) {
        self.blocks.extend(other.blocks);
        self.answers.extend(other.answers);
    }
}

/// The blocks that have run.
pub(super) fn reached(coverage: &Coverage) -> BTreeSet<usize> {
    coverage.blocks().filter(|(_, has_run)| *has_run).map(|(offset, _)| offset).collect()
}

/// How requests were answered.
pub(super) fn answers(judgement: &Judgement) -> BTreeSet<(String, NtStatus)> {
    judgement.outcomes.keys().cloned().collect()
}

/// The fewest of the sequences, about, that reach all that they reach together.
pub(super) fn minimised(image: &Image, mut sequences: Vec<Sequence>, coverage: &Coverage) -> Vec<Sequence> {
    // Short ones first: a long one is kept for what they don't reach.
    sequences.sort_by_key(|sequence| sequence.steps.len());
    let mut reached = Reach::default();
    let mut kept = Vec::new();
    for sequence in sequences {
        let reach = Reach::of(image, &sequence, coverage);
        if !reach.is_in(&reached) {
            reached.add(reach.clone());
            kept.push((sequence, reach));
        }
    }
    // A later one may reach what an earlier one was kept for.
    let mut needed: Vec<(Sequence, Reach)> = Vec::new();
    let mut reached = Reach::default();
    for (sequence, reach) in kept.into_iter().rev() {
        if !reach.is_in(&reached) {
            reached.add(reach.clone());
            needed.push((sequence, reach));
        }
    }
    needed.into_iter().map(|(sequence, _)| sequence).collect()
}
