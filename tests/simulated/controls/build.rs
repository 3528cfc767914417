//! Building the controls with the kit, as any driver in C can be built on Linux.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex, PoisonError};

use kernel_sim::Image;
use netio_anycast_kit::{CDriver, Sources};

/// Where the kit's tree and the controls' images go.
pub(crate) const DIRECTORY: &str = env!("CARGO_TARGET_TMPDIR");

/// The kit's tree, arranged once for all tests.
pub(crate) fn kit() -> &'static Path {
    static TREE: LazyLock<PathBuf> = LazyLock::new(|| {
        let tree = Path::new(DIRECTORY).join("wdk");
        netio_anycast_kit::arrange(&Sources::debian(), &tree).expect("the kit can be arranged");
        tree
    });
    &TREE
}

/// The image of the control `name`, built from `controls/NAME.c` when a test first asks for it.
pub(crate) fn image(name: &str) -> Image {
    static BUILT: Mutex<BTreeMap<String, Image>> = Mutex::new(BTreeMap::new());
    // A build that failed has not harmed the others.
    let mut built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
    built.entry(name.to_owned()).or_insert_with(|| build(name)).clone()
}

/// Whether a control calls `clean_target.c`.
pub(crate) fn calls_target(name: &str) -> bool {
    std::fs::read_to_string(source(name)).is_ok_and(|text| text.contains("#include \"client.h\""))
}

fn source(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("simulated/controls").join(name).with_extension("c")
}

fn build(name: &str) -> Image {
    let image = Path::new(DIRECTORY).join("controls").join(name).join(name).with_extension("sys");
    let arguments = ["-O1", "-Wno-unused-function"].map(str::to_owned).to_vec();
    let control = CDriver { sources: vec![source(name)], arguments };
    control.build(kit(), &image).unwrap_or_else(|error| panic!("{name}: {error}"));
    Image::read(&image).expect("the control's image can be loaded")
}

/// Builds a driver in C that includes the contract's header, as `cargo xtask` builds such, and returns the path of its image. `source` is
/// a path in the work tree.
pub(crate) fn driver(source: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let source = root.join(source);
    let name = source.file_stem().unwrap_or_default().to_owned();
    let image = Path::new(DIRECTORY).join("drivers").join(&name).join(&name).with_extension("sys");
    let include = root.join("include");
    let driver =
        CDriver { sources: vec![source], arguments: vec!["-O2".to_owned(), format!("-I{}", include.display())] };
    driver.build(kit(), &image).unwrap_or_else(|error| panic!("{}: {error}", image.display()));
    image
}
