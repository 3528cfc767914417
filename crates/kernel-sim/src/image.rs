//! The driver's image: read from a PE file, laid out as the Windows loader does, and mapped.
//!
//! Source: <https://learn.microsoft.com/windows/win32/debug/pe-format>

mod blocks;
mod call_sites;
mod constants;
mod mapped;
mod symbols;
mod unwind;

use std::path::{Path, PathBuf};

use object::LittleEndian as LE;
use object::pe::{self, ImageNtHeaders64};
use object::read::pe::{Import, PeFile64};
use object::{FileKind, Object as _};
use thiserror::Error;

pub(crate) use blocks::BREAKPOINT;
pub use call_sites::CallSite;
pub(crate) use mapped::{Alias, MappedImage};
pub use symbols::Place;
pub(crate) use unwind::{RuntimeFunction, StackPointers, call_stack};

/// The largest image that is mapped: a damaged header must not make the simulator ask for terabytes.
const MAX_IMAGE: usize = 256 << 20;

/// A driver's image that can be loaded on this machine.
#[derive(Clone, Debug)]
pub struct Image {
    bytes: Vec<u8>,
    path: Option<PathBuf>,
}

/// Why an image can't be loaded.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ImageError {
    /// The file can't be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        source: std::io::Error,
    },
    /// It is no PE image at all.
    #[error("this is no PE image: {0}")]
    NotPe(String),
    /// It is for another kind of machine.
    #[error("the image is for {0}, and only images for x64 (machine 0x8664) can run here")]
    OtherMachine(String),
    /// It is a PE image that contradicts itself or ends too early.
    #[error("the image is damaged: {0}")]
    Damaged(String),
    /// It imports what the simulated kernel does not have.
    #[error("the image imports what the simulated kernel lacks: {}", .0.join(", "))]
    UnknownImports(Vec<String>),
    /// There is no memory to map it.
    #[error("cannot map the image: {0}")]
    Map(std::io::Error),
}

impl From<object::Error> for ImageError {
    fn from(error: object::Error) -> Self {
        Self::Damaged(error.to_string())
    }
}

fn damaged(what: impl Into<String>) -> ImageError {
    ImageError::Damaged(what.into())
}

impl Image {
    /// Reads an image file. Its PDB, if it lies beside it under the same name, gives the symbols of reports.
    ///
    /// # Errors
    /// The file can't be read, or as for [`from_bytes`](Self::from_bytes).
    pub fn read(path: &Path) -> Result<Self, ImageError> {
        let read = |source| ImageError::Read { path: path.to_owned(), source };
        let mut image = Self::from_bytes(std::fs::read(path).map_err(read)?)?;
        image.path = Some(path.to_owned());
        Ok(image)
    }

