//! `cargo xtask fuzz-image`: for as long as one likes, and the corpus grows.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::corpus::{corpus_folder, minimised, read, write};
use super::fail;
use super::fuzzer::{Finding, Fuzzer, Guidance};
use crate::bench::image;

/// How often it tells how far it is.
const EVERY: Duration = Duration::from_secs(10);

/// A run, as `cargo xtask fuzz-image` asks for it.
struct Run {
    time: Duration,
    seed: u64,
    /// Where that is kept which is not in the corpus yet, so that a run may be stopped at any time.
    folder: PathBuf,
}

impl Run {
    fn asked_for() -> Self {
        let variable =
            |name: &str| std::env::var(name).unwrap_or_else(|_| panic!("cargo xtask fuzz-image sets {name}"));
        let number = |name: &str| variable(name).parse().unwrap_or_else(|_| panic!("{name} is no number"));
        Self {
            time: Duration::from_secs(number("KERNEL_SIM_SECONDS")),
            seed: number("KERNEL_SIM_SEED"),
            folder: variable("KERNEL_SIM_FOLDER").into(),
        }
    }

    fn kept(&self) -> PathBuf {
        self.folder.join("kept")
    }

    /// The sequences to begin with.
    fn replay(&self, fuzzer: &mut Fuzzer<'_>) -> Result<(), Finding> {
        let kept = read(&self.kept()).unwrap_or_default();
        for (_, sequence) in super::sequences(&corpus_folder()).into_iter().chain(kept) {
            fuzzer.replay(&sequence)?;
        }
        Ok(())
    }

    /// Makes new ones until the time is over.
    fn fuzz(&self, fuzzer: &mut Fuzzer<'_>) -> Result<(), Finding> {
        let started = Instant::now();
        let mut told = None::<Instant>;
        while started.elapsed() < self.time {
            let known = fuzzer.corpus().len();
            fuzzer.round()?;
            for sequence in &fuzzer.corpus()[known..] {
                write(&self.kept(), sequence, "");
            }
            if told.is_none_or(|told| told.elapsed() >= EVERY) {
                told = Some(Instant::now());
                println!("{} s: {}", started.elapsed().as_secs(), progress(fuzzer));
            }
        }
        println!("{} s: {}", started.elapsed().as_secs(), progress(fuzzer));
        Ok(())
    }
}

fn progress(fuzzer: &Fuzzer<'_>) -> String {
    let (covered, total) = (fuzzer.coverage().covered(), fuzzer.coverage().total());
    let (executions, irps, kept) = (fuzzer.executions, fuzzer.irps(), fuzzer.corpus().len());
    format!("{executions} sequences, {irps} requests, {covered} of {total} basic blocks, {kept} sequences kept")
}

/// Writes what is worth keeping of what the fuzzer knows to the corpus, in place of what was there.
fn renew_corpus(run: &Run, fuzzer: &Fuzzer<'_>) {
    let image = image();
    let sequences = minimised(&image, fuzzer.corpus().to_vec(), fuzzer.coverage());
    let old: Vec<PathBuf> = super::sequences(&corpus_folder()).into_iter().map(|(path, _)| path).collect();
    let new: Vec<PathBuf> = sequences.iter().map(|sequence| write(&corpus_folder(), sequence, "")).collect();
    let remove = |path: &Path| fs::remove_file(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    old.iter().filter(|path| !new.contains(path)).for_each(|path| remove(path));
    read(&run.kept()).unwrap_or_default().iter().for_each(|(path, _)| remove(path));
    println!("The corpus had {} sequences and has {} now, in {}", old.len(), new.len(), corpus_folder().display());
}

#[test]
#[ignore = "takes as long as cargo xtask fuzz-image says, and changes the corpus"]
fn for_as_long_as_one_likes() {
    let run = Run::asked_for();
    let image = image();
    let mut fuzzer = Fuzzer::new(&image, run.seed, Guidance::Shortened);
    fuzzer.running = Some(run.folder.join("running.jsonl"));
    let found = run.replay(&mut fuzzer).and_then(|()| run.fuzz(&mut fuzzer));
    if let Err(finding) = found {
        fail(&finding);
    }
    renew_corpus(&run, &fuzzer);
}
