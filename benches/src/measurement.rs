//! Measuring one case with every subject: instructions once, since they do not vary, and time often.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use anyhow::Result;

use crate::callgrind::{self, Cost};
use crate::subject::{Images, Prepared, Subject};
use crate::workload::Case;

/// How often time is taken: an odd number has a median.
pub(crate) const REPETITIONS: usize = 11;

/// What was measured of one subject, per operation.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Measured {
    pub(crate) cost: Cost,
    /// The median, in nanoseconds, the simulator's own time included.
    pub(crate) nanoseconds: f64,
}

/// What was measured of one case.
#[derive(Debug)]
pub(crate) struct Figures {
    pub(crate) case: Case,
    pub(crate) measured: BTreeMap<Subject, Measured>,
    /// The driver's instructions by offset in its image, for all rounds.
    pub(crate) offsets: BTreeMap<usize, u64>,
}

impl Figures {
    /// The instructions of one operation; zero if the subject was not measured with it.
    pub(crate) fn instructions(&self, subject: Subject) -> f64 {
        self.of(subject).cost.instructions
    }

    pub(crate) fn of(&self, subject: Subject) -> Measured {
        self.measured.get(&subject).copied().unwrap_or_default()
    }

    /// What sorting alone takes of GET_TABLE.
    pub(crate) fn sorting(&self) -> f64 {
        self.instructions(Subject::CopyAndSort) - self.instructions(Subject::Copy)
    }
}

/// Measures a case. Callgrind's output goes to `directory`.
///
/// # Errors
/// A subject can't be run, or not in callgrind.
pub(crate) fn measure(case: Case, images: &Images, directory: &Path) -> Result<Figures> {
    let subjects = Subject::of(case.operation);
    let mut times: BTreeMap<Subject, Vec<f64>> = BTreeMap::new();
    // In turns, so that whatever else the machine does meets all of them.
    for _ in 0..REPETITIONS {
        for subject in subjects {
            times.entry(*subject).or_default().push(time(*subject, case, images)?);
        }
    }
    let (mut measured, mut driver_offsets) = (BTreeMap::new(), BTreeMap::new());
    for (subject, mut nanoseconds) in times {
        nanoseconds.sort_by(f64::total_cmp);
        let (cost, offsets) = callgrind::count(subject, case, images.of(subject), directory)?;
        if subject == Subject::Driver {
            driver_offsets = offsets;
        }
        measured.insert(subject, Measured { cost, nanoseconds: nanoseconds[REPETITIONS / 2] });
    }
    Ok(Figures { case, measured, offsets: driver_offsets })
}

/// Nanoseconds per operation.
fn time(subject: Subject, case: Case, images: &Images) -> Result<f64> {
    let mut prepared = Prepared::new(subject, case, images.of(subject))?;
    let start = Instant::now();
    let failures = prepared.measured_rounds();
    let elapsed = start.elapsed();
    prepared.finish(&failures)?;
    Ok(elapsed.as_secs_f64() * 1e9 / f64::from(case.operations()))
}
