//! The samples: built, and run in Wine's kernel.

mod drivers;
mod program;

use std::path::Path;
use std::time::Duration;

use anyhow::Result;

use crate::lane::{self, Lane};
use crate::step::Steps;

pub(crate) use drivers::build_drivers;

/// How long the tests of the sample drivers may take.
const LIMIT: Duration = Duration::from_mins(2);

/// Builds the samples, and runs them in Wine's kernel unless they are to be `only_built`.
///
/// # Errors
/// Something can't be built, or a sample does not do what it should.
pub(crate) fn run(root: &Path, only_built: bool) -> Result<()> {
    let mut steps = Steps::new(root, "samples")?;
    if only_built {
        let drivers = build_drivers(root, &mut steps)?;
        let program = steps.run("Build the sample program", |log| program::build(root, log))?;
        for built in drivers.iter().map(|driver| &driver.directory).chain([&program]) {
            println!("{}", built.display());
        }
        return Ok(());
    }
    let image = lane::build_driver(root, &mut steps)?;
    let mut lane = Lane::prepare(root, &image, &mut steps)?;
    steps.run("Install and start the driver in Wine's kernel", |log| lane.start_driver(log))?;
    check(root, &mut lane, &mut steps)?;
    steps.run("Stop and uninstall the driver", |log| lane.end(log))
}

/// Builds the samples and runs them on the running driver.
///
/// # Errors
/// Something can't be built, or a sample does not do what it should.
pub(crate) fn check(root: &Path, lane: &mut Lane, steps: &mut Steps) -> Result<()> {
    let drivers = build_drivers(root, steps)?;
    steps.run("The sample program in Wine", |log| program::check(root, lane, log))?;
    steps.run("The sample drivers in Wine", |log| {
        for driver in &drivers {
            lane.host.install(driver)?;
        }
        lane.run_selected("sample_drivers", true, LIMIT, log)?;
        drivers.iter().rev().try_for_each(|driver| lane.host.uninstall(driver))
    })
}
