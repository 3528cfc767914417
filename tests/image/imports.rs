//! The checks over the import table.

use std::collections::BTreeMap;

use object::LittleEndian as LE;
use object::pe::ImageNtHeaders64;
use object::read::pe::Import;
use serde::Deserialize;

use crate::image::Image;

/// What the driver may import, with the source that says since when Windows exports it.
const WINDOWS_EXPORTS: &str = include_str!("windows-exports.toml");

#[derive(Deserialize)]
struct WindowsExports {
    /// By module, then by function: the page or header that tells since when it is there.
    modules: BTreeMap<String, BTreeMap<String, String>>,
}

/// Every imported function: its module in lower case, and its name.
pub(crate) fn imported(image: &Image) -> Result<Vec<(String, String)>, String> {
    read_import_table(image).map_err(|error| format!("the import table is damaged: {error}"))
}

fn read_import_table(image: &Image) -> object::Result<Vec<(String, String)>> {
    let mut functions = Vec::new();
    let Some(table) = image.pe().import_table()? else {
        return Ok(functions);
    };
    let mut descriptors = table.descriptors()?;
    while let Some(descriptor) = descriptors.next()? {
        let module = String::from_utf8_lossy(table.name(descriptor.name.get(LE))?).to_lowercase();
        let mut thunks = table.thunks(descriptor.original_first_thunk.get(LE))?;
        while let Some(thunk) = thunks.next::<ImageNtHeaders64>()? {
            let name = match table.import::<ImageNtHeaders64>(thunk)? {
                Import::Name(_, name) => String::from_utf8_lossy(name).into_owned(),
                Import::Ordinal(ordinal) => format!("#{ordinal}"),
            };
            functions.push((module.clone(), name));
        }
    }
    Ok(functions)
}

/// What the image may export. Nobody imports from a driver that is no export driver; rustc exports every symbol that has a
/// name of its own: the entry point, the replacement of ExAllocatePool2 (src/pool.rs), and what wdk-sys and the `wdk` crate
/// supply of the C runtime.
const EXPORTS: [&str; 6] =
    ["DriverEntry", "ExAllocatePool2", "_fltused", "__CxxFrameHandler3", "__CxxFrameHandler4", "__GSHandlerCheck_EH4"];

pub(crate) fn only_known_exports(image: &Image) -> Result<(), String> {
    let pe = image.pe();
    let table = pe.export_table().map_err(|error| error.to_string())?.ok_or("DriverEntry is not exported")?;
    for export in table.exports().map_err(|error| error.to_string())? {
        let name = export.name.map(String::from_utf8_lossy).unwrap_or_default();
        if !EXPORTS.contains(&name.as_ref()) {
            return Err(format!("{name} is exported"));
        }
    }
    Ok(())
}

pub(crate) fn no_bug_check(image: &Image) -> Result<(), String> {
    let functions = imported(image)?;
    match functions.iter().find(|(_, name)| name.starts_with("KeBugCheck")) {
        Some((module, name)) => Err(format!(
            "{module}!{name} is imported: a panic is reachable. `llvm-pdbutil dump --symbols` on the PDB shows from where"
        )),
        None => Ok(()),
    }
}

pub(crate) fn all_exported_by_1809(image: &Image) -> Result<(), String> {
    let exports: WindowsExports = toml::from_str(WINDOWS_EXPORTS).map_err(|error| error.to_string())?;
    let known = |module: &str, name: &str| exports.modules.get(module).is_some_and(|names| names.contains_key(name));
    let unknown: Vec<String> = imported(image)?
        .into_iter()
        .filter(|(module, name)| !known(module, name))
        .map(|(module, name)| format!("{module}!{name}"))
        .collect();
    if unknown.is_empty() {
        Ok(())
    } else {
        Err(format!(
            "imported, but not listed in tests/image/windows-exports.toml as exported since Windows 10 1809: {}",
            unknown.join(", ")
        ))
    }
}
