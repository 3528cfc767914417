//! An image in memory.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};
use std::path::PathBuf;
use std::ptr::null_mut;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use object::LittleEndian as LE;
use object::pe;
use object::pe::ImageSectionHeader;

use super::{BREAKPOINT, Image, ImageError, RuntimeFunction, damaged, symbols, unwind};
use crate::coverage::{self, Coverage, Watched};
use crate::memory::{Arena, PAGE, Run};

/// An image mapped with its sections' protections, relocated and bound; unmapped when dropped.
#[derive(Debug)]
pub(crate) struct MappedImage {
    /// Before the pages, so that it goes first.
    _watched: Option<Watched>,
    pages: Pages,
    entry: usize,
    functions: Vec<RuntimeFunction>,
    /// The sections that the kernel discards once DriverEntry has returned.
    discardable: Vec<Range<usize>>,
    /// Those that may be paged out.
    pageable: Vec<PageableSection>,
    view: Vec<u8>,
    path: Option<PathBuf>,
}

/// What the names of sections begin with that may be paged out.
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/kernel/isolating-pageable-code>
const PAGEABLE: &str = "PAGE";

/// A section that may be paged out.
#[derive(Debug)]
pub(crate) struct PageableSection {
    pub(crate) name: String,
    /// Where it is in the image.
    range: Range<usize>,
    protection: i32,
}

impl PageableSection {
    /// Where it begins in the image.
    pub(crate) const fn start(&self) -> usize {
        self.range.start
    }
}

impl MappedImage {
    /// Maps `image`, with its imports bound by `bind`, and with breakpoints at what has not run yet according to `coverage`.
    ///
    /// # Errors
    /// The image is damaged or imports something unknown; then every unknown import is named.
    pub(crate) fn new(
        image: &Image,
        arena: &Arc<Arena>,
        coverage: Option<&Coverage>,
        bind: impl Fn(&str, &str) -> Option<usize>,
    ) -> Result<Self, ImageError> {
        let coverage = coverage.filter(|coverage| coverage.is_of(image));
        let (pages, alias) = Pages::new(arena, image.size()?, coverage.is_some()).map_err(ImageError::Map)?;
        let view = image.lay_out(pages.run.address(), bind)?;
        pages.fill(&view);
        let watched = coverage.zip(alias).map(|(coverage, alias)| {
            coverage.missing().for_each(|offset| alias.put(offset, BREAKPOINT));
            coverage::watch(pages.run.address(), alias, coverage.clone())
        });
        let pe = image.pe()?;
        let (mut discardable, mut pageable) = (Vec::new(), Vec::new());
        // What belongs to no section is out of reach.
        pages.protect(0..pages.length, libc::PROT_NONE).map_err(ImageError::Map)?;
        pages.protect(0..PAGE.min(pages.length), libc::PROT_READ).map_err(ImageError::Map)?;
        for section in pe.section_table().iter() {
            let start = section.virtual_address.get(LE) as usize;
            let length = section.virtual_size.get(LE).max(section.size_of_raw_data.get(LE)) as usize;
            let range = start..(start + length).next_multiple_of(PAGE).min(pages.length);
            if !start.is_multiple_of(PAGE) || range.is_empty() {
                return Err(damaged("a section does not begin at a page of it"));
            }
            let name = String::from_utf8_lossy(section.raw_name()).into_owned();
            if section.characteristics.get(LE).0 & pe::IMAGE_SCN_MEM_DISCARDABLE.0 != 0 {
                discardable.push(range.clone());
            } else if name.starts_with(PAGEABLE) {
                pageable.push(PageableSection { name, range: range.clone(), protection: protection(section) });
            }
            pages.protect(range, protection(section)).map_err(ImageError::Map)?;
        }
        let entry = pe.nt_headers().optional_header.address_of_entry_point.get(LE) as usize;
        if !(PAGE..view.len()).contains(&entry) {
            return Err(damaged("its entry point lies outside of it"));
        }
        let functions = unwind::runtime_functions(&pe, &view)?;
        let path = image.path.clone();
        let mapped = Self { _watched: watched, pages, entry, functions, discardable, pageable, view, path };
        mapped.pageable.iter().for_each(|section| mapped.set_pageable(section, true));
        Ok(mapped)
    }

    pub(crate) fn base(&self) -> usize {
        self.pages.run.address()
    }

    pub(crate) const fn size(&self) -> usize {
        self.pages.length
    }

    /// The address of DriverEntry.
    pub(crate) fn entry(&self) -> usize {
        self.pages.run.address() + self.entry
    }

    /// The offset of an address inside the image, or `None` if it is outside.
    pub(crate) fn offset(&self, address: usize) -> Option<usize> {
        address.checked_sub(self.pages.run.address()).filter(|offset| *offset < self.pages.length)
    }

    /// Takes the sections away that are for initialization only, as the kernel does after DriverEntry.
    /// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nc-wdm-driver_initialize>
    pub(crate) fn discard_initialization(&self) -> io::Result<()> {
        self.discardable.iter().try_for_each(|range| self.pages.protect(range.clone(), libc::PROT_NONE))
    }

    /// The section at an address that may be paged out.
    pub(crate) fn pageable_section(&self, address: usize) -> Option<&PageableSection> {
        let offset = self.offset(address)?;
        self.pageable.iter().find(|section| section.range.contains(&offset))
    }

