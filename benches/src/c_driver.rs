//! Building the drivers in C that ours is measured against, with the kit: as any driver in C can be built on Linux.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use netio_anycast_kit::{CDriver, Sources};
use netio_anycast_protocol::operation::Operation;

/// The control codes that the sources are compiled with.
const CODES: [(&str, Operation); 4] = [
    ("IOCTL_CREATE", Operation::Create),
    ("IOCTL_DELETE", Operation::Delete),
    ("IOCTL_GET", Operation::Get),
    ("IOCTL_GET_TABLE", Operation::GetTable),
];

/// Builds the driver in `benches/NAME.c` below `directory`; the path of its image.
///
/// # Errors
/// The kit can't be arranged, or clang or the linker fails.
pub(crate) fn build(name: &str, directory: &Path) -> Result<PathBuf> {
    let kit = directory.join("wdk");
    netio_anycast_kit::arrange(&Sources::debian(), &kit).context("cannot arrange the WDK tree")?;
    // As release builds of drivers are, and as Rust's are.
    let mut arguments = vec!["-O2".to_owned()];
    arguments.extend(CODES.map(|(name, operation)| format!("-D{name}={:#x}u", operation.definition().control_code())));
    let sources = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("{name}.c"))];
    let image = directory.join(name).join(name).with_extension("sys");
    CDriver { sources, arguments }.build(&kit, &image).with_context(|| format!("cannot build {name}"))?;
    Ok(image)
}
