//! Builds what the driver needs besides its own source: NetIO's bindings, the version resource, and the linker's orders.
//!
//! The same on Windows, with the published wdk-build, and on Linux, with the port of it in `cross/wdk-build`.

use std::{env, fs, path::Path};

use anyhow::Context as _;
use wdk_build::{ApiSubset, BuilderExt as _, Config};

/// The functions that are bound: NetIO's, and the one of wdmsec.lib, which wdk-sys leaves out.
const FUNCTIONS: [&str; 8] = [
    "ConvertInterfaceIndexToLuid",
    "ConvertInterfaceLuidToIndex",
    "CreateAnycastIpAddressEntry",
    "DeleteAnycastIpAddressEntry",
    "FreeMibTable",
    "GetAnycastIpAddressEntry",
    "GetAnycastIpAddressTable",
    "WdmlibIoCreateDeviceSecure",
];

/// The types that are bound, besides those that the functions name.
const TYPES: [&str; 2] = ["MIB_ANYCASTIPADDRESS_ROW", "MIB_ANYCASTIPADDRESS_TABLE"];

/// What wdk-build keeps out of all bindings, as deprecated: it is all that a kernel before Windows 10 version 2004 has.
const EX_ALLOCATE_POOL_WITH_TAG: &str = "unsafe extern \"C\" {
    pub fn ExAllocatePoolWithTag(PoolType: POOL_TYPE, NumberOfBytes: SIZE_T, Tag: ULONG) -> PVOID;
}";

/// Structures of wdk-sys that the functions name. They must stay wdk-sys' own: a second definition would be another type.
const WDK_SYS_STRUCTURES: [&str; 4] = ["_DEVICE_OBJECT", "_DRIVER_OBJECT", "_GUID", "_UNICODE_STRING"];

fn main() -> anyhow::Result<()> {
    let config = Config::from_env_auto()?;
    config.configure_binary_build()?;
    // A checksum in the header, as the WDK's own build has it: Windows verifies that of a driver.
    println!("cargo::rustc-cdylib-link-arg=/RELEASE");
    link_libraries(&config)?;

    let out_dir = env::var_os("OUT_DIR").context("cargo sets OUT_DIR for a build script")?;
    generate_bindings(&config, Path::new(&out_dir))?;
    compile_version_resource(Path::new(&out_dir))
}

/// Links Netio.lib, an import library, and wdmsec.lib, whose code becomes part of the driver.
fn link_libraries(config: &Config) -> anyhow::Result<()> {
    println!("cargo::rustc-link-lib=dylib=netio");
    println!("cargo::rustc-link-lib=static:-bundle=wdmsec");
    for directory in config.library_paths()? {
        println!("cargo::rerun-if-changed={}", directory.display());
    }
    Ok(())
}

/// Binds NetIO's declarations from `netioapi.h`, on the types of wdk-sys.
fn generate_bindings(config: &Config, out_dir: &Path) -> anyhow::Result<()> {
    let mut header = config.bindgen_header_contents([ApiSubset::Base])?;
    for name in ["netioapi.h", "wdmsec.h"] {
        header.extend(["#include <", name, ">\n"]);
    }
    let mut builder = bindgen::Builder::wdk_default(config)?
        .header_contents("netio-input.h", &header)
        .raw_line(EX_ALLOCATE_POOL_WITH_TAG);
    for function in FUNCTIONS {
        builder = builder.allowlist_function(function);
    }
    for name in TYPES {
        builder = builder.allowlist_type(name);
    }
    for structure in WDK_SYS_STRUCTURES {
        builder = builder.blocklist_type(structure);
    }
    let file = out_dir.join("netio.rs");
    builder
        .generate()
        .context("bindgen cannot read the WDK's netioapi.h")?
        .write_to_file(&file)
        .with_context(|| format!("cannot write {}", file.display()))
}

/// Compiles and links the resource that Windows shows as the file's version.
fn compile_version_resource(out_dir: &Path) -> anyhow::Result<()> {
    let source = out_dir.join("version.rc");
    fs::write(&source, version_resource()).with_context(|| format!("cannot write {}", source.display()))?;
    embed_resource::compile_for_everything(&source, embed_resource::NONE)
        .manifest_required()
        .context("cannot compile the version resource")
}

/// The resource's source. Format: the page "VERSIONINFO resource" (win32/menurc/versioninfo-resource).
fn version_resource() -> String {
    let version = env!("CARGO_PKG_VERSION");
    let numbers = concat!(
        env!("CARGO_PKG_VERSION_MAJOR"),
        ",",
        env!("CARGO_PKG_VERSION_MINOR"),
        ",",
        env!("CARGO_PKG_VERSION_PATCH"),
        ",0"
    );
    let strings = [
        ("CompanyName", "The netio-anycast contributors"),
        ("FileDescription", "netio-anycast: anycast addresses through NetIO"),
        ("FileVersion", version),
        ("InternalName", "netio_anycast"),
        ("LegalCopyright", "The netio-anycast contributors; MIT OR Apache-2.0"),
        ("OriginalFilename", "netio_anycast.sys"),
        ("ProductName", "netio-anycast"),
        ("ProductVersion", version),
    ];
    let values = strings.map(|(name, value)| format!("VALUE \"{name}\", \"{value}\"\n")).concat();
    // FILEOS: Windows NT. FILETYPE, FILESUBTYPE: a driver of no particular kind. 0409, 04B0 (1200): US English, Unicode.
    format!(
        "1 VERSIONINFO\nFILEVERSION {numbers}\nPRODUCTVERSION {numbers}\n\
         FILEFLAGSMASK 0x3F\nFILEFLAGS 0\nFILEOS 0x40004\nFILETYPE 3\nFILESUBTYPE 7\n\
         BEGIN\nBLOCK \"StringFileInfo\"\nBEGIN\nBLOCK \"040904B0\"\nBEGIN\n{values}END\nEND\n\
         BLOCK \"VarFileInfo\"\nBEGIN\nVALUE \"Translation\", 0x0409, 1200\nEND\nEND\n"
    )
}
