//! What a run of the fuzzer writes for the report of `cargo xtask verify`.

use std::collections::BTreeMap;

use kernel_sim::{Coverage, Image};
use netio_anycast_tests::facts::{self, Function, Fuzzing, Growth, Sent};

use super::fuzzer::Fuzzer;
use crate::report;

/// The points of the curve of coverage grow in number with the logarithm of the requests: so many for each doubling.
const POINTS: f64 = 8.0;

/// Functions of which blocks are never reached, each with the reason.
const REASONS: [(&str, &str); 0] = [];

/// How a run goes on.
pub(super) struct Record {
    seed: u64,
    growth: Vec<Growth>,
}

impl Record {
    pub(super) const fn new(seed: u64) -> Self {
        Self { seed, growth: Vec::new() }
    }

    /// Adds a point to the curve, if it is time for one.
    pub(super) fn note(&mut self, fuzzer: &Fuzzer<'_>) {
        let (irps, blocks) = (fuzzer.irps(), fuzzer.coverage().covered());
        #[expect(clippy::cast_precision_loss, reason = "a chart is not exact")]
        let is_far = |last: &Growth| (irps as f64 / last.irps.max(1) as f64).log2() * POINTS >= 1.0;
        if self.growth.last().is_none_or(is_far) {
            self.growth.push(Growth { irps, blocks });
        }
    }

    /// Writes what there is to tell.
    pub(super) fn write(&mut self, fuzzer: &Fuzzer<'_>) {
        report::write_judgements();
        self.growth.push(Growth { irps: fuzzer.irps(), blocks: fuzzer.coverage().covered() });
        let sent = fuzzer.outcomes.iter().map(|((operation, status), times)| Sent {
            operation: operation.clone(),
            status: status.to_string(),
            times: *times,
        });
        let fuzzing = Fuzzing { seed: self.seed, loads: fuzzer.executions, irps: fuzzer.irps(), sent: sent.collect() };
        facts::write("image", &fuzzing);
        let coverage = facts::Coverage {
            by: "sequences of requests that nobody thought of".to_owned(),
            functions: functions(fuzzer.coverage()),
            growth: self.growth.clone(),
            corpus: fuzzer.corpus().len(),
        };
        facts::write("image", &coverage);
    }
}

/// The functions of the image in its order, with their blocks: a block that was inlined into another function counts for its own.
fn functions(coverage: &Coverage) -> Vec<Function> {
    let blocks: Vec<(usize, bool)> = coverage.blocks().collect();
    let mut functions: BTreeMap<String, Function> = BTreeMap::new();
    for ((_, has_run), name) in blocks.iter().zip(names(coverage.image(), &blocks)) {
        let reason =
            REASONS.iter().find(|(function, _)| name.starts_with(function)).map(|(_, reason)| (*reason).to_owned());
        let function = functions.entry(name.clone()).or_insert(Function { name, reason, ..Function::default() });
        function.blocks += 1;
        function.covered += usize::from(*has_run);
    }
    functions.into_values().collect()
}

/// The function of each block: the innermost of the driver's own crates, or else of any.
fn names(image: &Image, blocks: &[(usize, bool)]) -> Vec<String> {
    let offsets: Vec<usize> = blocks.iter().map(|(offset, _)| *offset).collect();
    let of = |(offset, places): (&usize, Vec<kernel_sim::Place>)| {
        let own = places.iter().find(|place| place.function.contains("netio_anycast"));
        let name = own.or(places.first()).map(|place| place.function.clone());
        name.map_or_else(|| format!("offset {offset:#x}"), |name| without_parameters(&name))
    };
    offsets.iter().zip(image.places(&offsets)).map(of).collect()
}

/// A function's name without the types of its parameters.
fn without_parameters(name: &str) -> String {
    name.split_once('(').map_or(name, |(name, _)| name).to_owned()
}
