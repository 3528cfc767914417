//! The drivers among the samples: one in C and one in Rust, which do the same.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use netio_anycast_kit::CDriver;

use crate::cross;
use crate::package::{self, Package};
use crate::step::{Log, Steps};

/// Builds both into `target/samples`, each into a package.
///
/// # Errors
/// A build fails.
pub(crate) fn build_drivers(root: &Path, steps: &mut Steps) -> Result<Vec<Package>> {
    let in_c = steps.run("Build the sample driver in C", |log| build_c(root, log))?;
    let in_rust =
        steps.run("Build the sample driver in Rust", |log| cross::build_driver(root, &cross::SAMPLE_DRIVER, log))?;
    let samples = root.join("samples");
    Ok(vec![
        assemble(root, &samples.join("kernel-client-c/anycast_client_c.inx"), &in_c)?,
        assemble(root, &samples.join("kernel-client-rust/anycast_client_rust.inx"), &in_rust)?,
    ])
}

fn assemble(root: &Path, inx: &Path, image: &Path) -> Result<Package> {
    let name = image.file_stem().context("an image has a name")?;
    package::assemble_in(&root.join("target/samples/packages").join(name), inx, image)
}

fn build_c(root: &Path, log: &Log) -> Result<PathBuf> {
    let tree = cross::arrange_wdk_tree(root)?;
    let image = root.join("target/samples/anycast_client_c.sys");
    let driver = CDriver {
        sources: vec![root.join("samples/kernel-client-c/anycast_client_c.c")],
        arguments: vec!["-O2".to_owned(), format!("-I{}", root.join("include").display())],
    };
    log.append(&format!("building {} from {:?}\n", image.display(), driver.sources))?;
    driver.build(&tree, &image).context("the sample can't be built")?;
    Ok(image)
}
