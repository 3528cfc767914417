//! Kernel memory that tells on whoever strays out of it.
//!
//! Every block ends right before a page that nobody may touch, and the pages of a freed block may not be touched either: an
//! access outside a live block is a fault at the very instruction, as with Driver Verifier's special pool.
//! Source: <https://learn.microsoft.com/windows-hardware/drivers/devtest/special-pool>

use std::collections::VecDeque;
use std::io;
use std::ops::Range;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use zerocopy::{FromBytes, Immutable, IntoBytes};

use crate::paging::Paging;

/// `PAGE_SIZE` of x64.
pub(crate) const PAGE: usize = 4096;
/// Pool is aligned to 16 bytes on 64-bit Windows.
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-exallocatepool2>
const ALIGNMENT: usize = 16;
const CACHE_LINE: usize = 64;
/// The address space of one kernel: pages are used again only once all of it was used.
const ARENA_PAGES: usize = 4 << 20;
/// The same in bytes.
pub(crate) const ARENA: usize = ARENA_PAGES * PAGE;
/// What the bytes between a block's end and its guard page hold.
const SLACK: u8 = 0xFB;

/// A range of addresses from which blocks are cut, and in which images are mapped.
#[derive(Debug)]
pub(crate) struct Arena {
    base: usize,
    pages: Mutex<Pages>,
    paging: Box<Paging>,
}

#[derive(Debug, Default)]
struct Pages {
    /// The first page that was never used.
    next: usize,
    /// Freed runs of pages, the oldest first: first page, number of pages.
    freed: VecDeque<(usize, usize)>,
}

/// Where a block begins on its pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Placement {
    /// As close to the guard page as its alignment allows.
    AtEnd,
    /// As pool: page-aligned if it is a page or more, else [`AtEnd`](Self::AtEnd).
    /// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-exallocatepoolwithtag>
    Pool,
    /// As close to the guard page as the alignment of the processor's cache lines allows.
    CacheAligned,
}

impl Arena {
    /// Reserves the addresses.
    pub(crate) fn new() -> io::Result<Arc<Self>> {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
        // SAFETY: a new mapping at an address that the system chooses touches nothing that exists.
        let base = unsafe { libc::mmap(null_mut(), ARENA, libc::PROT_NONE, flags, -1, 0) };
        if base == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let base = base as usize;
        Ok(Arc::new(Self { base, pages: Mutex::default(), paging: Paging::new(base..base + ARENA)? }))
    }

    /// Cuts a block of `length` bytes, each `fill`.
    ///
    /// # Panics
    /// If the addresses of the arena or the memory of the machine are used up: the simulation can't go on.
    pub(crate) fn allocate(self: &Arc<Self>, length: usize, placement: Placement, fill: u8) -> Block {
        let data_pages = length.max(1).div_ceil(PAGE);
        let run = self.take(data_pages + 1);
        let start = run.address();
        // SAFETY: the pages are the arena's, and `take` gave them to nobody else.
        let result = unsafe { libc::mprotect(start as *mut _, data_pages * PAGE, libc::PROT_READ | libc::PROT_WRITE) };
        assert_eq!(result, 0, "no memory for the simulated kernel: {}", io::Error::last_os_error());
        let end = start + data_pages * PAGE;
        let address = match placement {
            Placement::Pool if length >= PAGE => start,
            Placement::Pool | Placement::AtEnd => end - length.next_multiple_of(ALIGNMENT),
            Placement::CacheAligned => end - length.next_multiple_of(CACHE_LINE),
        };
        let block = Block { _run: run, address, length };
        // SAFETY: from the block's address to the end of its pages there is nothing but it.
        unsafe { (address as *mut u8).write_bytes(SLACK, end - address) };
        block.fill(fill);
        block
    }

    /// Its addresses.
    pub(crate) const fn range(&self) -> Range<usize> {
        self.base..self.base + ARENA
    }

    /// Whether an address is one of the arena's.
    pub(crate) fn contains(&self, address: usize) -> bool {
        self.range().contains(&address)
    }

    /// Which of its memory may be paged out.
    pub(crate) fn paging(&self) -> &Paging {
        &self.paging
    }

    /// Takes a run of pages, which nobody may touch yet.
    ///
    /// # Panics
    /// If the addresses of the arena are used up.
    pub(crate) fn take(self: &Arc<Self>, pages: usize) -> Run {
        let run = |first| Run { arena: Arc::clone(self), first, pages };
        let mut state = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        if state.next + pages <= ARENA_PAGES {
            let first = state.next;
            state.next += pages;
            return run(first);
        }
        let reusable = state.freed.iter().position(|(_, count)| *count == pages);
        let reused = reusable.and_then(|position| state.freed.remove(position));
        run(reused.expect("the simulated kernel's address space is used up").0)
    }

    /// Takes a run of pages out of everybody's reach.
    fn release(&self, first: usize, pages: usize) {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE | libc::MAP_FIXED;
        let start = self.base + first * PAGE;
        self.paging.remove(&(start..start + pages * PAGE));
        // SAFETY: the pages are those of a run that is being dropped, so nobody may use them any more.
        let result = unsafe { libc::mmap(start as *mut _, pages * PAGE, libc::PROT_NONE, flags, -1, 0) };
        assert_ne!(result, libc::MAP_FAILED, "cannot unmap freed memory: {}", io::Error::last_os_error());
        self.pages.lock().unwrap_or_else(PoisonError::into_inner).freed.push_back((first, pages));
    }
}

impl Drop for Arena {
    fn drop(&mut self) {
        // SAFETY: every run holds a reference to the arena, so there is none any more.
        let result = unsafe { libc::munmap(self.base as *mut _, ARENA) };
        debug_assert_eq!(result, 0, "the arena was mapped with this address and length");
    }
}

