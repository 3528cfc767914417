//! Building for Windows on Linux: the driver, programs, tests, and modules for Wine.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use cargo_metadata::{Artifact, TargetKind};

use crate::cargo::{Cargo, KERNEL_TARGET, PROGRAM_TARGET};
use crate::step::Log;
use crate::wine::Modules;

/// The packages of the modules that close the gaps of Wine's kernel.
const KERNEL_EXTENSION: &str = "wine-kernel-extension";
const NETIO: &str = "wine-netio";
/// The packages with code for Windows programs.
const PROGRAMS: [&str; 5] =
    ["netio-anycast-client", "anycastctl", "wine-model-control", "netio-anycast-test-clients", "netio-anycast-tests"];

/// Windows programs as they were built.
pub(crate) struct Programs {
    /// `anycastctl.exe`.
    pub(crate) anycastctl: PathBuf,
    /// `model-control.exe`, which arranges the simulated NetIO.
    pub(crate) model_control: PathBuf,
    /// The tests of `tests/wine`.
    pub(crate) wine_tests: PathBuf,
}

/// A kernel driver in Rust, and where its image goes.
pub(crate) struct RustDriver {
    package: &'static str,
    /// The name of its library, and of its image.
    name: &'static str,
    /// Below `target/`.
    directory: &'static str,
}

/// The driver.
pub(crate) const DRIVER: RustDriver =
    RustDriver { package: "netio-anycast", name: "netio_anycast", directory: "driver" };
/// The sample of a driver that uses it.
pub(crate) const SAMPLE_DRIVER: RustDriver =
    RustDriver { package: "anycast_client_rust", name: "anycast_client_rust", directory: "samples" };

/// Builds a driver, and returns its image, with its symbols beside it.
///
/// # Errors
/// The build fails.
pub(crate) fn build_driver(root: &Path, driver: &RustDriver, log: &Log) -> Result<PathBuf> {
    let artifacts = driver_cargo(root, driver.package, "build")?.artifacts(log)?;
    let library = output(&artifacts, driver.name, "dll")?;
    let directory = root.join("target").join(driver.directory);
    fs::create_dir_all(&directory).with_context(|| format!("cannot create {}", directory.display()))?;
    let image = directory.join(driver.name).with_extension("sys");
    copy(&library, &image)?;
    copy(&library.with_extension("pdb"), &image.with_extension("pdb"))?;
    Ok(image)
}

/// The packages with code that calls the kernel: the drivers, and the client for drivers.
const KERNEL_PACKAGES: [&str; 3] = [DRIVER.package, "netio-anycast-kernel-client", SAMPLE_DRIVER.package];

/// Runs clippy on the drivers; a warning is an error.
///
/// # Errors
/// Clippy finds something.
pub(crate) fn clippy_drivers(root: &Path, log: &Log) -> Result<()> {
    for package in KERNEL_PACKAGES {
        driver_cargo(root, package, "clippy")?.args(["--", "-Dwarnings"]).run(log)?;
    }
    Ok(())
}

/// Builds the drivers' documentation; a warning is an error.
///
/// # Errors
/// Rustdoc finds something.
pub(crate) fn doc_drivers(root: &Path, log: &Log) -> Result<()> {
    for package in KERNEL_PACKAGES {
        driver_cargo(root, package, "doc")?
            .args(["--no-deps", "--document-private-items"])
            .env("RUSTDOCFLAGS", "-Dwarnings --cfg no_global_oom_handling")
            .run(log)?;
    }
    Ok(())
}

/// The cargo command that does `subcommand` to a package for the kernel, after the WDK tree was arranged.
fn driver_cargo(root: &Path, package: &str, subcommand: &str) -> Result<Cargo> {
    const LANE: &str = "driver";
    let kit = arrange_wdk_tree(root)?;
    Ok(Cargo::new(root, LANE, subcommand)
        .with_wdk_build_port(root, LANE)?
        .build_std("core,alloc")
        .args(["--package", package, "--release", "--target", KERNEL_TARGET])
        .env("BINDGEN_EXTRA_CLANG_ARGS", netio_anycast_kit::BINDGEN_EXTRA_CLANG_ARGS)
        .env("LIBCLANG_PATH", "/usr/lib/llvm-19/lib")
        // What the version resource is compiled with.
        .env("RC_x86_64_pc_windows_msvc", "x86_64-w64-mingw32-windres")
        .env("WDKContentRoot", kit)
        .rustflags(kernel_flags())
        .rustflags([
            "-Ccontrol-flow-guard",
            // `alloc` without every function that panics when memory is short: that the driver compiles is the proof that it
            // survives.
            "--cfg=no_global_oom_handling",
        ]))
}

/// Arranges the WDK tree, and returns its root.
///
/// # Errors
/// A file of the packages it is made from is missing, or a tool fails.
pub(crate) fn arrange_wdk_tree(root: &Path) -> Result<PathBuf> {
    let tree = root.join("target/cross/wdk");
    netio_anycast_kit::arrange(&netio_anycast_kit::Sources::debian(), &tree).context("cannot arrange the WDK tree")?;
    Ok(tree)
}

/// What code for the kernel is compiled and linked with.
fn kernel_flags() -> [&'static str; 2] {
    ["-Clinker=lld-link-19", "-Ctarget-feature=+crt-static"]
}

