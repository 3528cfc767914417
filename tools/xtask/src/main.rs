//! `cargo xtask`: every command that a developer of netio-anycast needs, on Debian 12.

#![forbid(unsafe_code)]

mod agreement;
mod bench;
mod cargo;
mod cross;
mod demo;
mod fuzz;
mod fuzz_image;
mod header;
mod host;
mod judge;
mod lane;
mod lint;
mod package;
mod parity;
mod report;
mod samples;
mod setup;
mod step;
mod test;
mod test_drivers;
mod verify;
mod wine;
mod wine_tests;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use step::Steps;

#[derive(Parser)]
#[command(bin_name = "cargo xtask", about, disable_help_subcommand = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Clone, Subcommand)]
enum Command {
    /// Show the driver at work in Wine's kernel
    Demo,
    /// Run every check
    Test,
    /// Check format, clippy and documentation (a part of `test`)
    Lint,
    /// Run the image in the simulated kernel at length, and write a report: target/verification/report.html
    Verify(verify::Effort),
    /// Judge any driver's images in the simulated kernel, however damaged (`judge --help`)
    #[command(disable_help_flag = true)]
    Judge {
        /// Images and options
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
    /// Fuzz the image in the simulated kernel for hours, and let the corpus grow
    FuzzImage(fuzz_image::Fuzzing),
    /// Measure what the driver costs per operation, into docs/benchmarks.md
    Bench,
    /// Build the driver package: target/driver/package
    Build,
    /// Build the samples into target/samples, and run them in Wine's kernel (a part of `test`)
    Samples {
        /// Build them, and leave it at that
        #[arg(long)]
        build: bool,
    },
    /// Write include/netio_anycast.h from crates/protocol (`test` checks that it is current)
    Header,
    /// Compare the Linux port of wdk-build with the original (a part of `test`)
    Parity,
    /// Run the tests in Wine's kernel (a part of `test`)
    Wine(wine_tests::Selection),
    /// Compare the simulated kernel with Wine's on one scenario (a part of `test`)
    Agreement,
    /// Install the Debian packages that the other commands need (each does so itself)
    Setup,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(arguments.command, &workspace_root()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command, root: &Path) -> Result<()> {
    setup::install_packages(root)?;
    match command {
        Command::Demo => demo::run(root),
        Command::Test => test::run(root),
        Command::Lint => lint::run(root),
        Command::Bench => bench::run(root),
        Command::FuzzImage(fuzzing) => fuzz_image::run(root, &fuzzing),
        Command::Judge { arguments } => judge::run(root, &arguments),
        Command::Verify(effort) => verify::run(root, &effort),
        Command::Build => {
            let image = lane::build_driver(root, &mut Steps::new(root, "build")?)?;
            println!("The driver package is {}", package::assemble(root, &image)?.directory.display());
            Ok(())
        }
        Command::Samples { build } => samples::run(root, build),
        Command::Header => {
            println!("The header is {}", header::write(root)?.display());
            Ok(())
        }
        Command::Parity => Steps::new(root, "parity")?
            .run("The port of wdk-build answers as the original does", |log| parity::check(root, log)),
        Command::Wine(selection) => wine_tests::run(root, &selection),
        Command::Agreement => agreement::run(root),
        Command::Setup => Ok(()),
    }
}

/// The directory of the workspace's Cargo.toml.
fn workspace_root() -> PathBuf {
    // This crate is tools/xtask of it.
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .expect("tools/xtask is two directories below the workspace's root")
        .to_owned()
}
