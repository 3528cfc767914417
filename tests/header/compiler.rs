//! The C compiler, for Windows on each processor.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::LazyLock;

use netio_anycast_kit::Sources;

/// Where the kit's tree and what is compiled go.
pub(crate) const DIRECTORY: &str = env!("CARGO_TARGET_TMPDIR");

/// The kit's headers, arranged once for all tests.
static KIT: LazyLock<PathBuf> = LazyLock::new(|| {
    let tree = Path::new(DIRECTORY).join("wdk");
    netio_anycast_kit::arrange(&Sources::debian(), &tree).expect("the kit can be arranged");
    tree.join("Include").join(netio_anycast_kit::VERSION)
});

/// Processors that Windows runs on, as clang names them.
pub(crate) const PROCESSORS: [&str; 3] = ["x86_64", "aarch64", "i686"];

/// The language that a source is compiled as.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Language {
    C11,
    Cpp17,
}

/// What the headers are for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Mode {
    User,
    Kernel,
}

/// Every combination.
pub(crate) fn combinations() -> Vec<(&'static str, Language, Mode)> {
    let of_processor = |processor| {
        [
            (Language::C11, Mode::User),
            (Language::C11, Mode::Kernel),
            (Language::Cpp17, Mode::User),
            (Language::Cpp17, Mode::Kernel),
        ]
        .map(|(language, mode)| (processor, language, mode))
    };
    PROCESSORS.into_iter().flat_map(of_processor).collect()
}

/// The folder with the header as it is checked in.
pub(crate) fn checked_in() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../include")
}

/// A folder with the header changed by `change`, for a control.
pub(crate) fn mutated(name: &str, change: impl FnOnce(&str) -> String) -> PathBuf {
    let original = std::fs::read_to_string(checked_in().join("netio_anycast.h")).expect("the header is there");
    let changed = change(&original);
    assert_ne!(changed, original, "{name}: the header has what is to be changed");
    let folder = Path::new(DIRECTORY).join("header").join(name);
    std::fs::create_dir_all(&folder).expect("the folder can be made");
    std::fs::write(folder.join("netio_anycast.h"), changed).expect("the header can be written");
    folder
}

/// Compiles `source`, a file of this folder, with the header in `include`; the object is `object`, or nothing is kept.
pub(crate) fn compile(
    source: &str,
    include: &Path,
    (processor, language, mode): (&str, Language, Mode),
    object: Option<&Path>,
) -> Output {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("header");
    let mut clang = Command::new("clang-19");
    match language {
        Language::C11 => clang.args(["-x", "c", "-std=c11"]),
        Language::Cpp17 => clang.args(["-x", "c++", "-std=c++17"]),
    };
    clang.args(["-Wall", "-Wextra", "-Werror", "-fms-extensions", "-fdata-sections"]);
    clang.arg(format!("--target={processor}-pc-windows-gnu"));
    match mode {
        Mode::User => {
            clang.args(["-D_WIN32_WINNT=0x0A00", "-nostdlibinc", "-isystem"]).arg(Sources::debian().mingw_headers);
        }
        Mode::Kernel => {
            clang.args(["-nostdinc", "-D_KERNEL_MODE"]);
            // mingw-w64 has wdm.h for x64 and x86 only, and it defines these two functions a second time in C++.
            if processor == "aarch64" {
                clang.arg("-isystem").arg(folder.join("arm64"));
            }
            clang.args(
                ["InterlockedBitTestAndReset", "InterlockedBitTestAndSet"]
                    .map(|f| format!("-D__INTRINSIC_DEFINED_{f}")),
            );
            for directory in ["km/crt", "km", "shared"] {
                clang.arg("-isystem").arg(KIT.join(directory));
            }
        }
    }
    clang.arg("-I").arg(include).arg(folder.join(source));
    match object {
        Some(object) => clang.arg("-c").arg("-o").arg(object),
        None => clang.arg("-fsyntax-only"),
    };
    clang.output().expect("clang-19 is there: cargo xtask setup")
}
