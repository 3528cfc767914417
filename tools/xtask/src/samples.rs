//! The samples: built, and run in Wine's kernel.

mod drivers;
mod program;

use std::path::Path;

use anyhow::Result;

use crate::lane::{self, Lane};
use crate::step::Steps;

pub(crate) use drivers::build_drivers;

/// Builds the samples, and runs them in Wine's kernel unless they are to be `only_built`.
///
/// # Errors
/// Something can't be built, or a sample does not do what it should.
pub(crate) fn run(root: &Path, only_built: bool) -> Result<()> {
    let mut steps = Steps::new(root, "samples")?;
    if only_built {
        let drivers = build_drivers(root, &mut steps)?;
        steps.run("Build the sample program", |log| program::build(root, log))?;
        println!("They are {}, {} and the program beside them", drivers.in_rust.display(), drivers.in_c.display());
        return Ok(());
    }
    let image = lane::build_driver(root, &mut steps)?;
    let mut lane = Lane::prepare(root, &image, &mut steps)?;
    steps.run("Install and start the driver in Wine's kernel", |log| lane.start_driver(log))?;
    check(root, &mut lane, &mut steps)?;
    steps.run("Stop and uninstall the driver", |log| lane.end(log))
}

/// Runs the samples on the running driver.
///
/// # Errors
/// One does not do what it should.
pub(crate) fn check(root: &Path, lane: &mut Lane, steps: &mut Steps) -> Result<()> {
    steps.run("The sample program in Wine", |log| program::check(root, lane, log))?;
    let drivers = build_drivers(root, steps)?;
    steps.run("The sample drivers in Wine", |log| drivers::check(root, lane, &drivers, log))
}
