//! The benchmark of the driver: `benches/`, over the image that was just built.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use crate::host::cargo;
use crate::lane;
use crate::step::{Log, Steps};

/// Where the results go.
const RESULTS: &str = "docs/benchmarks.md";

/// Builds the driver and the benchmark, runs it, and writes its results to [`RESULTS`].
///
/// # Errors
/// Something can't be built or measured. A goal that is missed is no error: the page tells.
pub(crate) fn run(root: &Path) -> Result<()> {
    let mut steps = Steps::new(root, "bench")?;
    let image = lane::build_driver(root, &mut steps)?;
    let report = steps.run("Measure instructions and time", |log| {
        measure(root, &image, |command| command.args(["--write", RESULTS]), log)
    })?;
    println!("\n{}", String::from_utf8_lossy(&report));
    Ok(())
}

/// Runs the benchmark, and returns what it wrote. `prepare` completes the command.
///
/// # Errors
/// Something can't be built or measured.
pub(crate) fn measure(
    root: &Path,
    image: &Path,
    prepare: impl FnOnce(&mut Command) -> &mut Command,
    log: &Log,
) -> Result<Vec<u8>> {
    let mut command = cargo(root);
    command
        .args(["run", "--release", "--package", "netio-anycast-benches", "--", "all", "--image"])
        .arg(image)
        // The benchmark's own link-time optimisation would take minutes and measure the same drivers.
        .env("CARGO_PROFILE_RELEASE_LTO", "false");
    log.output(prepare(&mut command))
}
