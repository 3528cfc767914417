//! A PE image in memory.

use std::path::{Path, PathBuf};

use object::LittleEndian as LE;
use object::pe::{ImageNtHeaders64, ImageSectionHeader};
use object::read::pe::{ImageNtHeaders as _, ImageOptionalHeader as _, PeFile64};

/// A PE image: its bytes, and the file they came from if they are no mutation.
pub(crate) struct Image {
    bytes: Vec<u8>,
    path: Option<PathBuf>,
}

impl Image {
    /// The driver's image.
    ///
    /// # Panics
    /// If it was not built yet: the message says how to build it.
    pub(crate) fn built() -> Self {
        Self::read("NETIO_ANYCAST_IMAGE", "driver/netio_anycast.sys", "cargo xtask build")
    }

    /// The image of the sample driver in Rust.
    ///
    /// # Panics
    /// As for [`built`](Self::built).
    pub(crate) fn of_the_sample() -> Self {
        Self::read("NETIO_ANYCAST_RUST_SAMPLE", "samples/anycast_client_rust.sys", "cargo xtask samples --build")
    }

    /// The image that an environment variable names, or the one below `target`.
    fn read(variable: &str, below_target: &str, command: &str) -> Self {
        let path = std::env::var_os(variable)
            .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../target").join(below_target), PathBuf::from);
        let bytes = std::fs::read(&path)
            .unwrap_or_else(|error| panic!("{}: {error}. Build it first: {command}", path.display()));
        let mut image = Self::from_bytes(bytes).expect("the driver is a PE image");
        image.path = Some(path);
        image
    }

    /// An image from its bytes, if they are one for a 64-bit machine.
    pub(crate) fn from_bytes(bytes: Vec<u8>) -> Result<Self, String> {
        PeFile64::parse(bytes.as_slice()).map_err(|error| error.to_string())?;
        Ok(Self { bytes, path: None })
    }

    /// The file that it was read from.
    pub(crate) fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The headers and tables.
    pub(crate) fn pe(&self) -> PeFile64<'_> {
        PeFile64::parse(self.bytes.as_slice()).expect("it was parsed before")
    }

    pub(crate) fn nt_headers(&self) -> &ImageNtHeaders64 {
        self.pe().nt_headers()
    }

    /// `DllCharacteristics` of the optional header.
    pub(crate) fn dll_characteristics(&self) -> u16 {
        self.nt_headers().optional_header().dll_characteristics().0
    }

    pub(crate) fn sections(&self) -> impl Iterator<Item = &ImageSectionHeader> {
        self.pe().section_table().iter()
    }

    /// The content of one of the data directories, or `None` if it is absent or empty.
    pub(crate) fn directory(&self, index: usize) -> Option<&[u8]> {
        let pe = self.pe();
        let directory = pe.data_directory(index)?;
        if directory.virtual_address.get(LE) == 0 || directory.size.get(LE) == 0 {
            return None;
        }
        directory.data(self.bytes.as_slice(), &pe.section_table()).ok()
    }
}
