//! `cargo xtask judge`: any driver's image in the simulated kernel, in a process that it may ruin.

use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};

/// Builds the judge, and becomes it: its exit code is this command's.
///
/// # Errors
/// Cargo can't be started.
pub(crate) fn run(root: &Path, arguments: &[OsString]) -> Result<()> {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // In the folder of who has called: there its images are.
    command.args(["run", "--quiet", "--locked", "--manifest-path"]).arg(root.join("Cargo.toml"));
    command.args(["--package", "kernel-sim-judge", "--"]).args(arguments);
    Err(command.exec()).context("starting cargo")
}
