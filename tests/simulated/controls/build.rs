//! Building the controls: clang and lld-link with the kit's headers and libraries, as any driver in C can be built on Linux.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{LazyLock, Mutex, PoisonError};

use kernel_sim::Image;
use netio_anycast_kit::Sources;

/// Where the kit's tree and the controls' images go.
const DIRECTORY: &str = env!("CARGO_TARGET_TMPDIR");

/// The kit's tree, arranged once for all tests.
static KIT: LazyLock<PathBuf> = LazyLock::new(|| {
    let tree = Path::new(DIRECTORY).join("wdk");
    netio_anycast_kit::arrange(&Sources::debian(), &tree).expect("the kit can be arranged");
    tree
});

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
    let directory = Path::new(DIRECTORY).join("controls").join(name);
    std::fs::create_dir_all(&directory).expect("the directory can be made");
    let (object, image) = (directory.join("control.obj"), directory.join(name).with_extension("sys"));
    compile(name, &object);
    link(&object, &image);
    Image::read(&image).expect("the control's image can be loaded")
}

fn compile(name: &str, object: &Path) {
    let include = KIT.join("Include").join(netio_anycast_kit::VERSION);
    let mut clang = Command::new("clang-19");
    clang.args(["--target=x86_64-pc-windows-gnu", "-std=gnu11", "-fgnu89-inline", "-nostdinc", "-fms-extensions"]);
    clang.args(["-O1", "-g", "-gcodeview", "-ffreestanding", "-fno-stack-protector", "-mno-red-zone"]);
    clang.args(["-D_AMD64_", "-D_WIN64", "-Wall", "-Wextra", "-Werror", "-Wno-unused-function"]);
    for directory in ["km/crt", "km", "shared"] {
        clang.arg("-isystem").arg(include.join(directory));
    }
    run(clang.arg("-c").arg(source(name)).arg("-o").arg(object));
}

fn link(object: &Path, image: &Path) {
    let libraries = KIT.join("Lib").join(netio_anycast_kit::VERSION).join("km/x64");
    let mut linker = Command::new("lld-link-19");
    linker.args(["/DRIVER", "/NODEFAULTLIB", "/SUBSYSTEM:NATIVE", "/ENTRY:DriverEntry", "/DYNAMICBASE", "/NXCOMPAT"]);
    linker.args(["/DEBUG", "/MACHINE:X64", "/NOLOGO"]);
    linker.arg(object).arg(libraries.join("ntoskrnl.lib")).arg(libraries.join("netio.lib"));
    run(linker.arg(format!("/OUT:{}", image.display())));
}

fn run(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let errors = String::from_utf8_lossy(&output.stderr);
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{command:?} failed:\n{text}{errors}");
}