/// Pages of an arena, in a row; out of everybody's reach again once this is dropped.
#[derive(Debug)]
pub(crate) struct Run {
    arena: Arc<Arena>,
    first: usize,
    pages: usize,
}

impl Run {
    /// Where they begin.
    pub(crate) fn address(&self) -> usize {
        self.arena.base + self.first * PAGE
    }

    /// Which memory of their arena may be paged out.
    pub(crate) fn paging(&self) -> &Paging {
        self.arena.paging()
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        self.arena.release(self.first, self.pages);
    }
}

/// Memory that the driver may use as long as this lives.
///
/// Reading and writing it is safe for the simulator: it is mapped, and every access is checked against its length. The
/// driver may write to it at the same time, as any code may that shares memory; a value read is then a mixture.
#[derive(Debug)]
pub(crate) struct Block {
    _run: Run,
    address: usize,
    length: usize,
}

impl Block {
    /// Where the driver sees it.
    pub(crate) const fn address(&self) -> usize {
        self.address
    }

    pub(crate) const fn length(&self) -> usize {
        self.length
    }

    /// The pages that it lies on.
    pub(crate) fn pages(&self) -> Range<usize> {
        let start = self.address - self.address % PAGE;
        start..(self.address + self.length.max(1)).next_multiple_of(PAGE)
    }

    /// The value at `offset`.
    ///
    /// # Panics
    /// If it is not inside the block.
    pub(crate) fn read<T: FromBytes>(&self, offset: usize) -> T {
        self.check(offset, size_of::<T>());
        let place = (self.address + offset) as *const T;
        // SAFETY: inside the block, as was checked, and any bytes make a valid `T`.
        unsafe { place.read_unaligned() }
    }

    /// Puts a value at `offset`.
    ///
    /// # Panics
    /// If it is not inside the block.
    pub(crate) fn write<T: IntoBytes + Immutable>(&self, offset: usize, value: &T) {
        self.write_bytes(offset, value.as_bytes());
    }

    /// Puts bytes at `offset`.
    ///
    /// # Panics
    /// If they don't fit into the block.
    pub(crate) fn write_bytes(&self, offset: usize, bytes: &[u8]) {
        self.check(offset, bytes.len());
        let place = (self.address + offset) as *mut u8;
        // SAFETY: inside the block, as was checked, which is no Rust object that `bytes` could overlap.
        unsafe { place.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
    }

    /// Puts a word at `offset`, atomically, as the driver's interlocked operations do. Returns what was there.
    ///
    /// # Panics
    /// If it is not inside the block, or not aligned.
    pub(crate) fn exchange(&self, offset: usize, value: usize) -> usize {
        self.check(offset, size_of::<usize>());
        let place = (self.address + offset) as *mut usize;
        assert!(place.is_aligned(), "words are aligned");
        // SAFETY: inside the block and aligned, as was checked; the driver uses interlocked operations too.
        unsafe { AtomicUsize::from_ptr(place) }.swap(value, Ordering::SeqCst)
    }

    /// A copy of the first `length` bytes.
    ///
    /// # Panics
    /// If the block is shorter.
    pub(crate) fn bytes(&self, length: usize) -> Vec<u8> {
        self.check(0, length);
        let mut copy = vec![0; length];
        // SAFETY: inside the block, as was checked; the copy is new.
        unsafe { copy.as_mut_ptr().copy_from_nonoverlapping(self.address as *const u8, length) };
        copy
    }

    /// Whether something was written behind the end of the block, on its last page.
    pub(crate) fn overrun(&self) -> bool {
        let guard = (self.address + self.length.max(1)).next_multiple_of(PAGE);
        (self.address + self.length..guard).any(|address| {
            // SAFETY: the block's pages reach to the guard page.
            unsafe { (address as *const u8).read_volatile() != SLACK }
        })
    }

    /// Repeats `pattern` over the bytes from `start` on.
    pub(crate) fn fill_pattern(&self, start: usize, pattern: [u8; 8]) {
        let bytes: Vec<u8> = (start..self.length).map(|offset| pattern[offset % 8]).collect();
        self.write_bytes(start, &bytes);
    }

    fn fill(&self, byte: u8) {
        // SAFETY: the block has this length and is no Rust object.
        unsafe { (self.address as *mut u8).write_bytes(byte, self.length) };
    }

    fn check(&self, offset: usize, length: usize) {
        let end = offset.checked_add(length);
        assert!(end.is_some_and(|end| end <= self.length), "bytes {offset}+{length} of a block of {}", self.length);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_ends_at_its_guard_page() {
        let arena = Arena::new().expect("address space is to be had");
        let block = arena.allocate(32, Placement::AtEnd, 0);
        assert_eq!((block.address() + block.length()) % PAGE, 0);
    }

    #[test]
    fn pool_of_a_page_or_more_is_page_aligned() {
        let arena = Arena::new().expect("address space is to be had");
        assert_eq!(arena.allocate(PAGE + 1, Placement::Pool, 0).address() % PAGE, 0);
    }

    #[test]
    fn one_byte_too_many_is_an_overrun() {
        let arena = Arena::new().expect("address space is to be had");
        let block = arena.allocate(30, Placement::Pool, 0);
        assert!(!block.overrun());
        // SAFETY: the block's page reaches to the guard page, two bytes behind its end.
        unsafe { ((block.address() + 30) as *mut u8).write(0) };
        assert!(block.overrun());
    }

    #[test]
    #[should_panic(expected = "bytes 4+8 of a block of 8")]
    fn the_simulator_reads_inside_blocks_only() {
        let arena = Arena::new().expect("address space is to be had");
        let _: u64 = arena.allocate(8, Placement::AtEnd, 0).read(4);
    }
}
