//! The drivers of the tests in Wine, written in C: each built by the kit into a package of its own.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use netio_anycast_kit::CDriver;

use crate::cross;
use crate::package::{self, Package};
use crate::step::Log;

/// Where their sources are, each in the folder of its name.
const SOURCES: &str = "tests/wine/drivers";
/// The drivers, each after those that its INF depends on, by the name of their folder and of their service.
const DRIVERS: [(&str, &str); 3] = [("partner", PARTNER), ("probe", "kernel_probe"), ("caller", "kernel_caller")];
const PARTNER: &str = netio_anycast_tests::partner::SERVICE;

/// Builds them into `target/drivers`, each after those that it depends on.
///
/// # Errors
/// One can't be built.
pub(crate) fn build(root: &Path, log: &Log) -> Result<Vec<Package>> {
    let tree = cross::arrange_wdk_tree(root)?;
    DRIVERS.iter().map(|(folder, service)| build_one(root, &tree, folder, service, log)).collect()
}

/// The partner's image, as it was built: before its import was changed for Wine.
pub(crate) fn partner(root: &Path) -> PathBuf {
    built(root, PARTNER)
}

fn built(root: &Path, service: &str) -> PathBuf {
    root.join("target/drivers").join(service).join("build").join(service).with_extension("sys")
}

fn build_one(root: &Path, tree: &Path, folder: &str, service: &str, log: &Log) -> Result<Package> {
    let sources = root.join(SOURCES).join(folder);
    let arguments = vec!["-O2".to_owned(), format!("-I{}", root.join("include").display())];
    let driver = CDriver { sources: c_files(&sources)?, arguments };
    let directory = root.join("target/drivers").join(service);
    let image = built(root, service);
    log.append(&format!("building {} from {:?}\n", image.display(), driver.sources))?;
    driver.build(tree, &image).with_context(|| format!("cannot build {service}"))?;
    package::assemble_in(&directory.join("package"), &sources.join(service).with_extension("inx"), &image)
}

/// The C files of a folder, in the order of their names.
fn c_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))?;
    let mut files = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    files.retain(|path| path.extension().is_some_and(|extension| extension == "c"));
    files.sort();
    Ok(files)
}
