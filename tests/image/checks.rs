//! The checks over the image's headers, sections and resources.

use object::LittleEndian as LE;
use object::pe;
use object::read::pe::ImageOptionalHeader as _;

use crate::image::Image;

/// A check: the reason if the image does not have the property.
pub(crate) type Check = fn(&Image) -> Result<(), String>;

/// `Err` with `reason` unless `holds`.
fn ensure(holds: bool, reason: impl Into<String>) -> Result<(), String> {
    if holds { Ok(()) } else { Err(reason.into()) }
}

fn has_characteristic(image: &Image, flag: u16, name: &str) -> Result<(), String> {
    ensure(image.dll_characteristics() & flag != 0, format!("DllCharacteristics lacks {name}"))
}

pub(crate) fn native_x64(image: &Image) -> Result<(), String> {
    let headers = image.nt_headers();
    let machine = headers.file_header.machine.get(LE);
    ensure(machine == pe::IMAGE_FILE_MACHINE_AMD64, format!("the machine is {machine:?}, not AMD64"))?;
    let subsystem = headers.optional_header.subsystem();
    ensure(subsystem == pe::IMAGE_SUBSYSTEM_NATIVE, format!("the subsystem is {subsystem:?}, not native"))
}

pub(crate) fn nx_and_relocatable(image: &Image) -> Result<(), String> {
    has_characteristic(image, pe::IMAGE_DLLCHARACTERISTICS_NX_COMPAT.0, "NX_COMPAT")?;
    has_characteristic(image, pe::IMAGE_DLLCHARACTERISTICS_DYNAMIC_BASE.0, "DYNAMIC_BASE")?;
    ensure(image.directory(pe::IMAGE_DIRECTORY_ENTRY_BASERELOC).is_some(), "there are no base relocations")
}

pub(crate) fn forced_integrity(image: &Image) -> Result<(), String> {
    has_characteristic(image, pe::IMAGE_DLLCHARACTERISTICS_FORCE_INTEGRITY.0, "FORCE_INTEGRITY")
}

pub(crate) fn control_flow_guard(image: &Image) -> Result<(), String> {
    /// The flag of `GuardFlags` that the code is instrumented.
    const GUARD_CF_INSTRUMENTED: u32 = 0x100;

    has_characteristic(image, pe::IMAGE_DLLCHARACTERISTICS_GUARD_CF.0, "GUARD_CF")?;
    let directory = image.directory(pe::IMAGE_DIRECTORY_ENTRY_LOAD_CONFIG).ok_or("there is no load configuration")?;
    let flags = directory
        .get(crate::mutation::GUARD_FLAGS_IN_LOAD_CONFIGURATION..)
        .and_then(|rest| rest.first_chunk())
        .map(|bytes| u32::from_le_bytes(*bytes))
        .ok_or("the load configuration is too short for GuardFlags")?;
    ensure(flags & GUARD_CF_INSTRUMENTED != 0, format!("GuardFlags {flags:#x} lack CF_INSTRUMENTED"))
}

pub(crate) fn no_writable_code(image: &Image) -> Result<(), String> {
    for section in image.sections() {
        let characteristics = section.characteristics.get(LE);
        let both = (pe::IMAGE_SCN_MEM_WRITE | pe::IMAGE_SCN_MEM_EXECUTE).0;
        let name = String::from_utf8_lossy(&section.name);
        ensure(characteristics.0 & both != both, format!("section {name} is writable and executable"))?;
    }
    Ok(())
}

/// The image checksum, which the loader requires of drivers: a 16-bit sum with end-around carry over the file, its own
/// field left out, plus the file's length.
/// Source: <https://learn.microsoft.com/windows/win32/debug/pe-format#optional-header-windows-specific-fields-image-only>
pub(crate) fn checksum(image: &Image) -> Result<(), String> {
    const CHECKSUM_IN_OPTIONAL_HEADER: usize = 64;

    let field = crate::mutation::optional_header_offset(image) + CHECKSUM_IN_OPTIONAL_HEADER;
    let mut sum: u32 = 0;
    for (word_number, word) in image.bytes().chunks(2).enumerate() {
        let offset = word_number * 2;
        if (field..field + 4).contains(&offset) {
            continue;
        }
        sum += u32::from(word[0]) | word.get(1).map_or(0, |byte| u32::from(*byte) << 8);
        sum = (sum & 0xFFFF) + (sum >> 16);
    }
    let computed = sum + u32::try_from(image.bytes().len()).expect("a driver is smaller than 4 GiB");
    let stored = image.nt_headers().optional_header.check_sum.get(LE);
    ensure(stored == computed, format!("the header has {stored:#x}, the content gives {computed:#x}"))
}

/// The CodeView record says which PDB belongs to the image; debuggers and Driver Verifier's reports follow it.
pub(crate) fn pdb(image: &Image) -> Result<(), String> {
    const CODE_VIEW_SIGNATURE: &[u8] = b"RSDS";
    const GUID_AND_AGE: usize = 20;

    let pe = image.pe();
    let record = object::Object::pdb_info(&pe)
        .map_err(|error| error.to_string())?
        .ok_or_else(|| format!("there is no {} record", String::from_utf8_lossy(CODE_VIEW_SIGNATURE)))?;
    let name = String::from_utf8_lossy(record.path());
    let name = name.rsplit(['/', '\\']).next().unwrap_or_default();
    ensure(name == "netio_anycast.pdb", format!("the PDB is named {name}"))?;
    let Some(path) = image.path() else {
        return Err("the image is no file with a PDB beside it".to_owned());
    };
    let pdb = std::fs::read(path.with_file_name(name)).map_err(|error| format!("{name}: {error}"))?;
    let guid = record.guid();
    debug_assert_eq!(guid.len() + 4, GUID_AND_AGE);
    ensure(pdb.windows(guid.len()).any(|window| window == guid), format!("{name} is of another build"))
}

pub(crate) fn version_resource(image: &Image) -> Result<(), String> {
    /// `VS_FIXEDFILEINFO.dwSignature`, which `dwFileVersionMS` and `LS` follow after the struct's own version.
    const SIGNATURE: [u8; 4] = 0xFEEF_04BD_u32.to_le_bytes();

    let resources = image.directory(pe::IMAGE_DIRECTORY_ENTRY_RESOURCE).ok_or("there are no resources")?;
    let position = resources
        .windows(SIGNATURE.len())
        .position(|window| window == SIGNATURE)
        .ok_or("there is no version resource")?;
    let word = |offset: usize| {
        let bytes = resources.get(position + offset..).and_then(|rest| rest.first_chunk());
        bytes.map(|bytes| u16::from_le_bytes(*bytes)).ok_or("the version resource is cut short")
    };
    let version = format!("{}.{}.{}", word(10)?, word(8)?, word(14)?);
    ensure(version == env!("CARGO_PKG_VERSION"), format!("the version is {version}"))
}
