//! `cargo xtask lint`: format, clippy and documentation, of everything, and whether the C header is current.

use std::path::Path;

use anyhow::Result;

use crate::step::Steps;
use crate::{cross, header, host};

/// Lints everything.
///
/// # Errors
/// Something is found.
pub(crate) fn run(root: &Path) -> Result<()> {
    let mut steps = Steps::new(root, "lint")?;
    // Both: whoever lints wants to know all.
    let host = host(root, &mut steps);
    cross(root, &mut steps).and(host)
}

/// What is built for the host.
///
/// # Errors
/// Something is found.
pub(crate) fn host(root: &Path, steps: &mut Steps) -> Result<()> {
    steps.run("Format", |log| host::check_format(root, log))?;
    steps.run("The C header is what crates/protocol says", |log| header::check(root, log))?;
    steps.run("Clippy on the host's crates", |log| host::clippy(root, log))?;
    steps.run("Documentation of the host's crates", |log| host::doc(root, log))
}

/// What is built for Windows.
///
/// # Errors
/// Something is found.
pub(crate) fn cross(root: &Path, steps: &mut Steps) -> Result<()> {
    steps.run("Clippy on the drivers", |log| cross::clippy_drivers(root, log))?;
    steps.run("Documentation of the drivers", |log| cross::doc_drivers(root, log))?;
    steps.run("Clippy on the Wine modules", |log| cross::clippy_wine_modules(root, log))?;
    steps.run("Clippy on the Windows programs", |log| cross::clippy_programs(root, log))
}