/// Builds the modules that Wine's kernel host loads beside the driver.
///
/// # Errors
/// The build fails.
pub(crate) fn build_wine_modules(root: &Path, log: &Log) -> Result<Modules> {
    let artifacts = wine_cargo(root, "build").artifacts(log)?;
    Ok(Modules {
        kernel_extension: output(&artifacts, "wine_kernel_extension", "dll")?,
        netio: output(&artifacts, "wine_netio", "dll")?,
    })
}

/// Runs clippy on those modules; a warning is an error.
///
/// # Errors
/// Clippy finds something.
pub(crate) fn clippy_wine_modules(root: &Path, log: &Log) -> Result<()> {
    wine_cargo(root, "clippy").args(["--", "-Dwarnings"]).run(log)
}

fn wine_cargo(root: &Path, subcommand: &str) -> Cargo {
    Cargo::new(root, "wine", subcommand)
        .build_std("core,alloc")
        .args(["--package", KERNEL_EXTENSION, "--package", NETIO, "--release", "--target", KERNEL_TARGET])
        .rustflags(kernel_flags())
}

/// Builds the Windows programs, and the tests that run in Wine.
///
/// # Errors
/// The build fails.
pub(crate) fn build_programs(root: &Path, log: &Log) -> Result<Programs> {
    let programs = program_cargo(root, "build")
        .args(["--package", "anycastctl", "--package", "wine-model-control"])
        // Which tests find beside themselves.
        .args(["--package", "netio-anycast-test-clients", "--bins"])
        .artifacts(log)?;
    let tests = program_cargo(root, "test")
        .args(["--package", "netio-anycast-tests", "--test", "wine", "--no-run"])
        .artifacts(log)?;
    Ok(Programs {
        anycastctl: output(&programs, "anycastctl", "exe")?,
        model_control: output(&programs, "model-control", "exe")?,
        wine_tests: output(&tests, "wine", "exe")?,
    })
}

/// `cross/wdk-build-parity` as it was built.
pub(crate) struct ParityPrograms {
    /// With the port of wdk-build, for Linux.
    pub(crate) port: PathBuf,
    /// With the published wdk-build, for Windows.
    pub(crate) original: PathBuf,
}

/// Builds the program that prints wdk-build's answers, with the port and with the original.
///
/// # Errors
/// The build fails.
pub(crate) fn build_parity_programs(root: &Path, log: &Log) -> Result<ParityPrograms> {
    const PACKAGE: &str = "wdk-build-parity";
    let port = Cargo::new(root, "port", "build").with_wdk_build_port(root, "port")?.args(["--package", PACKAGE]);
    let original = program_cargo(root, "build").args(["--package", PACKAGE]);
    Ok(ParityPrograms {
        port: executable(&port.artifacts(log)?, PACKAGE)?,
        original: executable(&original.artifacts(log)?, PACKAGE)?,
    })
}

/// Runs clippy on the port of wdk-build and on what holds it to the original, and the port's own tests; a warning is an error.
///
/// # Errors
/// Clippy finds something, or a test fails.
pub(crate) fn check_wdk_build_port(root: &Path, log: &Log) -> Result<()> {
    let parity = ["--package", "wdk-build-parity"];
    let port = ["--manifest-path", "cross/wdk-build/Cargo.toml"];
    let warnings_are_errors = ["--all-targets", "--", "-Dwarnings"];
    let cargo = |subcommand| Cargo::new(root, "port", subcommand);
    cargo("clippy").with_wdk_build_port(root, "port")?.args(parity).args(warnings_are_errors).run(log)?;
    cargo("clippy").with_lock_copy(root, "port-alone")?.args(port).args(warnings_are_errors).run(log)?;
    cargo("test").with_lock_copy(root, "port-alone")?.args(port).run(log)
}

/// Runs clippy on everything that is compiled into Windows programs; a warning is an error.
///
/// # Errors
/// Clippy finds something.
pub(crate) fn clippy_programs(root: &Path, log: &Log) -> Result<()> {
    program_cargo(root, "clippy")
        .args(PROGRAMS.iter().flat_map(|package| ["--package", package]))
        .args(["--all-targets", "--", "-Dwarnings"])
        .run(log)
}

/// The cargo command for programs. Programs and tests share their build of std, so both unwind: libtest needs that.
fn program_cargo(root: &Path, subcommand: &str) -> Cargo {
    Cargo::new(root, "program", subcommand)
        .build_std("std,panic_unwind,test")
        .config("profile.dev.panic=\"unwind\"")
        .args(["--target", PROGRAM_TARGET])
        .rustflags(["-Clinker=x86_64-w64-mingw32-gcc-win32"])
}

/// The program that the package `name` was built into.
fn executable(artifacts: &[Artifact], name: &str) -> Result<PathBuf> {
    artifacts
        .iter()
        .filter(|artifact| artifact.target.name == name)
        .find_map(|artifact| artifact.executable.clone())
        .map(Into::into)
        .with_context(|| format!("cargo built no program {name}"))
}

/// The file with this extension that the target `name` was built into.
fn output(artifacts: &[Artifact], name: &str, extension: &str) -> Result<PathBuf> {
    let is_final = |kind: &TargetKind| matches!(kind, TargetKind::Bin | TargetKind::CDyLib | TargetKind::Test);
    artifacts
        .iter()
        .filter(|artifact| artifact.target.name == name && artifact.target.kind.iter().any(is_final))
        .flat_map(|artifact| &artifact.filenames)
        .find(|file| file.extension() == Some(extension))
        .map(|file| file.clone().into_std_path_buf())
        .with_context(|| format!("cargo built no .{extension} from the target {name}"))
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::copy(from, to).map(drop).with_context(|| format!("cannot copy {} to {}", from.display(), to.display()))
}
