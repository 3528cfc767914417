//! Debian's cargo, which builds for Windows.
//!
//! Its Rust comes with the source of the matching library, so that `-Zbuild-std` can build that library for targets whose
//! compiled one is nowhere to be had. A Rust from rustup is not touched and need not know these targets.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Context as _;
use cargo_metadata::{Artifact, Message};

use crate::step::Log;

/// The Windows target of what runs in the kernel.
pub(crate) const KERNEL_TARGET: &str = "x86_64-pc-windows-msvc";
/// The Windows target of programs. It differs from x86_64-pc-windows-gnu in what Rust's library imports: what Windows 7 has,
/// and so has Debian 12's Wine, which lacks bcryptprimitives.dll.
pub(crate) const PROGRAM_TARGET: &str = "x86_64-win7-windows-gnu";

/// A cargo command to be.
pub(crate) struct Cargo {
    command: Command,
    rustflags: Vec<String>,
}

impl Cargo {
    /// Debian's cargo with this subcommand, on the workspace at `root`.
    ///
    /// `lane` names a target directory of its own: builds with another library or other flags would otherwise undo each
    /// other's work.
    pub(crate) fn new(root: &Path, lane: &str, subcommand: &str) -> Self {
        // As a subcommand, cargo would look for clippy in rustup's directory first.
        let mut command = Command::new(if subcommand == "clippy" { "/usr/bin/cargo-clippy" } else { "/usr/bin/cargo" });
        for (name, _) in std::env::vars_os() {
            // What the cargo that runs this program has set is meant for the crates that it builds, not for another cargo.
            let is_cargos = name.to_str().is_some_and(|name| {
                (name.starts_with("CARGO") && name != "CARGO_HOME")
                    || name.starts_with("RUST")
                    || name == "LD_LIBRARY_PATH"
            });
            if is_cargos {
                command.env_remove(name);
            }
        }
        command
            .current_dir(root)
            .env("PATH", "/usr/bin:/bin")
            .env("CARGO", "/usr/bin/cargo")
            .env("RUSTC", "/usr/bin/rustc")
            // The unstable options of this stable toolchain: -Zbuild-std and -Zlockfile-path.
            .env("RUSTC_BOOTSTRAP", "1")
            .arg(subcommand)
            // About wdk-alloc, on every build; it is not ours to mend.
            .args(["--config", "future-incompat-report.frequency=\"never\""])
            .arg("--target-dir")
            .arg(target_directory(root, lane));
        Self { command, rustflags: Vec::new() }
    }

    /// Puts `cross/wdk-build` in the place of the published wdk-build, for this command only.
    ///
    /// That changes what Cargo.lock would say, so this build gets a copy of it: the committed one stays true for Windows,
    /// and both agree on every other crate.
    ///
    /// # Errors
    /// The lock file cannot be copied.
    pub(crate) fn with_wdk_build_port(mut self, root: &Path, lane: &str) -> anyhow::Result<Self> {
        self.command.arg("--config").arg("patch.crates-io.wdk-build.path=\"cross/wdk-build\"");
        self.with_lock_copy(root, lane)
    }

    /// Has this command use a copy of the committed lock file, and change that where it must.
    ///
    /// # Errors
    /// The lock file cannot be copied.
    pub(crate) fn with_lock_copy(mut self, root: &Path, lane: &str) -> anyhow::Result<Self> {
        // Not in the target directory itself: wdk-build takes the first Cargo.lock above OUT_DIR for the workspace's.
        let lock = root.join("target/locks").join(lane).join("Cargo.lock");
        seed_lock(&root.join("Cargo.lock"), &lock)?;
        self.command
            .arg("-Zlockfile-path")
            .arg("--config")
            .arg(format!("resolver.lockfile-path={:?}", lock.display().to_string()));
        Ok(self)
    }

    /// Builds these crates of Rust's own library for the target.
    pub(crate) fn build_std(mut self, crates: &str) -> Self {
        self.command.arg(format!("-Zbuild-std={crates}"));
        self
    }

    pub(crate) fn args<S: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = S>) -> Self {
        self.command.args(arguments);
        self
    }

    /// Sets one of cargo's configuration values, written as in .cargo/config.toml.
    pub(crate) fn config(mut self, value: &str) -> Self {
        self.command.args(["--config", value]);
        self
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Adds flags for rustc, for the target only: they take the place of those in .cargo/config.toml.
    pub(crate) fn rustflags<S: Into<String>>(mut self, flags: impl IntoIterator<Item = S>) -> Self {
        self.rustflags.extend(flags.into_iter().map(Into::into));
        self
    }

    fn finish(mut self) -> Command {
        // With cargo's separator, so that a flag may contain spaces.
        self.command.env("CARGO_ENCODED_RUSTFLAGS", self.rustflags.join("\u{1f}"));
        self.command
    }

    /// Runs the command, its output going to the log.
    ///
    /// # Errors
    /// It cannot be started, or fails.
    pub(crate) fn run(self, log: &Log) -> anyhow::Result<()> {
        log.run(&mut self.finish())
    }

    /// Runs the command, its messages going to the log, and returns what it built.
    ///
    /// # Errors
    /// It cannot be started, or fails.
    pub(crate) fn artifacts(mut self, log: &Log) -> anyhow::Result<Vec<Artifact>> {
        self.command.arg("--message-format=json-render-diagnostics");
        let output = log.output(&mut self.finish())?;
        let mut artifacts = Vec::new();
        for message in Message::parse_stream(output.as_slice()) {
            if let Message::CompilerArtifact(artifact) = message.context("cannot read cargo's messages")? {
                artifacts.push(artifact);
            }
        }
        Ok(artifacts)
    }
}

/// Copies `committed` to `lock`, unless that was made from the same one before: cargo has adapted it since, and would ask the
/// registry to adapt it again.
fn seed_lock(committed: &Path, lock: &Path) -> anyhow::Result<()> {
    let seed = lock.with_extension("seed");
    let contents = fs::read(committed).with_context(|| format!("cannot read {}", committed.display()))?;
    if lock.exists() && fs::read(&seed).is_ok_and(|present| present == contents) {
        return Ok(());
    }
    let directory = lock.parent().context("a path with a directory")?;
    fs::create_dir_all(directory).with_context(|| format!("cannot create {}", directory.display()))?;
    for copy in [lock, &seed] {
        fs::write(copy, &contents).with_context(|| format!("cannot write {}", copy.display()))?;
    }
    Ok(())
}

/// The target directory of `lane`: inside the workspace, because wdk-build finds the workspace from there.
fn target_directory(root: &Path, lane: &str) -> PathBuf {
    root.join("target/cross").join(lane)
}
