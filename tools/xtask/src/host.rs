//! The checks that run on the host, with the Rust that the developer has.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use netio_anycast_tests::facts::FOLDER;

use crate::step::Log;

/// The packages that are checked and tested on the host: the workspace's default members, and those for Linux alone.
const PACKAGES: [&str; 13] = [
    "netio-anycast-client",
    "netio-anycast-engine",
    "netio-anycast-kernel-client",
    "kernel-sim",
    "kernel-sim-judge",
    "netio-model",
    "netio-anycast-protocol",
    "netio-anycast-fuzz",
    "anycastctl",
    "netio-anycast-benches",
    "netio-anycast-kit",
    "netio-anycast-test-clients",
    "xtask",
];

/// Cargo with this subcommand, for [`PACKAGES`].
fn packages(root: &Path, subcommand: &str) -> Command {
    let mut command = cargo(root);
    command.arg(subcommand).args(PACKAGES.iter().flat_map(|package| ["--package", package]));
    command
}

/// The cargo that runs this program.
pub(crate) fn cargo(root: &Path) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root);
    command
}

/// Every file is formatted as rustfmt.toml says.
///
/// # Errors
/// One is not.
pub(crate) fn check_format(root: &Path, log: &Log) -> Result<()> {
    log.run(cargo(root).args(["fmt", "--all", "--check"]))?;
    log.run(cargo(root).args(["fmt", "--manifest-path", "cross/wdk-build/Cargo.toml", "--check"]))
}

/// Clippy finds nothing in the host's crates.
///
/// # Errors
/// It does.
pub(crate) fn clippy(root: &Path, log: &Log) -> Result<()> {
    let mut command = packages(root, "clippy");
    log.run(command.args(["--package", "netio-anycast-tests", "--all-targets", "--", "-Dwarnings"]))
}

/// The documentation of the host's crates builds without a warning.
///
/// # Errors
/// It does not.
pub(crate) fn doc(root: &Path, log: &Log) -> Result<()> {
    let mut command = packages(root, "doc");
    log.run(command.args(["--no-deps", "--document-private-items"]).env("RUSTDOCFLAGS", "-Dwarnings"))
}

/// The tests of the host's crates.
///
/// # Errors
/// One fails.
pub(crate) fn test(root: &Path, log: &Log) -> Result<()> {
    log.run(&mut packages(root, "test"))
}

/// The tests of the C header: it is compiled for every processor.
///
/// # Errors
/// One fails.
pub(crate) fn test_header(root: &Path, log: &Log) -> Result<()> {
    log.run(cargo(root).args(["test", "--package", "netio-anycast-tests", "--test", "header"]))
}

/// The tests of the driver's image.
///
/// # Errors
/// One fails.
pub(crate) fn test_image(root: &Path, image: &Path, log: &Log) -> Result<()> {
    log.run(&mut driver_test(root, "image", image))
}

/// The tests of the image at work in the simulated kernel, fuzzed with so many requests, with so many interleavings in each
/// test of races if their number is given. What they find out goes to the folder `facts`.
///
/// # Errors
/// One fails.
pub(crate) fn test_simulated(
    root: &Path,
    image: &Path,
    requests: u64,
    schedules: Option<u64>,
    facts: Option<&Path>,
    log: &Log,
) -> Result<()> {
    let mut command = driver_test(root, "simulated", image);
    command.env("KERNEL_SIM_IRPS", requests.to_string());
    if let Some(schedules) = schedules {
        command.env("KERNEL_SIM_SCHEDULES", schedules.to_string());
    }
    if let Some(folder) = facts {
        command.env(FOLDER, folder);
    }
    log.run(&mut command)
}

/// The tests of the simulated kernel's own code, and of the judge that runs any driver in it.
///
/// # Errors
/// One fails.
pub(crate) fn test_simulated_kernel(root: &Path, log: &Log) -> Result<()> {
    log.run(cargo(root).args(["test", "--package", "kernel-sim", "--package", "kernel-sim-judge"]))
}

/// A test program of the package `tests` over the driver's image.
pub(crate) fn driver_test(root: &Path, test: &str, image: &Path) -> Command {
    let mut command = cargo(root);
    command.args(["test", "--package", "netio-anycast-tests", "--test", test]).env("NETIO_ANYCAST_IMAGE", image);
    command
}

/// What differs in the work tree from the last commit.
///
/// # Errors
/// Git does not answer.
pub(crate) fn work_tree(root: &Path) -> Result<String> {
    let output =
        Command::new("git").args(["status", "--porcelain"]).current_dir(root).output().context("running git")?;
    ensure!(output.status.success(), "git status ended with {}", output.status);
    String::from_utf8(output.stdout).context("reading what git says")
}

/// Nothing has changed in the work tree since [`work_tree`] said `before`: a build leaves its traces in target/ alone.
///
/// # Errors
/// Something has.
pub(crate) fn check_work_tree(root: &Path, before: &str, log: &Log) -> Result<()> {
    let after = work_tree(root)?;
    log.append(&format!("before:\n{before}after:\n{after}"))?;
    ensure!(after == before, "files in the work tree have changed");
    Ok(())
}
