//! Holds the Linux port of wdk-build to the original: both answer the same questions about the same WDK tree.
//!
//! `cross/wdk-build-parity` prints the answers. It is built with the port for Linux, and with the published crate for Windows
//! to be run in Wine. What differs for no other reason than that one sees the tree as a Windows program is made alike first.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};
use cargo_metadata::MetadataCommand;
use similar::TextDiff;

use crate::cross::{self, ParityPrograms};
use crate::step::Log;
use crate::wine;

/// The directive that has cargo run a build script again when a file changes.
const RERUN: &str = "cargo:rerun-if-changed=";

/// Builds both programs, runs them, and compares what they print.
///
/// # Errors
/// Something can't be built or run, or the answers differ.
pub(crate) fn check(root: &Path, log: &Log) -> Result<()> {
    let programs = cross::build_parity_programs(root, log)?;
    let run = Run::new(root, programs)?;
    let port = run.port(log)?;
    let original = run.original(root)?;
    log.append(&format!("The port's answers:\n{port}\nThe original's answers:\n{original}\n"))?;
    compare(&port, &original)
}

/// Both programs and what they need to run.
struct Run {
    programs: ParityPrograms,
    kit: PathBuf,
    /// Stands for a build script's `OUT_DIR`, from which wdk-build looks for the workspace.
    directory: PathBuf,
}

impl Run {
    fn new(root: &Path, programs: ParityPrograms) -> Result<Self> {
        let directory = root.join("target/cross/parity");
        fs::create_dir_all(&directory).with_context(|| format!("cannot create {}", directory.display()))?;
        Ok(Self { programs, kit: cross::arrange_wdk_tree(root)?, directory })
    }

    /// What the port answers.
    fn port(&self, log: &Log) -> Result<String> {
        let mut command = Command::new(&self.programs.port);
        command.env("OUT_DIR", &self.directory).env("WDKContentRoot", &self.kit).env("CARGO", "/usr/bin/cargo");
        let output = log.output(build_script_environment(&mut command))?;
        String::from_utf8(output).context("the port's answers are no text")
    }

    /// What the original answers.
    fn original(&self, root: &Path) -> Result<String> {
        // There is no cargo in Wine: the program stands in for it, with what the host's says here.
        let recorded = self.directory.join("metadata.json");
        let mut cargo = MetadataCommand::new().cargo_path("/usr/bin/cargo").current_dir(root).cargo_command();
        let metadata = cargo.env("RUSTC", "/usr/bin/rustc").output().context("cannot run cargo metadata")?;
        ensure!(metadata.status.success(), "cargo metadata failed: {}", String::from_utf8_lossy(&metadata.stderr));
        fs::write(&recorded, metadata.stdout).with_context(|| format!("cannot write {}", recorded.display()))?;

        let program = &self.programs.original;
        wine::run_program(root, program, &self.directory, |command| {
            command
                .env("OUT_DIR", windows_path(&self.directory))
                .env("WDKContentRoot", windows_path(&self.kit))
                .env("CARGO", windows_path(program))
                .env("PARITY_METADATA", windows_path(&recorded));
            build_script_environment(command);
        })
    }
}

/// What cargo tells a build script of the driver.
fn build_script_environment(command: &mut Command) -> &mut Command {
    command
        .env("CARGO_CFG_TARGET_ARCH", "x86_64")
        .env("CARGO_CFG_TARGET_FEATURE", "cmpxchg16b,crt-static,fxsr,sse,sse2,sse3")
}

/// The path as Windows programs see it in Wine.
fn windows_path(path: &Path) -> String {
    format!("Z:{}", path.display()).replace('/', "\\")
}

/// Compares what the port printed with what the original did.
///
/// # Errors
/// They differ; the error shows where.
fn compare(port: &str, original: &str) -> Result<()> {
    let (port, original) = (normalised(port), normalised(original));
    // Two empty answers would be alike too.
    ensure!(original.contains("cargo::rustc-link-search="), "the original did not answer to the end:\n{original}");
    if port == original {
        return Ok(());
    }
    let diff = TextDiff::from_lines(original.as_str(), port.as_str());
    bail!(
        "cross/wdk-build does not answer as the published wdk-build does (-: the original, +: the port):\n{}",
        diff.unified_diff().context_radius(2)
    )
}

