//! `cargo xtask verify`: the image in the simulated kernel, for as long as one likes, with a report to read.

use std::path::Path;

use anyhow::{Context as _, Result, bail};
use clap::Args;

use crate::report::{self, Part, Report};
use crate::step::Steps;
use crate::{host, lane};

/// How much is done.
#[derive(Clone, Copy, Args)]
pub(crate) struct Effort {
    /// The requests that the image is fuzzed with
    #[arg(long, value_name = "N", default_value_t = 1_000_000)]
    requests: u64,
    /// The interleavings that each test of races runs
    #[arg(long, value_name = "N", default_value_t = 2_500)]
    schedules: u64,
}

/// Runs the tests of the image and of the image in the simulated kernel, and writes `target/verification/report.html`.
///
/// # Errors
/// A test fails; the report is written all the same, and has the failure.
pub(crate) fn run(root: &Path, effort: Effort) -> Result<()> {
    let mut steps = Steps::new(root, "verify")?;
    let image = lane::build_driver(root, &mut steps)?;
    let mut parts = Vec::new();
    let mut failures = Vec::new();
    let mut judge = |name: &'static str, result: Result<()>, log: String| {
        parts.push(Part::read(name, &log));
        failures.extend(result.err());
    };

    let result = steps.run("The image itself", |log| host::test_image(root, &image, log));
    judge("The image itself", result, steps.last_log()?);
    let result = steps.run("The image in the simulated kernel", |log| {
        host::test_simulated(root, &image, effort.requests, Some(effort.schedules), log)
    });
    judge("The image in the simulated kernel", result, steps.last_log()?);

    let report =
        Report { image: &image, effort: effort.to_string(), parts: &parts, seconds: steps.elapsed().as_secs() };
    let path = report::write(root, &report).context("writing the report")?;
    for part in &parts {
        println!("{part}");
    }
    println!("The report is {}", path.display());
    match failures.into_iter().next() {
        None => Ok(()),
        Some(failure) => bail!(failure),
    }
}

impl std::fmt::Display for Effort {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} fuzzed requests, {} interleavings per race", self.requests, self.schedules)
    }
}
