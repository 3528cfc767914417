//! Requests that nobody thought of, to the image itself: whatever comes, no rule is broken, no lease is without its address, every
//! request is counted, and nothing is left when everybody has gone.
//!
//! What is sent is a [sequence](sequence::Sequence) of steps. New sequences are made of those that are known, and kept if they
//! reach a basic block of the driver that none has reached, or an answer that none was given. The folder `corpus` has those that
//! together reach all that was ever reached; `cargo xtask fuzz-image` looks for more, for as long as one likes. The folder
//! `regressions` has those by which something was found. Every test run replays both.
//!
//! `KERNEL_SIM_IRPS` asks for more requests than a test run has time for, `KERNEL_SIM_SEED` for others, and
//! `KERNEL_SIM_REPLAY=FILE` with the test `fuzzing::a_sequence_from_a_file` for those of a file.

mod at_length;
mod batch;
mod choice;
mod control;
mod corpus;
mod ending;
mod execution;
mod facts;
mod fuzzer;
mod judgement;
mod network;
mod other_driver;
mod request;
mod sequence;
mod shrinking;
mod step;

use std::collections::BTreeSet;
use std::path::Path;

use netio_anycast_protocol::operation::OPERATIONS;

use self::corpus::{corpus_folder, read, regressions_folder};
use self::ending::execute;
use self::facts::Record;
use self::fuzzer::{Finding, Fuzzer, Guidance};
use self::sequence::Sequence;
use self::step::Step;
use crate::bench::image;

/// The requests of a test run.
const IRPS: u64 = 20_000;

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name} is no number: {text}")))
}

/// Keeps a sequence by which something was found, and ends the test with it.
fn fail(finding: &Finding) -> ! {
    let Finding { sequence, wrong } = finding;
    let wrong = wrong.join("\n");
    let path = corpus::write(&regressions_folder(), sequence, &wrong);
    panic!(
        "the driver did what it must not:\n{wrong}\nafter these steps, which {} has (commit it when the driver is mended; every test run \
         replays it):\n{sequence}",
        path.display()
    );
}

fn sequences(folder: &Path) -> Vec<(std::path::PathBuf, Sequence)> {
    read(folder).unwrap_or_else(|error| {
        panic!("{error}\nA sequence says what the contract does not know any more. Mend the line, or delete it.")
    })
}

/// Fuzzes with so many requests from the corpus on.
fn fuzz(irps: u64, seed: u64) -> Result<(), Finding> {
    let image = image();
    let mut fuzzer = Fuzzer::new(&image, seed, Guidance::Whole);
    let mut record = Record::new(seed);
    for (_, sequence) in sequences(&corpus_folder()) {
        fuzzer.replay(&sequence)?;
        record.note(&fuzzer);
    }
    while fuzzer.irps() < irps {
        let result = fuzzer.round();
        record.note(&fuzzer);
        if result.is_err() {
            record.write(&fuzzer);
            return result;
        }
    }
    record.write(&fuzzer);
    Ok(())
}

#[test]
fn no_sequence_of_requests_breaks_a_rule() {
    if let Err(finding) = fuzz(setting("KERNEL_SIM_IRPS", IRPS), setting("KERNEL_SIM_SEED", 1)) {
        fail(&finding);
    }
}

#[test]
fn what_was_found_once_is_found_no_more() {
    let image = image();
    for (path, sequence) in sequences(&regressions_folder()) {
        let wrong = execute(&image, &sequence, None).wrong;
        assert!(wrong.is_empty(), "{}:\n{}", path.display(), wrong.join("\n"));
    }
}

#[test]
fn the_corpus_has_every_operation() {
    let mut asked = BTreeSet::new();
    for (_, sequence) in sequences(&corpus_folder()) {
        for step in &sequence.steps {
            if let Step::Send { request, .. } = step {
                asked.extend(request.operation().map(|operation| operation.definition().name));
            }
        }
    }
    let missing: Vec<_> = OPERATIONS.iter().map(|it| it.name).filter(|name| !asked.contains(name)).collect();
    assert!(
        missing.is_empty(),
        "no sequence sends {missing:?}: give fuzzing/request.rs the operation, then cargo xtask fuzz-image"
    );
}

#[test]
#[ignore = "replays the file that KERNEL_SIM_REPLAY names"]
fn a_sequence_from_a_file() {
    let path = std::env::var_os("KERNEL_SIM_REPLAY").expect("KERNEL_SIM_REPLAY names the file");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", Path::new(&path).display()));
    let sequence = Sequence::parse(&text).unwrap_or_else(|error| panic!("{}: {error}", Path::new(&path).display()));
    let judgement = execute(&image(), &sequence, None);
    for ((operation, status), times) in &judgement.outcomes {
        println!("{times} {operation}: {status}");
    }
    assert!(judgement.wrong.is_empty(), "{}", judgement.wrong.join("\n"));
}