/// The answers with Windows' view of the tree undone, and the manifests, which the original lists in random order, sorted.
fn normalised(answers: &str) -> String {
    let lines = answers.lines().map(|line| match line.split_once(r"Z:\") {
        Some((before, path)) => format!("{before}/{}", path.replace('\\', "/")),
        None => line.to_owned(),
    });
    let (manifests, others): (Vec<_>, Vec<_>) = lines.partition(|line| line.starts_with(RERUN));
    let manifests: BTreeSet<_> = manifests.into_iter().collect();
    manifests.into_iter().chain(others).map(|line| line + "\n").collect()
}

#[cfg(test)]
mod tests {
    use cargo_metadata::{MetadataCommand, Package};

    use super::compare;

    const PORT: &str = "cargo:rerun-if-changed=/w/Cargo.toml\ncargo:rerun-if-changed=/w/a/Cargo.toml\n\
        definition: _WIN64=None\ninclude: /w/target/cross/wdk/Include/10.0.17763.0/km/crt\n\
        cargo::rustc-link-search=/w/target/cross/wdk/Lib/10.0.17763.0/km/x64\n";
    const ORIGINAL: &str = "cargo:rerun-if-changed=/w/a/Cargo.toml\r\ncargo:rerun-if-changed=Z:\\w\\Cargo.toml\r\n\
        definition: _WIN64=None\r\ninclude: Z:\\w\\target\\cross\\wdk\\Include\\10.0.17763.0\\km/crt\r\n\
        cargo::rustc-link-search=Z:\\w\\target\\cross\\wdk\\Lib\\10.0.17763.0\\km\\x64\r\n";

    #[test]
    fn answers_that_differ_only_as_windows_does_are_the_same() {
        compare(PORT, ORIGINAL).expect("the same");
    }

    #[test]
    fn a_wrong_a_missing_an_additional_and_a_misplaced_answer_of_the_port_are_found() {
        let lines: Vec<&str> = PORT.lines().collect();
        let wrong = PORT.replace("_WIN64", "_WIN32");
        let missing = PORT.replace("definition: _WIN64=None\n", "");
        let additional = format!("{PORT}cargo::rustc-cdylib-link-arg=/DEBUG\n");
        let misplaced = [&lines[..2], &[lines[3], lines[2], lines[4]]].concat().join("\n") + "\n";
        for (mutated, shown) in [
            (wrong, "-definition: _WIN64=None\n+definition: _WIN32=None"),
            (missing, "-definition: _WIN64=None"),
            (additional, "+cargo::rustc-cdylib-link-arg=/DEBUG"),
            (misplaced, "definition: _WIN64=None"),
        ] {
            let error = compare(&mutated, ORIGINAL).expect_err("they differ").to_string();
            assert!(error.contains(shown), "{error}");
        }
    }

    /// What wdk-build's tasks for cargo-make ask of a workspace on Windows: one package of that name, theirs.
    fn has_the_published_wdk_build_alone(packages: &[Package]) -> bool {
        let mut found = packages.iter().filter(|package| package.name == "wdk-build");
        found.next().is_some_and(|package| package.source.is_some()) && found.next().is_none()
    }

    #[test]
    fn the_workspace_has_the_published_wdk_build_alone() {
        let command = &mut MetadataCommand::new();
        let mut packages =
            command.other_options(["--locked".to_owned()]).exec().expect("the lock is complete").packages;
        assert!(has_the_published_wdk_build_alone(&packages));

        let mut port = packages.iter().find(|package| package.name == "wdk-build").expect("it is there").clone();
        port.source = None;
        packages.push(port.clone());
        assert!(!has_the_published_wdk_build_alone(&packages), "a second one is noticed");
        assert!(!has_the_published_wdk_build_alone(&[port]), "the port is not the published one");
    }

    #[test]
    fn an_original_that_did_not_answer_is_no_agreement() {
        compare("", "").expect_err("nothing was compared");
    }
}
