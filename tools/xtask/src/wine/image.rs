//! The import tables of kernel modules: what Wine does not check before a driver runs, and the one name that is changed in
//! the copy of the driver that runs there.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use object::LittleEndian;
use object::read::pe::{Import, PeFile64};

/// The module that the driver imports the kernel's functions from.
pub(crate) const KERNEL: &str = "ntoskrnl.exe";
/// The module that the deployed copy imports them from: the kernel extension. As long as [`KERNEL`], so that it fits in its
/// place.
pub(crate) const KERNEL_EXTENSION: &str = "ntoswine.exe";
const _: () = assert!(KERNEL.len() == KERNEL_EXTENSION.len());

/// The image of a driver with the kernel extension in the kernel's place: that name in its import table is changed, as often as
/// it is there (a linker may make one descriptor for each import library), and nothing else.
///
/// # Errors
/// The file is no 64-bit image, or does not import from the kernel.
pub(crate) fn with_kernel_extension(image: &[u8]) -> Result<Vec<u8>> {
    let file = PeFile64::parse(image).context("the driver is not a 64-bit image")?;
    let table = file.import_table()?.context("the driver imports nothing")?;
    let mut places = BTreeSet::new();
    let mut descriptors = table.descriptors()?;
    while let Some(descriptor) = descriptors.next()? {
        let address = descriptor.name.get(LittleEndian);
        if table.name(address)?.eq_ignore_ascii_case(KERNEL.as_bytes()) {
            places.insert(address);
        }
    }
    ensure!(!places.is_empty(), "the driver does not import from {KERNEL}");
    let sections = file.section_table();
    let mut changed = image.to_vec();
    for address in places {
        let (offset, _) = sections
            .iter()
            .find_map(|section| section.pe_file_range_at(address))
            .context("the name of an imported module is outside the image's sections")?;
        let offset = usize::try_from(offset)?;
        let place =
            changed.get_mut(offset..offset + KERNEL.len()).context("the name of an imported module is cut off")?;
        ensure!(place.eq_ignore_ascii_case(KERNEL.as_bytes()), "the import table's name is not where it should be");
        place.copy_from_slice(KERNEL_EXTENSION.as_bytes());
    }
    Ok(changed)
}

/// Checks that everything which the driver imports is there: Wine lets a driver with a missing function run, and ends the
/// kernel host when it calls it.
///
/// # Errors
/// A module or a function is missing, each of which is named.
pub(crate) fn check_imports(driver: &Path, kernel_extension: &Path, netio: &Path) -> Result<()> {
    let kernel = exports(kernel_extension)?;
    let netio = exports(netio)?;
    let mut missing = Vec::new();
    for (module, function) in imports(driver)? {
        let exported = match module.to_ascii_lowercase().as_str() {
            KERNEL => kernel.contains(&function),
            "netio.sys" => netio.contains(&function),
            _ => false,
        };
        if !exported {
            missing.push(format!("{module}!{function}"));
        }
    }
    ensure!(
        missing.is_empty(),
        "{} imports what there is not in Wine: {}; implement it in cross/wine/kernel-extension",
        driver.display(),
        missing.join(", ")
    );
    Ok(())
}

/// Checks that each function which the kernel extension implements is used by one of these drivers, so that none of its code goes
/// untested.
///
/// # Errors
/// One is not; each is named.
pub(crate) fn check_is_used(kernel_extension: &Path, drivers: &[PathBuf]) -> Result<()> {
    let mut used = BTreeSet::new();
    for driver in drivers {
        used.extend(imports(driver)?.into_iter().map(|(_, function)| function));
    }
    let exports = exports(kernel_extension)?;
    // By this name its functions are exported as well, since they are linked by it.
    let implemented = exports.iter().filter_map(|name| name.strip_prefix("extension_"));
    let unused: Vec<&str> = implemented.filter(|name| !used.contains(*name)).collect();
    ensure!(
        unused.is_empty(),
        "no driver of the tests uses what {} implements: {}; have the probe try it, or take it away",
        kernel_extension.display(),
        unused.join(", ")
    );
    Ok(())
}

/// Checks that the netio.sys for Wine imports from the kernel alone: Wine calls the entry point of a module that imports
/// ntdll.dll as `DllMain`.
///
/// # Errors
/// It imports from elsewhere.
pub(crate) fn check_kernel_module(netio: &Path) -> Result<()> {
    let modules: BTreeSet<String> =
        imports(netio)?.into_iter().map(|(module, _)| module.to_ascii_lowercase()).collect();
    ensure!(
        modules.iter().eq([KERNEL]),
        "{} may import from {KERNEL} alone, and imports from {modules:?}: Wine would not take it for a kernel module",
        netio.display()
    );
    Ok(())
}

