//! Drivers written in C: compiled by clang and linked by lld-link, against an arranged tree.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use crate::{Error, VERSION, files};

const CLANG: &str = "clang-19";
const LINKER: &str = "lld-link-19";

/// How a driver is compiled: for kernel mode, no C library, no warning let pass. mingw-w64 writes FORCEINLINE as GNU's `extern
/// inline`, which in C11 would define the functions in every object.
const CLANG_ARGUMENTS: [&str; 16] = [
    "--target=x86_64-pc-windows-gnu",
    "-std=gnu11",
    "-fgnu89-inline",
    "-nostdinc",
    "-fms-extensions",
    "-g",
    "-gcodeview",
    "-ffreestanding",
    "-fno-stack-protector",
    "-mno-red-zone",
    "-D_AMD64_",
    "-D_WIN64",
    "-Wall",
    "-Wextra",
    "-Werror",
    "-Wno-multichar",
];

/// How it is linked: as the WDK links drivers, with symbols.
const LINKER_ARGUMENTS: [&str; 9] = [
    "/DRIVER",
    "/NODEFAULTLIB",
    "/SUBSYSTEM:NATIVE",
    "/ENTRY:DriverEntry",
    "/DYNAMICBASE",
    "/NXCOMPAT",
    "/DEBUG",
    "/MACHINE:X64",
    "/NOLOGO",
];

/// The libraries that a driver may use. Of what it does not use, nothing comes into its image.
const LIBRARIES: [&str; 3] = ["ntoskrnl.lib", "netio.lib", "wdmsec.lib"];

/// A driver in C.
#[derive(Debug, Clone)]
pub struct CDriver {
    /// Its source files.
    pub sources: Vec<PathBuf>,
    /// Arguments for clang besides those that every driver is compiled with: optimisation, definitions, directories.
    pub arguments: Vec<String>,
}

impl CDriver {
    /// Builds the driver against the tree below `root`, which was [arranged](crate::arrange). Its objects and its symbols go to
    /// the directory of `image`, which is made.
    ///
    /// # Errors
    /// A file can't be written, or clang or the linker finds something wrong: their words are in the error.
    pub fn build(&self, root: &Path, image: &Path) -> Result<(), Error> {
        let directory = image.parent().unwrap_or_else(|| Path::new("."));
        files::create_directory(directory)?;
        let include = root.join("Include").join(VERSION);
        let mut objects = Vec::new();
        for source in &self.sources {
            let object = directory.join(source.file_name().unwrap_or_default()).with_extension("obj");
            let mut clang = Command::new(CLANG);
            clang.args(CLANG_ARGUMENTS).args(&self.arguments);
            for part in ["km/crt", "km", "shared"] {
                clang.arg("-isystem").arg(include.join(part));
            }
            files::run(CLANG, clang.arg("-c").arg(source).arg("-o").arg(&object))?;
            objects.push(object);
        }
        let libraries = root.join("Lib").join(VERSION).join("km/x64");
        let mut linker = Command::new(LINKER);
        linker.args(LINKER_ARGUMENTS).args(objects).args(LIBRARIES.map(|name| libraries.join(name)));
        let mut output = std::ffi::OsString::from("/OUT:");
        output.push(image);
        files::run(LINKER, linker.arg(output))
    }
}
