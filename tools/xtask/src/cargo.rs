//! Debian's cargo, which builds for Windows.
//!
//! Its Rust comes with the source of the matching library, so that `-Zbuild-std` can build that library for targets whose
//! compiled one is nowhere to be had. A Rust from rustup is not touched and need not know these targets.

use std::{
    ffi::OsStr,
    fs,
    io::{BufRead as _, BufReader, IsTerminal as _, Read, stderr},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
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
    pub(crate) fn new(root: &Path, lane: &str, subcommand: &str) -> Self {
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
            // About wdk-alloc, on every build; it is not ours to mend.
            .args(["--config", "future-incompat-report.frequency=\"never\""])
            .arg("--target-dir")
            .arg(target_directory(root, lane));
        Self {
            command,
            rustflags: Vec::new(),
        }
    }

    /// Puts `cross/wdk-build` in the place of the published wdk-build, for this command only.
    ///
    /// That changes what Cargo.lock would say, so this build gets a copy of it: the committed one stays true for Windows,
    /// and both agree on every other crate.
    ///
    /// # Errors
    /// The lock file cannot be copied.
    pub(crate) fn with_wdk_build_port(mut self, root: &Path, lane: &str) -> anyhow::Result<Self> {
        // Not in the target directory itself: wdk-build takes the first Cargo.lock above OUT_DIR for the workspace's.
        let lock = root.join("target/locks").join(lane).join("Cargo.lock");
        seed_lock(&root.join("Cargo.lock"), &lock)?;
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

    /// Runs the command, its output being this program's.
    ///
    /// # Errors
    /// It cannot be started, or fails.
    pub(crate) fn run(self) -> anyhow::Result<()> {
        self.finish(|_| Ok(()))
    }

    /// Runs the command, and returns what it built.
    ///
    /// # Errors
    /// It cannot be started, or fails.
    pub(crate) fn artifacts(mut self) -> anyhow::Result<Vec<Artifact>> {
        self.command
            .arg("--message-format=json-render-diagnostics")
            .stdout(Stdio::piped());
        self.finish(|child| {
            let messages = BufReader::new(child.stdout.take().context("cargo's output is piped")?);
            let mut artifacts = Vec::new();
            for message in Message::parse_stream(messages) {
                if let Message::CompilerArtifact(artifact) = message.context("cannot read cargo's messages")? {
                    artifacts.push(artifact);
                }
            }
            Ok(artifacts)
        })
    }

    /// Starts the command, lets `read` have its output, and waits for its end.
    fn finish<T>(mut self, read: impl FnOnce(&mut Child) -> anyhow::Result<T>) -> anyhow::Result<T> {
        let color = if stderr().is_terminal() { "always" } else { "never" };
        self.command
            // With cargo's separator, so that a flag may contain spaces.
            .env("CARGO_ENCODED_RUSTFLAGS", self.rustflags.join("\u{1f}"))
            .env("CARGO_TERM_COLOR", color)
            .stderr(Stdio::piped());
        let mut child = self
            .command
            .spawn()
            .with_context(|| format!("cannot run {:?}", self.command))?;
        let errors = child.stderr.take().context("cargo's errors are piped")?;
        let forwarder = thread::spawn(move || forward(errors));
        let result = read(&mut child);
        let status = child.wait().context("cannot wait for cargo")?;
        forwarder.join().expect("forwarding does not panic");
        ensure!(status.success(), "cargo failed ({status}); the command was:\n{:?}", self.command);
        result
    }
}

/// Writes what cargo says to this program's standard error, but for one warning.
///
/// With -Zbuild-std cargo resolves the dependencies of Rust's library too and finds that wdk-build is none of them.
fn forward(errors: impl Read) {
    let mut in_warning = false;
    for line in BufReader::new(errors).lines().map_while(Result::ok) {
        in_warning = if in_warning {
            line.starts_with("      ") || line.contains("help") && line.contains("Check that the patched package version")
        } else {
            line.contains("patch `wdk-build") && line.contains("was not used in the crate graph")
        };
        if !in_warning {
            eprintln!("{line}");
        }
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
