//! Building for Windows on Linux: the driver, programs, tests, and modules for Wine.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use cargo_metadata::{Artifact, TargetKind};

use crate::{
    cargo::{Cargo, KERNEL_TARGET, PROGRAM_TARGET},
    setup,
};

/// The driver as it was built.
pub(crate) struct Driver {
    /// `netio_anycast.sys`.
    pub(crate) image: PathBuf,
    /// `netio_anycast.pdb`, its symbols.
    pub(crate) symbols: PathBuf,
}

/// Builds the driver.
///
/// # Errors
/// Packages are missing and cannot be installed, or the build fails.
pub(crate) fn build_driver(root: &Path) -> anyhow::Result<Driver> {
    let artifacts = driver_cargo(root, "driver", "build")?.artifacts()?;
    let library = output(&artifacts, "netio-anycast", "dll")?;
    let directory = root.join("target/driver");
    fs::create_dir_all(&directory).with_context(|| format!("cannot create {}", directory.display()))?;
    let driver = Driver {
        image: directory.join("netio_anycast.sys"),
        symbols: directory.join("netio_anycast.pdb"),
    };
    copy(&library, &driver.image)?;
    copy(&library.with_extension("pdb"), &driver.symbols)?;
    Ok(driver)
}

/// Runs clippy on the driver; a warning is an error.
///
/// # Errors
/// Those of [`build_driver`], or clippy finds something.
pub(crate) fn clippy_driver(root: &Path) -> anyhow::Result<()> {
    driver_cargo(root, "clippy", "clippy")?
        .args(["--", "-Dwarnings"])
        .run()
}

/// Builds the driver's documentation; a warning is an error.
///
/// # Errors
/// Those of [`build_driver`], or rustdoc finds something.
pub(crate) fn doc_driver(root: &Path) -> anyhow::Result<()> {
    driver_cargo(root, "doc", "doc")?
        .args(["--no-deps", "--document-private-items"])
        .env("RUSTDOCFLAGS", "-Dwarnings --cfg no_global_oom_handling")
        .run()
}

/// The cargo command that does `subcommand` to the driver, after everything it needs is there.
fn driver_cargo(root: &Path, lane: &str, subcommand: &str) -> anyhow::Result<Cargo> {
    setup::install_packages(setup::ALL)?;
    let kit = root.join("target/cross/wdk");
    netio_anycast_kit::arrange(&netio_anycast_kit::Sources::debian(), &kit).context("cannot arrange the WDK tree")?;
    Ok(Cargo::new(root, lane, subcommand)
        .with_wdk_build_port(root, lane)?
        .build_std("core,alloc")
        .args(["--package", "netio-anycast", "--release", "--target", KERNEL_TARGET])
        .env("BINDGEN_EXTRA_CLANG_ARGS", netio_anycast_kit::BINDGEN_EXTRA_CLANG_ARGS)
        .env("LIBCLANG_PATH", "/usr/lib/llvm-19/lib")
        // What the version resource is preprocessed and compiled with.
        .env("CC_x86_64_pc_windows_msvc", kit.join("bin/clang-cl"))
        .env("RC_x86_64_pc_windows_msvc", "llvm-rc-19")
        .env("WDKContentRoot", kit)
        .rustflags(kernel_flags())
        .rustflags([
            "-Ccontrol-flow-guard",
            // The same source gives the same image: a hash takes the place of the time in its header.
            "-Clink-arg=/Brepro",
            // `alloc` without every function that panics when memory is short: that the driver compiles is the proof that it
            // survives.
            "--cfg=no_global_oom_handling",
        ]))
}

/// What code for the kernel is compiled and linked with.
fn kernel_flags() -> [&'static str; 2] {
    ["-Clinker=lld-link-19", "-Ctarget-feature=+crt-static"]
}

/// Builds the module `package` that Wine's kernel host loads.
///
/// # Errors
/// Packages are missing and cannot be installed, or the build fails.
#[expect(dead_code, reason = "for the Wine lane")]
pub(crate) fn build_wine_module(root: &Path, package: &str) -> anyhow::Result<PathBuf> {
    setup::install_packages(setup::ALL)?;
    let artifacts = Cargo::new(root, "wine", "build")
        .build_std("core,alloc")
        .args(["--package", package, "--release", "--target", KERNEL_TARGET])
        .rustflags(kernel_flags())
        .artifacts()?;
    output(&artifacts, package, "dll")
}

/// Builds the Windows program `package`.
///
/// # Errors
/// Packages are missing and cannot be installed, or the build fails.
#[expect(dead_code, reason = "for the demonstration")]
pub(crate) fn build_executable(root: &Path, package: &str) -> anyhow::Result<PathBuf> {
    let artifacts = program_cargo(root, "program", "build", "std,panic_abort")?
        .args(["--package", package, "--release"])
        .artifacts()?;
    output(&artifacts, package, "exe")
}

/// Builds the tests of `package` as Windows programs.
///
/// # Errors
/// Packages are missing and cannot be installed, or the build fails.
#[expect(dead_code, reason = "for the Wine lane")]
pub(crate) fn build_tests(root: &Path, package: &str) -> anyhow::Result<Vec<PathBuf>> {
    let artifacts = program_cargo(root, "program-tests", "test", "std,panic_unwind,test")?
        .args(["--package", package, "--no-run"])
        .artifacts()?;
    Ok(artifacts
        .into_iter()
        .filter(|artifact| artifact.profile.test)
        .filter_map(|artifact| artifact.executable)
        .map(Into::into)
        .collect())
}

fn program_cargo(root: &Path, lane: &str, subcommand: &str, std: &str) -> anyhow::Result<Cargo> {
    setup::install_packages(setup::ALL)?;
    Ok(Cargo::new(root, lane, subcommand)
        .build_std(std)
        .args(["--target", PROGRAM_TARGET])
        .rustflags(["-Clinker=x86_64-w64-mingw32-gcc-win32"]))
}

/// The file with this extension among what building `package` made.
fn output(artifacts: &[Artifact], package: &str, extension: &str) -> anyhow::Result<PathBuf> {
    let is_final = |kind: &TargetKind| matches!(kind, TargetKind::Bin | TargetKind::CDyLib);
    artifacts
        .iter()
        .filter(|artifact| artifact.package_id.repr.contains(package) && artifact.target.kind.iter().any(is_final))
        .flat_map(|artifact| &artifact.filenames)
        .find(|file| file.extension() == Some(extension))
        .map(|file| file.clone().into_std_path_buf())
        .with_context(|| format!("cargo built no .{extension} from the package {package}"))
}

fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    fs::copy(from, to)
        .map(drop)
        .with_context(|| format!("cannot copy {} to {}", from.display(), to.display()))
}
