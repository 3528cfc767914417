//! Debian's cargo, which builds for Windows.
//!
//! Its Rust comes with the source of the matching library, so that `-Zbuild-std` can build that library for targets whose
//! compiled one is nowhere to be had. A Rust from rustup is not touched and need not know these targets.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context as _, ensure};
use cargo_metadata::{Artifact, Message};

/// The Windows target of what runs in the kernel.
pub(crate) const KERNEL_TARGET: &str = "x86_64-pc-windows-msvc";
/// The Windows target of programs.
pub(crate) const PROGRAM_TARGET: &str = "x86_64-pc-windows-gnu";

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
    ///
    /// # Errors
    /// The lock file cannot be copied.
    pub(crate) fn new(root: &Path, lane: &str, subcommand: &str) -> anyhow::Result<Self> {
        let mut command = Command::new("/usr/bin/cargo");
        for (name, _) in std::env::vars_os() {
            // What the cargo that runs this program has set is meant for the crates that it builds, not for another cargo.
            let is_cargos = name.to_str().is_some_and(|name| {
                (name.starts_with("CARGO") && name != "CARGO_HOME") || name.starts_with("RUST") || name == "LD_LIBRARY_PATH"
            });
            if is_cargos {
                command.env_remove(name);
            }
        }
        command
            .current_dir(root)
            .env("PATH", "/usr/bin:/bin")
            .env("RUSTC", "/usr/bin/rustc")
            // The unstable options of this stable toolchain: -Zbuild-std and -Zlockfile-path.
            .env("RUSTC_BOOTSTRAP", "1")
            .arg(subcommand)
            .arg("--target-dir")
            .arg(target_directory(root, lane));
        Ok(Self {
            command,
            rustflags: Vec::new(),
        })
    }

    /// Puts `cross/wdk-build` in the place of the published wdk-build, for this command only.
    ///
    /// That changes what Cargo.lock would say, so this build gets a copy of it: the committed one stays true for Windows,
    /// and both agree on every other crate.
    pub(crate) fn with_wdk_build_port(mut self, root: &Path, lane: &str) -> anyhow::Result<Self> {
        // Not in the target directory itself: wdk-build takes the first Cargo.lock above OUT_DIR for the workspace's.
        let lock = root.join("target/locks").join(lane).join("Cargo.lock");
        let directory = lock.parent().context("a path with a directory")?;
        fs::create_dir_all(directory).with_context(|| format!("cannot create {}", directory.display()))?;
        fs::copy(root.join("Cargo.lock"), &lock).with_context(|| format!("cannot copy Cargo.lock to {}", lock.display()))?;
        self.command
            .arg("--config")
            .arg("patch.crates-io.wdk-build.path=\"cross/wdk-build\"")
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
        // cargo's separator, so that a flag may contain spaces.
        self.command.env("CARGO_ENCODED_RUSTFLAGS", self.rustflags.join("\u{1f}"));
        self.command
    }

    /// Runs the command, its output being this program's.
    ///
    /// # Errors
    /// It cannot be started, or fails.
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let mut command = self.finish();
        let status = command.status().with_context(|| format!("cannot run {command:?}"))?;
        ensure!(status.success(), "cargo failed ({status}); the command was:\n{command:?}");
        Ok(())
    }

    /// Runs the command, and returns what it built.
    ///
    /// # Errors
    /// It cannot be started, or fails.
    pub(crate) fn artifacts(mut self) -> anyhow::Result<Vec<Artifact>> {
        self.command.arg("--message-format=json-render-diagnostics");
        let mut command = self.finish();
        command.stdout(Stdio::piped()).stderr(Stdio::inherit());
        let output = command.output().with_context(|| format!("cannot run {command:?}"))?;
        ensure!(
            output.status.success(),
            "cargo failed ({}); the command was:\n{command:?}",
            output.status
        );
        let mut artifacts = Vec::new();
        for message in Message::parse_stream(output.stdout.as_slice()) {
            if let Message::CompilerArtifact(artifact) = message.context("cannot read cargo's messages")? {
                artifacts.push(artifact);
            }
        }
        Ok(artifacts)
    }
}

/// The target directory of `lane`: inside the workspace, because wdk-build finds the workspace from there.
fn target_directory(root: &Path, lane: &str) -> PathBuf {
    root.join("target/cross").join(lane)
}
