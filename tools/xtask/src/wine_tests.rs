//! The tests in Wine's kernel: of the driver, of the kernel extension that it runs on, and of what uses both.

use std::path::Path;
use std::time::Duration;

use anyhow::{Result, ensure};
use clap::Args;

use crate::lane::{self, Lane};
use crate::step::{self, Log, Steps};
use crate::wine::KernelHost;
use crate::{agreement, cross, samples, test_drivers};

/// How long the tests may take.
const LIMIT: Duration = Duration::from_mins(10);

/// The test that is run without the kernel extension.
const WITHOUT_EXTENSION: &str = "wine_alone::checks_of_what_the_extension_implements_fail_without_it";

/// What `cargo xtask wine` runs.
#[derive(Args, Clone)]
pub(crate) struct Selection {
    /// Run only the tests whose name contains this
    filter: Option<String>,
}

/// Builds the driver, and does [`check`], or runs only the tests that are selected.
///
/// # Errors
/// Something can't be built or started, or a check fails.
pub(crate) fn run(root: &Path, selection: &Selection) -> Result<()> {
    let mut steps = Steps::new(root, "wine-tests")?;
    let image = lane::build_driver(root, &mut steps)?;
    let Some(filter) = &selection.filter else { return check(root, &image, &mut steps) };
    if filter.starts_with("wine_alone") {
        let result =
            steps.run("Without the kernel extension its checks fail", |log| check_without_extension(root, log));
        println!("{}", steps.last_log()?);
        return result;
    }
    let mut lane = start(root, &image, &mut steps)?;
    let result =
        steps.run(&format!("Tests whose name contains {filter:?}"), |log| lane.run_selected(filter, false, LIMIT, log));
    println!("{}", steps.last_log()?);
    result?;
    end(lane, &mut steps)
}

/// Runs every test in Wine.
///
/// # Errors
/// Something can't be built or started, or a check fails.
pub(crate) fn check(root: &Path, image: &Path, steps: &mut Steps) -> Result<()> {
    let mut lane = start(root, image, steps)?;
    steps.run("Tests of the driver in Wine's kernel", |log| lane.run_tests(LIMIT, log))?;
    steps.run("The simulated kernel and Wine's agree", |log| agreement::check(root, image, &mut lane, log))?;
    samples::check(root, &mut lane, steps)?;
    end(lane, steps)?;
    steps.run("Without the kernel extension its checks fail", |log| check_without_extension(root, log))
}

/// Starts Wine's kernel with the driver and the drivers of the tests.
///
/// # Errors
/// Something can't be built, installed or started.
pub(crate) fn start(root: &Path, image: &Path, steps: &mut Steps) -> Result<Lane> {
    let drivers = steps.run("Build the drivers of the tests", |log| test_drivers::build(root, log))?;
    let mut lane = Lane::prepare(root, image, steps)?;
    steps.run("Install and start the driver in Wine's kernel", |log| lane.start_driver(log))?;
    steps.run("Install and start the drivers of the tests beside it", |_| {
        lane.host.check_extension_is_used(&drivers)?;
        lane.start_others(drivers)
    })?;
    Ok(lane)
}

/// Runs the probe on Wine's own kernel, which fails its checks: in a kernel of its own, since many of them end their kernel host.
fn check_without_extension(root: &Path, log: &Log) -> Result<()> {
    let drivers = test_drivers::build(root, log)?;
    let tests = cross::build_programs(root, log)?.wine_tests;
    let logs = step::empty_log_directory(root, "wine-alone")?;
    let mut host = KernelHost::start(root, cross::build_wine_modules(root, log)?, &logs)?;
    for driver in &drivers {
        host.deploy_unchanged(driver)?;
    }
    let finished = host.run(&tests, &["--exact", WITHOUT_EXTENSION, "--ignored", "--nocapture"], LIMIT)?;
    log.append(&finished.output)?;
    log.append(&finished.errors)?;
    ensure!(finished.code == 0, "Wine's kernel does not fail as it did (exit code {})", finished.code);
    Ok(())
}

/// Stops and uninstalls everything.
///
/// # Errors
/// Something can't be stopped or uninstalled.
pub(crate) fn end(mut lane: Lane, steps: &mut Steps) -> Result<()> {
    steps.run("Stop and uninstall the drivers of the tests", |_| lane.end_others())?;
    steps.run("Stop and uninstall the driver", |log| lane.end(log))
}
