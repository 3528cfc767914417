//! The tree's `Lib` directory.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{Error, Sources, files};

const CLANG: &str = "clang-19";
const LLVM_DLLTOOL: &str = "llvm-dlltool-19";
const LLVM_LIB: &str = "llvm-lib-19";

/// One library of the tree and what it is made of.
struct Library {
    name: &'static str,
    /// Import libraries of mingw-w64.
    of_mingw: &'static [&'static str],
    /// Module definition files of the kit, for what those lack.
    definitions: &'static [&'static str],
    /// C sources of the kit.
    sources: &'static [&'static str],
}

const LIBRARIES: [Library; 6] = [
    Library { name: "ntoskrnl", of_mingw: &["libntoskrnl.a"], definitions: &["ntoskrnl.def"], sources: &[] },
    Library { name: "hal", of_mingw: &["libhal.a"], definitions: &[], sources: &[] },
    Library { name: "wmilib", of_mingw: &["libwmilib.a"], definitions: &[], sources: &[] },
    Library { name: "netio", of_mingw: &["libnetio.a"], definitions: &[], sources: &[] },
    // Static in the WDK too: code that becomes part of the driver.
    Library { name: "wdmsec", of_mingw: &[], definitions: &[], sources: &["wdmsec.c", "sddl.c"] },
    Library { name: "BufferOverflowFastFailK", of_mingw: &[], definitions: &[], sources: &["load_config.c"] },
];

/// The kit's own files: sources, their headers, and module definitions.
const OWN: [(&str, &str); 5] = [
    ("load_config.c", include_str!("../lib/load_config.c")),
    ("ntoskrnl.def", include_str!("../lib/ntoskrnl.def")),
    ("sddl.c", include_str!("../lib/sddl.c")),
    ("sddl.h", include_str!("../lib/sddl.h")),
    ("wdmsec.c", include_str!("../lib/wdmsec.c")),
];

/// How the kit's sources are compiled: for kernel mode, no C library, no warning let pass, guarded indirect calls.
const CLANG_ARGUMENTS: [&str; 13] = [
    "--target=x86_64-pc-windows-gnu",
    "-std=gnu11",
    // mingw-w64 writes FORCEINLINE as GNU's `extern inline`, which in C11 would define the functions in every object.
    "-fgnu89-inline",
    "-ffreestanding",
    "-fms-extensions",
    "-fno-ident",
    "-mno-implicit-float",
    "-nostdinc",
    "-O2",
    "-Wall",
    "-Wextra",
    "-Werror",
    "-Wno-multichar",
];

/// Arranges the directory `directory`, with the headers that [`crate::headers`] arranged in `include`. What is made on the way
/// is put into the directory `work`.
pub(crate) fn arrange(sources: &Sources, include: &Path, directory: &Path, work: &Path) -> Result<(), Error> {
    files::create_directory(directory)?;
    files::create_directory(work)?;
    for (name, contents) in OWN {
        files::write(&work.join(name), contents.as_bytes())?;
    }
    for library in &LIBRARIES {
        let members = members(library, sources, include, work)?;
        let file = format!("{}.lib", library.name);
        let built = work.join(&file);
        let mut archive = Command::new(LLVM_LIB);
        archive.arg("/nologo").arg("/machine:x64");
        let mut output = std::ffi::OsString::from("/out:");
        output.push(&built);
        files::run(LLVM_LIB, archive.arg(output).args(members))?;
        let contents = fs::read(&built).map_err(files::failed("read", &built))?;
        files::write(&directory.join(file), &contents)?;
    }
    Ok(())
}

/// The archives and objects that `library` consists of.
fn members(library: &Library, sources: &Sources, include: &Path, work: &Path) -> Result<Vec<PathBuf>, Error> {
    let mut members: Vec<PathBuf> = library.of_mingw.iter().map(|name| sources.mingw_libraries.join(name)).collect();
    for definition in library.definitions {
        let archive = work.join(definition).with_extension("def.lib");
        let mut dlltool = Command::new(LLVM_DLLTOOL);
        dlltool.args(["-m", "i386:x86-64", "-d"]).arg(work.join(definition)).arg("-l").arg(&archive);
        files::run(LLVM_DLLTOOL, &mut dlltool)?;
        members.push(archive);
    }
    for source in library.sources {
        let object = work.join(source).with_extension("obj");
        let mut clang = Command::new(CLANG);
        clang.args(CLANG_ARGUMENTS).args(["-Xclang", "-cfguard"]);
        for directory in ["km/crt", "km", "shared"] {
            clang.arg("-isystem").arg(include.join(directory));
        }
        // From the file's own directory and by its bare name, so that the object does not depend on where the tree is.
        clang.current_dir(work).args(["-c", source, "-o"]).arg(&object);
        files::run(CLANG, &mut clang)?;
        members.push(object);
    }
    Ok(members)
}
