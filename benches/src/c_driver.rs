//! Building the drivers in C that ours is measured against, with the kit: as any driver in C can be built on Linux.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use netio_anycast_kit::Sources;
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
    let (object, image) = (directory.join(format!("{name}.obj")), directory.join(format!("{name}.sys")));
    compile(&kit, name, &object)?;
    link(&kit, &object, &image)?;
    Ok(image)
}

fn compile(kit: &Path, name: &str, object: &Path) -> Result<()> {
    let include = kit.join("Include").join(netio_anycast_kit::VERSION);
    let mut clang = Command::new("clang-19");
    clang.args(["--target=x86_64-pc-windows-gnu", "-std=gnu11", "-fgnu89-inline", "-nostdinc", "-fms-extensions"]);
    // As release builds of drivers are, and as Rust's are.
    clang.args(["-O2", "-g", "-gcodeview", "-ffreestanding", "-fno-stack-protector", "-mno-red-zone"]);
    clang.args(["-D_AMD64_", "-D_WIN64", "-Wall", "-Wextra", "-Werror"]);
    clang.args(CODES.map(|(name, operation)| format!("-D{name}={:#x}u", operation.definition().control_code())));
    for part in ["km/crt", "km", "shared"] {
        clang.arg("-isystem").arg(include.join(part));
    }
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("{name}.c"));
    run(clang.arg("-c").arg(source).arg("-o").arg(object))
}

fn link(kit: &Path, object: &Path, image: &Path) -> Result<()> {
    let libraries = kit.join("Lib").join(netio_anycast_kit::VERSION).join("km/x64");
    let mut linker = Command::new("lld-link-19");
    linker.args(["/DRIVER", "/NODEFAULTLIB", "/SUBSYSTEM:NATIVE", "/ENTRY:DriverEntry", "/DYNAMICBASE", "/NXCOMPAT"]);
    linker.args(["/DEBUG", "/MACHINE:X64", "/NOLOGO"]);
    linker.arg(object).arg(libraries.join("ntoskrnl.lib")).arg(libraries.join("netio.lib"));
    run(linker.arg(format!("/OUT:{}", image.display())))
}

fn run(command: &mut Command) -> Result<()> {
    let output = command.output().with_context(|| format!("cannot run {command:?}"))?;
    let (text, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    ensure!(output.status.success(), "{command:?} failed:\n{text}{errors}");
    Ok(())
}
