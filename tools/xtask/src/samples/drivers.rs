//! The drivers among the samples: one in Rust and one in C, which do the same.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use netio_anycast_kit::CDriver;

use crate::cross;
use crate::step::{Log, Steps};

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
