//! The controls: copies of the image with one property broken.

use object::LittleEndian as LE;
use object::pe;

use crate::image::Image;

/// `Subsystem`, `DllCharacteristics` and the data directories, from the start of the optional header.
/// Source: <https://learn.microsoft.com/windows/win32/debug/pe-format#optional-header-image-only>
const SUBSYSTEM: usize = 68;
const DLL_CHARACTERISTICS: usize = 70;
const DATA_DIRECTORIES: usize = 112;

/// `GuardFlags` from the start of `IMAGE_LOAD_CONFIG_DIRECTORY64`.
pub(crate) const GUARD_FLAGS_IN_LOAD_CONFIGURATION: usize = 0x90;

/// Where the optional header starts in the file: behind the PE signature and the file header.
pub(crate) fn optional_header_offset(image: &Image) -> usize {
    image.pe().dos_header().nt_headers_offset() as usize + 24
}

fn with(image: &Image, offset: usize, content: &[u8]) -> Vec<u8> {
    let mut bytes = image.bytes().to_vec();
    bytes[offset..offset + content.len()].copy_from_slice(content);
    bytes
}

fn without_characteristic(image: &Image, flag: u16) -> Vec<u8> {
    let characteristics = image.dll_characteristics() & !flag;
    with(image, optional_header_offset(image) + DLL_CHARACTERISTICS, &characteristics.to_le_bytes())
}

pub(crate) fn windows_subsystem(image: &Image) -> Vec<u8> {
    with(image, optional_header_offset(image) + SUBSYSTEM, &pe::IMAGE_SUBSYSTEM_WINDOWS_CUI.0.to_le_bytes())
}

pub(crate) fn arm64_machine(image: &Image) -> Vec<u8> {
    with(image, optional_header_offset(image) - 20, &pe::IMAGE_FILE_MACHINE_ARM64.0.to_le_bytes())
}

pub(crate) fn without_nx(image: &Image) -> Vec<u8> {
    without_characteristic(image, pe::IMAGE_DLLCHARACTERISTICS_NX_COMPAT.0)
}

pub(crate) fn without_dynamic_base(image: &Image) -> Vec<u8> {
    without_characteristic(image, pe::IMAGE_DLLCHARACTERISTICS_DYNAMIC_BASE.0)
}

pub(crate) fn without_relocations(image: &Image) -> Vec<u8> {
    let entry = optional_header_offset(image) + DATA_DIRECTORIES + pe::IMAGE_DIRECTORY_ENTRY_BASERELOC * 8;
    with(image, entry, &[0; 8])
}

pub(crate) fn without_forced_integrity(image: &Image) -> Vec<u8> {
    without_characteristic(image, pe::IMAGE_DLLCHARACTERISTICS_FORCE_INTEGRITY.0)
}

pub(crate) fn without_guard_cf(image: &Image) -> Vec<u8> {
    without_characteristic(image, pe::IMAGE_DLLCHARACTERISTICS_GUARD_CF.0)
}

pub(crate) fn without_guard_flags(image: &Image) -> Vec<u8> {
    let directory = image.directory(pe::IMAGE_DIRECTORY_ENTRY_LOAD_CONFIG).expect("there is a load configuration");
    with(image, position(image, directory) + GUARD_FLAGS_IN_LOAD_CONFIGURATION, &[0; 4])
}

pub(crate) fn writable_code(image: &Image) -> Vec<u8> {
    const CHARACTERISTICS_IN_SECTION_HEADER: usize = 36;
    const SECTION_HEADER: usize = 40;

    let headers = image.nt_headers();
    let first = optional_header_offset(image) + headers.file_header.size_of_optional_header.get(LE) as usize;
    let code = image
        .sections()
        .position(|section| section.characteristics.get(LE).0 & pe::IMAGE_SCN_MEM_EXECUTE.0 != 0)
        .expect("an image has code");
    let characteristics = (pe::IMAGE_SCN_MEM_EXECUTE | pe::IMAGE_SCN_MEM_READ | pe::IMAGE_SCN_MEM_WRITE).0;
    let offset = first + code * SECTION_HEADER + CHARACTERISTICS_IN_SECTION_HEADER;
    with(image, offset, &characteristics.to_le_bytes())
}

pub(crate) fn flipped_byte(image: &Image) -> Vec<u8> {
    let last = image.bytes().len() - 1;
    with(image, last, &[image.bytes()[last] ^ 1])
}

pub(crate) fn other_pdb_signature(image: &Image) -> Vec<u8> {
    let guid = position(image, b"RSDS") + 4;
    with(image, guid, &[0xAA; 16])
}

pub(crate) fn other_version(image: &Image) -> Vec<u8> {
    let version = position(image, &0xFEEF_04BD_u32.to_le_bytes()) + 8;
    with(image, version, &[0xEE; 2])
}

pub(crate) fn imports_ke_bug_check_ex(image: &Image) -> Vec<u8> {
    with(image, position(image, b"IofCompleteRequest\0"), b"KeBugCheckEx\0")
}

pub(crate) fn exports_something_unknown(image: &Image) -> Vec<u8> {
    with(image, position(image, b"DriverEntry\0"), b"DriverEntrY\0")
}

pub(crate) fn imports_something_unknown(image: &Image) -> Vec<u8> {
    with(image, position(image, b"IofCompleteRequest\0"), b"IofCompleteRequesT\0")
}

/// Where `pattern` stands in the file.
fn position(image: &Image, pattern: &[u8]) -> usize {
    image.bytes().windows(pattern.len()).position(|window| window == pattern).expect("the image contains the pattern")
}
