//! The Debian packages that building and testing need.

use std::fs;
use std::io::{IsTerminal as _, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail, ensure};

use crate::step::Steps;

/// A Debian package and what it is for.
#[derive(Clone, Copy)]
struct Package {
    name: &'static str,
    purpose: &'static str,
}

const fn package(name: &'static str, purpose: &'static str) -> Package {
    Package { name, purpose }
}

/// What building for Windows needs, and running what was built.
const PACKAGES: &[Package] = &[
    package("rustc-web", "a Rust compiler that comes with its library's source"),
    package("cargo-web", "the cargo that belongs to it"),
    package("rust-web-src", "the source of Rust's library, which is built for Windows from it"),
    package("rust-web-clippy", "clippy for the driver"),
    package("clang-19", "compiles the C of the kit"),
    package("libclang-19-dev", "reads the kernel's headers for bindgen"),
    package("lld-19", "links the driver"),
    package("llvm-19", "makes import libraries"),
    package("mingw-w64-x86-64-dev", "Windows headers and import libraries"),
    package("gcc-mingw-w64-x86-64-win32", "links Windows programs, and compiles the version resource"),
    package("wine", "runs Windows programs, and the driver in its kernel host"),
    package("wine64", "the 64-bit part of it"),
    package("valgrind", "counts the driver's instructions in the benchmark"),
    package("g++", "compiles the fuzzer's runtime"),
    package("git", "tells whether a build has changed the work tree"),
];

/// Installs those of the packages that are missing, and says so before it does.
///
/// # Errors
/// Packages are missing and this is neither Debian, nor run by root, nor does sudo let us; or apt-get fails.
pub(crate) fn install_packages(root: &Path) -> anyhow::Result<()> {
    let missing: Vec<Package> = PACKAGES.iter().copied().filter(|package| !is_installed(package.name)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    println!("These Debian packages are missing and will be installed now:");
    for Package { name, purpose } in &missing {
        println!("    {name:28} {purpose}");
    }
    std::io::stdout().flush().context("cannot write to the terminal")?;

    let names: Vec<&str> = missing.iter().map(|package| package.name).collect();
    let by_hand = format!("apt-get update && apt-get install --no-install-recommends {}", names.join(" "));
    ensure!(
        fs::exists("/usr/bin/apt-get")?,
        "this is not Debian, so the packages cannot be installed; install their like by hand: {}",
        names.join(" ")
    );
    let prefix = privilege().with_context(|| format!("run this as root, then try again:\n    {by_hand}"))?;
    let mut install = vec!["install", "--yes", "--no-install-recommends"];
    install.extend(names);
    Steps::new(root, "setup")?.run("Install the Debian packages", |log| {
        log.run(&mut apt_get(prefix, &["update"]))?;
        log.run(&mut apt_get(prefix, &install))
    })
}

fn is_installed(package: &str) -> bool {
    Command::new("dpkg-query")
        .args(["--show", "--showformat=${db:Status-Abbrev}", package])
        .stderr(Stdio::null())
        .output()
        .is_ok_and(|output| output.stdout.starts_with(b"ii"))
}

/// What a command must be preceded by to run as root.
fn privilege() -> anyhow::Result<&'static [&'static str]> {
    let user = Command::new("id").arg("-u").output().context("cannot run `id`")?;
    if user.stdout.trim_ascii() == b"0" {
        return Ok(&[]);
    }
    let mut sudo = Command::new("sudo");
    sudo.arg("--validate");
    if !std::io::stdin().is_terminal() {
        // It could not ask for a password; so it says instead that it would.
        sudo.arg("--non-interactive").stderr(Stdio::null());
    }
    if sudo.status().is_ok_and(|status| status.success()) {
        return Ok(&["sudo", "--non-interactive"]);
    }
    bail!("only root may install packages, and sudo is not there or does not let this user");
}

/// The command that runs apt-get without asking anything.
fn apt_get(prefix: &[&str], arguments: &[&str]) -> Command {
    let words = [prefix, &["env", "DEBIAN_FRONTEND=noninteractive", "apt-get"], arguments].concat();
    let mut words = words.into_iter();
    let mut command = Command::new(words.next().unwrap_or("env"));
    command.args(words);
    command
}

#[cfg(test)]
mod tests {
    use super::is_installed;

    #[test]
    fn a_package_that_does_not_exist_is_not_installed() {
        assert!(!is_installed("netio-anycast-no-such-package"));
    }
}
