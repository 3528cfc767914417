//! The command line.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result, ensure};
use clap::{Parser, Subcommand};

use crate::measurement;
use crate::report::Report;
use crate::subject::{Images, Subject};
use crate::workload::{CASES, Case, OperationName};
use crate::{c_driver, callgrind, profile};

#[derive(Parser)]
#[command(about = "Measure what the driver costs per operation")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Measure everything and print the tables
    All {
        /// The driver's image
        #[arg(long, default_value = "target/driver/netio_anycast.sys")]
        image: PathBuf,
        /// Where images and callgrind's output go
        #[arg(long, default_value = "target/benches")]
        directory: PathBuf,
        /// Write the results here as Markdown, too
        #[arg(long)]
        write: Option<PathBuf>,
    },
    /// Run one case once, for callgrind
    #[command(hide = true)]
    One {
        #[arg(value_enum)]
        subject: Subject,
        #[arg(value_enum)]
        operation: OperationName,
        present: u32,
        image: PathBuf,
    },
}

/// The benchmark.
///
/// # Errors
/// Something can't be built, run or measured. A goal that is missed is no error.
pub(crate) fn main() -> Result<ExitCode> {
    match Arguments::parse().command {
        Command::One { subject, operation, present, image } => {
            let case = Case { operation, present };
            println!("{}", callgrind::observe(subject, case, &image)?);
        }
        Command::All { image, directory, write } => {
            let report = measure_all(&image, &directory)?;
            println!("{report}");
            netio_anycast_tests::facts::write("benchmark", &report.facts());
            if let Some(path) = write {
                std::fs::write(&path, report.markdown()).with_context(|| format!("cannot write {}", path.display()))?;
                println!("Written to {}", path.display());
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn measure_all(driver: &Path, directory: &Path) -> Result<Report> {
    ensure!(driver.exists(), "{} is not there. Build the driver first: cargo xtask build", driver.display());
    std::fs::create_dir_all(directory).with_context(|| format!("cannot create {}", directory.display()))?;
    // The kit's tree has links, which must not depend on where they are.
    let directory = &directory.canonicalize().with_context(|| format!("cannot find {}", directory.display()))?;
    let images = Images {
        driver: driver.to_owned(),
        pass_through: c_driver::build("pass_through", directory)?,
        checked: c_driver::build("checked", directory)?,
    };
    let mut figures = Vec::new();
    for case in CASES {
        eprintln!("measuring {case}");
        figures.push(measurement::measure(case, &images, directory)?);
    }
    let mut profiles = Vec::new();
    for figure in figures.iter().filter(|figure| figure.case.present == 0) {
        profiles.push((figure.case, profile::by_file(driver, &figure.offsets, workspace())?));
    }
    Ok(Report { figures, profiles })
}

/// The directory of the workspace's Cargo.toml.
fn workspace() -> &'static Path {
    // This crate is benches/ of it.
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("benches is a directory in the workspace")
}