    /// An image from its bytes.
    ///
    /// # Errors
    /// It is no PE image, or not for this machine. Other damage is found when it is loaded.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, ImageError> {
        match FileKind::parse(bytes.as_slice()) {
            Ok(FileKind::Pe64) => {}
            Ok(FileKind::Pe32) => return Err(ImageError::OtherMachine("a 32-bit machine".to_owned())),
            Ok(kind) => return Err(ImageError::NotPe(format!("it is a file of kind {kind:?}"))),
            Err(error) => return Err(ImageError::NotPe(error.to_string())),
        }
        let machine = PeFile64::parse(bytes.as_slice())?.nt_headers().file_header.machine.get(LE);
        if machine != pe::IMAGE_FILE_MACHINE_AMD64 {
            return Err(ImageError::OtherMachine(format!("machine {:#06x}", machine.0)));
        }
        Ok(Self { bytes, path: None })
    }

    /// The bytes of the file.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What stands at an offset of the image, if there is a PDB beside its file that tells: the functions, the innermost first
    /// if some were inlined, with their source lines.
    #[must_use]
    pub fn symbol(&self, offset: usize) -> Option<String> {
        symbols::describe(&self.path.as_ref()?.with_extension("pdb"), offset)
    }

    /// What stands at each of the offsets, as far as there is a PDB beside the image's file that tells: the functions, the
    /// innermost first if some were inlined.
    #[must_use]
    pub fn places(&self, offsets: &[usize]) -> Vec<Vec<Place>> {
        let pdb = self.path.as_ref().map(|path| path.with_extension("pdb"));
        pdb.map_or_else(|| vec![Vec::new(); offsets.len()], |pdb| symbols::places(&pdb, offsets))
    }

    fn pe(&self) -> Result<PeFile64<'_>, ImageError> {
        Ok(PeFile64::parse(self.bytes.as_slice())?)
    }

    /// What it imports: module in lower case, function, and where the address belongs.
    fn imports(&self) -> Result<Vec<(String, String, usize)>, ImageError> {
        let pe = self.pe()?;
        let mut imports = Vec::new();
        let Some(table) = pe.import_table()? else {
            return Ok(imports);
        };
        let mut descriptors = table.descriptors()?;
        while let Some(descriptor) = descriptors.next()? {
            let module = String::from_utf8_lossy(table.name(descriptor.name.get(LE))?).to_lowercase();
            let mut thunks = table.thunks(descriptor.original_first_thunk.get(LE))?;
            let mut slot = descriptor.first_thunk.get(LE) as usize;
            while let Some(thunk) = thunks.next::<ImageNtHeaders64>()? {
                let name = match table.import::<ImageNtHeaders64>(thunk)? {
                    Import::Name(_, name) => String::from_utf8_lossy(name).into_owned(),
                    Import::Ordinal(ordinal) => format!("#{ordinal}"),
                };
                imports.push((module.clone(), name, slot));
                slot += size_of::<u64>();
            }
        }
        Ok(imports)
    }

    /// The imports as "module!function", in the order of the import table.
    ///
    /// # Errors
    /// The import table is damaged.
    pub fn import_names(&self) -> Result<Vec<String>, ImageError> {
        Ok(self.imports()?.into_iter().map(|(module, name, _)| format!("{module}!{name}")).collect())
    }

    fn size(&self) -> Result<usize, ImageError> {
        let size = self.pe()?.nt_headers().optional_header.size_of_image.get(LE) as usize;
        if size == 0 || size > MAX_IMAGE { Err(damaged(format!("its size is said to be {size}"))) } else { Ok(size) }
    }

    /// The image's bytes as they stand in memory at `base`, with the imports bound by `bind`.
    fn lay_out(&self, base: usize, bind: impl Fn(&str, &str) -> Option<usize>) -> Result<Vec<u8>, ImageError> {
        let mut view = self.view()?;
        self.relocate(&mut view, base)?;
        let mut unknown = Vec::new();
        for (module, name, slot) in self.imports()? {
            match bind(&module, &name) {
                Some(address) => put(&mut view, slot, address as u64)?,
                None => unknown.push(format!("{module}!{name}")),
            }
        }
        if unknown.is_empty() { Ok(view) } else { Err(ImageError::UnknownImports(unknown)) }
    }

    /// The image's bytes as they stand in memory, neither relocated nor bound.
    fn view(&self) -> Result<Vec<u8>, ImageError> {
        let mut view = vec![0; self.size()?];
        let pe = self.pe()?;
        let headers = pe.nt_headers().optional_header.size_of_headers.get(LE) as usize;
        let source = self.bytes.get(..headers).ok_or_else(|| damaged("it ends inside its headers"))?;
        view.get_mut(..headers).ok_or_else(|| damaged("its headers are longer than it"))?.copy_from_slice(source);
        for section in pe.section_table().iter() {
            let name = String::from_utf8_lossy(section.raw_name()).into_owned();
            let start = section.virtual_address.get(LE) as usize;
            let in_file = section.size_of_raw_data.get(LE) as usize;
            // What fills the section up in the file is not in memory.
            let length = in_file.min(section.virtual_size.get(LE) as usize);
            let file = section.pointer_to_raw_data.get(LE) as usize;
            let content = file.checked_add(in_file).and_then(|end| self.bytes.get(file..end)?.get(..length));
            let content = content.ok_or_else(|| damaged(format!("the file ends inside its section {name}")))?;
            let place = start.checked_add(length).and_then(|end| view.get_mut(start..end));
            let place = place.ok_or_else(|| damaged(format!("its section {name} lies outside of it")))?;
            place.copy_from_slice(content);
        }
        Ok(view)
    }

    fn relocate(&self, view: &mut [u8], base: usize) -> Result<(), ImageError> {
        let pe = self.pe()?;
        let preferred = pe.relative_address_base();
        let delta = (base as u64).wrapping_sub(preferred);
        let blocks = pe.data_directories().relocation_blocks(self.bytes.as_slice(), &pe.section_table())?;
        let Some(mut blocks) = blocks else {
            // It may do without, unless they were taken out of it.
            // Source: <https://learn.microsoft.com/windows/win32/debug/pe-format#characteristics>
            let characteristics = pe.nt_headers().file_header.characteristics.get(LE);
            return if characteristics.contains(pe::IMAGE_FILE_RELOCS_STRIPPED) {
                Err(damaged("it can't be relocated: its relocations are stripped"))
            } else {
                Ok(())
            };
        };
        while let Some(block) = blocks.next()? {
            for relocation in block {
                match relocation.typ {
                    pe::IMAGE_REL_BASED_ABSOLUTE => {}
                    pe::IMAGE_REL_BASED_DIR64 => {
                        let place = relocation.virtual_address as usize;
                        let address = get(view, place)?;
                        put(view, place, address.wrapping_add(delta))?;
                    }
                    other => return Err(damaged(format!("it has relocations of the unknown type {other:?}"))),
                }
            }
        }
        Ok(())
    }
}

fn get(view: &[u8], place: usize) -> Result<u64, ImageError> {
    let bytes = view.get(place..).and_then(|rest| rest.first_chunk());
    bytes.map(|bytes| u64::from_le_bytes(*bytes)).ok_or_else(|| damaged(format!("{place:#x} lies outside of it")))
}

fn put(view: &mut [u8], place: usize, value: u64) -> Result<(), ImageError> {
    let bytes = view.get_mut(place..).and_then(|rest| rest.first_chunk_mut());
    *bytes.ok_or_else(|| damaged(format!("{place:#x} lies outside of it")))? = value.to_le_bytes();
    Ok(())
}
