//! The fuzzer of the request decoder and the engine.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::host::cargo;
use crate::step::Log;

/// The version of cargo-fuzz that is installed.
const CARGO_FUZZ: &str = "0.13.2";

/// Installs cargo-fuzz below `target/tools`, unless it is there.
///
/// # Errors
/// It can't be built.
pub(crate) fn install(root: &Path, log: &Log) -> Result<()> {
    let tools = root.join("target/tools");
    if tools.join("bin/cargo-fuzz").exists() {
        return log.append("cargo-fuzz is installed\n");
    }
    let mut command = cargo(root);
    command.args(["install", "cargo-fuzz", "--version", CARGO_FUZZ, "--locked", "--root"]).arg(&tools);
    // Not among the project's own artifacts: the tool is built once.
    log.run(command.arg("--target-dir").arg(tools.join("build")))
}

/// Fuzzes for so long, starting from the committed seeds. What the fuzzer learns stays in `target/fuzz-corpus`.
///
/// # Errors
/// It finds something; the log has the input.
pub(crate) fn run(root: &Path, time: Duration, log: &Log) -> Result<()> {
    let corpus = root.join("target/fuzz-corpus");
    fs::create_dir_all(&corpus).with_context(|| format!("cannot create {}", corpus.display()))?;
    let mut command = cargo(root);
    command
        .args(["fuzz", "run", "--features", "libfuzzer", "decode"])
        .arg(corpus)
        .arg("fuzz/corpus/decode")
        .args(["--", &format!("-max_total_time={}", time.as_secs())])
        .env("PATH", path_with(&root.join("target/tools/bin")))
        // The sanitizer's flags are unstable options of a stable compiler.
        .env("RUSTC_BOOTSTRAP", "1")
        // With the workspace's fat LTO the fuzzer's binary does not link.
        .env("CARGO_PROFILE_RELEASE_LTO", "false");
    log.run(&mut command)
}

/// The search path with `directory` in front.
fn path_with(directory: &Path) -> std::ffi::OsString {
    let mut path = directory.as_os_str().to_owned();
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap_or_default());
    path
}