    /// Lets a section be paged out, or keeps it.
    pub(crate) fn set_pageable(&self, section: &PageableSection, is_pageable: bool) {
        let pages = self.base() + section.range.start..self.base() + section.range.end;
        if is_pageable {
            self.pages.run.paging().add(&pages, section.protection);
        } else {
            self.pages.run.paging().remove(&pages);
        }
    }

    /// Takes it out of everybody's reach: the driver is unloaded. Its addresses stay its own as long as this lives.
    ///
    /// # Panics
    /// If the operating system refuses, which it has no reason to.
    pub(crate) fn discard(&self) {
        self.pages.run.paging().remove(&(self.base()..self.base() + self.pages.length));
        self.pages.protect(0..self.pages.length, libc::PROT_NONE).expect("pages of a mapped image can be protected");
    }

    /// The functions that have unwind information, in the order of their offsets.
    pub(super) fn functions(&self) -> &[RuntimeFunction] {
        &self.functions
    }

    /// The bytes of the image as they were loaded.
    pub(super) fn view(&self) -> &[u8] {
        &self.view
    }

    /// What stands at an offset, from the PDB if there is one: the functions, the innermost first if some were inlined, with
    /// their source lines.
    pub(crate) fn describe(&self, offset: usize) -> Option<String> {
        symbols::describe(&self.path.as_ref()?.with_extension("pdb"), offset)
    }
}

fn protection(section: &ImageSectionHeader) -> i32 {
    let characteristics = section.characteristics.get(LE).0;
    [
        (pe::IMAGE_SCN_MEM_READ, libc::PROT_READ),
        (pe::IMAGE_SCN_MEM_WRITE, libc::PROT_WRITE),
        (pe::IMAGE_SCN_MEM_EXECUTE, libc::PROT_EXEC),
    ]
    .into_iter()
    .filter(|(flag, _)| characteristics & flag.0 != 0)
    .fold(libc::PROT_NONE, |protection, (_, flag)| protection | flag)
}

/// The pages of an image.
#[derive(Debug)]
struct Pages {
    run: Run,
    length: usize,
}

impl Pages {
    /// Pages of the arena, readable and writable so far. With `alias` the same memory is at a second place too.
    fn new(arena: &Arc<Arena>, length: usize, alias: bool) -> io::Result<(Self, Option<Alias>)> {
        let length = length.next_multiple_of(PAGE);
        let pages = Self { run: arena.take(length / PAGE), length };
        if alias {
            let alias = Alias::new(&pages)?;
            return Ok((pages, Some(alias)));
        }
        pages.protect(0..length, libc::PROT_READ | libc::PROT_WRITE)?;
        Ok((pages, None))
    }

    fn fill(&self, view: &[u8]) {
        assert!(view.len() <= self.length, "the pages were taken for the view");
        // SAFETY: the pages are as long, writable so far, and no Rust object.
        unsafe { (self.run.address() as *mut u8).copy_from_nonoverlapping(view.as_ptr(), view.len()) };
    }

    fn protect(&self, range: Range<usize>, protection: i32) -> io::Result<()> {
        assert!(range.end <= self.length, "the range lies in the pages");
        // SAFETY: the range is these pages', which hold no Rust object.
        let result = unsafe { libc::mprotect((self.run.address() + range.start) as *mut _, range.len(), protection) };
        if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    }
}

/// An image's memory once more, where it can always be written to; unmapped when dropped.
#[derive(Debug)]
pub(crate) struct Alias {
    base: usize,
    length: usize,
}

impl Alias {
    /// Gives the pages memory that is shared with what is returned.
    fn new(pages: &Pages) -> io::Result<Self> {
        // SAFETY: the name is a string that ends with a zero.
        let file = unsafe { libc::memfd_create(c"driver image".as_ptr(), libc::MFD_CLOEXEC) };
        if file < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the descriptor is new, and nobody else's.
        let file = unsafe { OwnedFd::from_raw_fd(file) };
        let file = File::from(file);
        file.set_len(pages.length as u64)?;
        let map = |address: *mut libc::c_void, flags| {
            let protection = libc::PROT_READ | libc::PROT_WRITE;
            // SAFETY: the place is the system's choice, or pages that nobody uses yet.
            let place = unsafe { libc::mmap(address, pages.length, protection, flags, file.as_raw_fd(), 0) };
            if place == libc::MAP_FAILED { Err(io::Error::last_os_error()) } else { Ok(place as usize) }
        };
        map(pages.run.address() as *mut _, libc::MAP_SHARED | libc::MAP_FIXED)?;
        Ok(Self { base: map(null_mut(), libc::MAP_SHARED)?, length: pages.length })
    }

    /// Puts one byte into it while others may run it as code.
    ///
    /// # Panics
    /// If `offset` is outside of it.
    pub(crate) fn put(&self, offset: usize, byte: u8) {
        assert!(offset < self.length, "the byte lies in the mapping");
        // SAFETY: inside the mapping, which is writable and holds no Rust object.
        let place = unsafe { AtomicU8::from_ptr((self.base + offset) as *mut u8) };
        place.store(byte, Ordering::SeqCst);
    }
}

impl Drop for Alias {
    fn drop(&mut self) {
        // SAFETY: the mapping is this one's.
        let result = unsafe { libc::munmap(self.base as *mut _, self.length) };
        debug_assert_eq!(result, 0, "it was mapped with this address and length");
    }
}
