//! The drivers among the samples: one in Rust and one in C, which do the same.

use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use netio_anycast_kit::CDriver;

use crate::cross;
use crate::lane::Lane;
use crate::package::{self, Package};
use crate::step::{Log, Steps};

/// The addresses that each of them holds, and the one that it gives back at once.
const HELD: [&str; 2] = ["192.0.2.53", "192.0.2.54"];
const GIVEN_BACK: &str = "192.0.2.55";
/// How long it may take until they hold them: a work item of theirs does it.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often it is looked whether they do.
const INTERVAL: Duration = Duration::from_millis(20);

/// The images of both.
pub(crate) struct SampleDrivers {
    /// `samples/kernel-client-rust`.
    pub(crate) in_rust: PathBuf,
    /// `samples/kernel-client-c`.
    pub(crate) in_c: PathBuf,
}

/// Builds both into `target/samples`.
///
/// # Errors
/// A build fails.
pub(crate) fn build_drivers(root: &Path, steps: &mut Steps) -> Result<SampleDrivers> {
    Ok(SampleDrivers {
        in_rust: steps
            .run("Build the sample driver in Rust", |log| cross::build_driver(root, &cross::SAMPLE_DRIVER, log))?,
        in_c: steps.run("Build the sample driver in C", |log| build_c(root, log))?,
    })
}

fn build_c(root: &Path, log: &Log) -> Result<PathBuf> {
    let tree = cross::arrange_wdk_tree(root)?;
    let image = root.join("target/samples/anycast_client_c.sys");
    let driver = CDriver {
        sources: vec![root.join("samples/kernel-client-c/anycast_client_c.c")],
        arguments: vec!["-O2".to_owned(), format!("-I{}", root.join("include").display())],
    };
    driver.build(&tree, &image).context("the sample can't be built")?;
    log.append(&format!("built {}\n", image.display()))?;
    Ok(image)
}

/// Runs both beside the running driver, one after the other, each installed through its own INF.
///
/// # Errors
/// One does not hold its addresses, or not until it is stopped.
pub(super) fn check(root: &Path, lane: &mut Lane, drivers: &SampleDrivers, log: &Log) -> Result<()> {
    lane.model_control(&["reset"])?;
    for (folder, image) in [("kernel-client-c", &drivers.in_c), ("kernel-client-rust", &drivers.in_rust)] {
        let package = assemble(root, folder, image)?;
        lane.host.install(&package)?;
        // It comes second, and finds the driver there.
        lane.host.start_driver(&package)?;
        check_held_until_stopped(lane, &package, log)?;
        // It comes first, and is told when the driver is there.
        lane.must(&["stop"], log)?;
        lane.host.start_before_others(&package)?;
        lane.must(&["start"], log)?;
        check_held_until_stopped(lane, &package, log)?;
        lane.host.uninstall(&package)?;
    }
    Ok(())
}

/// The sample's package. Its INX and image are named for its service.
fn assemble(root: &Path, folder: &str, image: &Path) -> Result<Package> {
    let service = image.file_stem().context("an image has a name")?;
    let inx = root.join("samples").join(folder).join(service).with_extension("inx");
    package::assemble_in(&root.join("target/samples").join(folder), &inx, image)
}

fn check_held_until_stopped(lane: &mut Lane, package: &Package, log: &Log) -> Result<()> {
    let started = Instant::now();
    loop {
        let leases = leases(lane, log)?;
        if HELD.iter().all(|address| leases.contains(address)) && !leases.contains(GIVEN_BACK) {
            break;
        }
        lane.host.check()?;
        ensure!(started.elapsed() < PATIENCE, "{} does not hold its addresses: {leases}", package.service);
        sleep(INTERVAL);
    }
    lane.host.stop_driver(&package.service)?;
    let left = leases(lane, log)?;
    ensure!(HELD.iter().all(|address| !left.contains(address)), "{} has left leases: {left}", package.service);
    Ok(())
}

/// What anycastctl says of the leases that there are.
fn leases(lane: &mut Lane, log: &Log) -> Result<String> {
    let finished = lane.anycastctl(&["leases"])?;
    log.append(&format!("{}{}", finished.output, finished.errors))?;
    ensure!(finished.code == 0, "anycastctl leases ended with {}: {}", finished.code, finished.errors);
    Ok(finished.output)
}