/// The functions that an image imports, with their modules.
fn imports(path: &Path) -> Result<Vec<(String, String)>> {
    let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let file =
        PeFile64::parse(bytes.as_slice()).with_context(|| format!("{} is not a 64-bit image", path.display()))?;
    let table = file.import_table()?.with_context(|| format!("{} imports nothing", path.display()))?;
    let mut found = Vec::new();
    let mut descriptors = table.descriptors()?;
    while let Some(descriptor) = descriptors.next()? {
        let module = str::from_utf8(table.name(descriptor.name.get(LittleEndian))?)?;
        let mut thunks = table.thunks(descriptor.original_first_thunk.get(LittleEndian))?;
        while let Some(thunk) = thunks.next::<object::pe::ImageNtHeaders64>()? {
            let function = match table.import::<object::pe::ImageNtHeaders64>(thunk)? {
                Import::Name(_, name) => str::from_utf8(name)?.to_owned(),
                Import::Ordinal(ordinal) => format!("#{ordinal}"),
            };
            found.push((module.to_owned(), function));
        }
    }
    Ok(found)
}

/// The functions that an image exports.
fn exports(path: &Path) -> Result<BTreeSet<String>> {
    let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let file =
        PeFile64::parse(bytes.as_slice()).with_context(|| format!("{} is not a 64-bit image", path.display()))?;
    let table = file.export_table()?.with_context(|| format!("{} exports nothing", path.display()))?;
    let names = table.exports()?.into_iter().filter_map(|export| export.name);
    names.map(|name| Ok(str::from_utf8(name)?.to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where the only section is, in the file and in memory.
    const SECTION: u32 = 0x1000;
    /// How long that section is.
    const SECTION_SIZE: u32 = 0x200;

    /// The smallest 64-bit image that imports from these modules: headers, and one section with the import table at its
    /// start and the names after it.
    fn image_importing_from(modules: &[&str]) -> Vec<u8> {
        const PE_HEADER: usize = 0x40;
        const OPTIONAL_HEADER: usize = PE_HEADER + 24;
        const SECTION_HEADER: usize = OPTIONAL_HEADER + 240;
        let mut image = vec![0; (SECTION + SECTION_SIZE) as usize];
        let mut put = |offset: usize, bytes: &[u8]| image[offset..offset + bytes.len()].copy_from_slice(bytes);
        put(0, b"MZ");
        put(0x3C, &0x40_u32.to_le_bytes());
        put(PE_HEADER, b"PE\0\0");
        // Machine, then (at 6) one section, then (at 20) the size of the optional header.
        put(PE_HEADER + 4, &0x8664_u16.to_le_bytes());
        put(PE_HEADER + 6, &1_u16.to_le_bytes());
        put(PE_HEADER + 20, &240_u16.to_le_bytes());
        // The magic number of 64-bit images, 16 data directories, of which the second is the import table.
        put(OPTIONAL_HEADER, &0x20B_u16.to_le_bytes());
        put(OPTIONAL_HEADER + 108, &16_u32.to_le_bytes());
        put(OPTIONAL_HEADER + 120, &SECTION.to_le_bytes());
        put(OPTIONAL_HEADER + 124, &SECTION_SIZE.to_le_bytes());
        for (offset, value) in [(8, SECTION_SIZE), (12, SECTION), (16, SECTION_SIZE), (20, SECTION)] {
            put(SECTION_HEADER + offset, &value.to_le_bytes());
        }
        let mut descriptor = SECTION as usize;
        let mut name = SECTION + 0x100;
        for module in modules {
            // What is imported does not matter here; a table without entries is at the end of the section.
            put(descriptor, &(SECTION + SECTION_SIZE - 8).to_le_bytes());
            put(descriptor + 12, &name.to_le_bytes());
            put(name as usize, module.as_bytes());
            descriptor += 20;
            name += u32::try_from(module.len()).expect("a short name") + 1;
        }
        image
    }

    #[test]
    fn the_kernels_name_is_changed_wherever_it_is_and_nothing_else() {
        for kernels in [&["ntoskrnl.exe"][..], &["NTOSKRNL.EXE"], &["ntoskrnl.exe", "ntoskrnl.exe"]] {
            let image = image_importing_from(&[&["NETIO.SYS"], kernels].concat());
            let changed = with_kernel_extension(&image).expect("the image imports from the kernel");
            let extensions = vec![KERNEL_EXTENSION; kernels.len()];
            assert_eq!(changed, image_importing_from(&[&["NETIO.SYS"], extensions.as_slice()].concat()));
        }
    }

    #[test]
    fn an_image_that_does_not_import_from_the_kernel_is_refused() {
        let error = with_kernel_extension(&image_importing_from(&["NETIO.SYS"])).expect_err("there is no such name");
        assert!(error.to_string().contains("does not import from ntoskrnl.exe"), "{error}");
    }

    #[test]
    fn what_is_no_image_is_refused() {
        let image = image_importing_from(&["ntoskrnl.exe"]);
        for broken in [&b"not an image"[..], &[], &image[..0x100]] {
            with_kernel_extension(broken).expect_err("there is no import table");
        }
    }
}
