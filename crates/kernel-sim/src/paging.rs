//! Memory that may be paged out: paged pool, and the sections of images that say so by their names.
//!
//! Whenever a thread raises its IRQL to DISPATCH_LEVEL, all such memory of its kernel is made inaccessible, as Driver Verifier
//! pages it out. Whoever touches it then at DISPATCH_LEVEL or above has broken the rule, and is found at the very instruction. A
//! thread below that level has its page back and notices nothing; as long as others are raised it has it for one instruction
//! only, by a single step, so that theirs are found all the same. Without such memory nothing of this costs anything.
//! Source: <https://learn.microsoft.com/windows-hardware/drivers/devtest/force-irql-checking>

use std::cell::Cell;
use std::collections::BTreeMap;
use std::ops::Range;
use std::ptr::{null, null_mut};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU8, AtomicUsize, Ordering};

use crate::core::lock;
use crate::memory::{ARENA, PAGE};
use crate::processor::{self, Irql};

/// What is known of a page: that it may be paged out, that it is, and, above that, its protection when it is not.
const PAGEABLE: u8 = 1;
const OUT: u8 = 2;
const PROTECTION_SHIFT: u32 = 2;
/// The most pages that one instruction touches: its own code, and operands that each lie on two pages.
const MOST_STEPPED: usize = 8;
/// As many kernels with such memory can be at a time.
const KERNELS: usize = 256;
/// The trap flag of the processor, and the bits of its error code for page faults.
const TRAP_FLAG: i64 = 0x100;
const FAULT_WRITES: i64 = 0x2;
const FAULT_FETCHES: i64 = 0x10;

/// The pageable memory of one kernel.
#[derive(Debug)]
pub(crate) struct Paging {
    addresses: Range<usize>,
    /// A byte for each page of the kernel's addresses; memory of the operating system's, which is there when it is touched.
    pages: *mut AtomicU8,
    /// Runs of pageable pages: where they begin, and where they end.
    regions: Mutex<BTreeMap<usize, usize>>,
    /// How many pages are pageable: with none there is nothing to do.
    count: AtomicUsize,
    /// Some of them may be accessible.
    some_in: AtomicBool,
    /// How many threads are at DISPATCH_LEVEL or above.
    raised: AtomicUsize,
}

// SAFETY: the pages' bytes are atomics, and their memory stays as long as this.
unsafe impl Send for Paging {}
// SAFETY: as above.
unsafe impl Sync for Paging {}

/// The kernels that have pageable memory, for the handler of signals: where each begins, and what is known.
static KNOWN: [(AtomicUsize, AtomicPtr<Paging>); KERNELS] =
    [const { (AtomicUsize::new(0), AtomicPtr::new(null_mut())) }; KERNELS];

thread_local! {
    /// The pageable memory of the kernel whose driver this thread runs. Const and without a destructor, as all here, so that a
    /// signal handler may use it.
    static CURRENT: Cell<*const Paging> = const { Cell::new(null()) };
    /// Where this thread is counted among those at DISPATCH_LEVEL.
    static RAISED_IN: Cell<*const Paging> = const { Cell::new(null()) };
    /// The pages that this thread has for one instruction.
    static STEPPED: Cell<[usize; MOST_STEPPED]> = const { Cell::new([0; MOST_STEPPED]) };
}

impl Paging {
    /// Nothing of these addresses is pageable yet.
    ///
    /// # Errors
    /// There is no memory.
    pub(crate) fn new(addresses: Range<usize>) -> std::io::Result<Box<Self>> {
        let (protection, flags) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
        let (length, flags) = (addresses.len() / PAGE, flags | libc::MAP_NORESERVE);
        // SAFETY: a new mapping at an address that the system chooses touches nothing that exists.
        let pages = unsafe { libc::mmap(null_mut(), length, protection, flags, -1, 0) };
        if pages == libc::MAP_FAILED {
            return Err(std::io::Error::last_os_error());
        }
        Ok(Box::new(Self {
            addresses,
            pages: pages.cast(),
            regions: Mutex::default(),
            count: AtomicUsize::new(0),
            some_in: AtomicBool::new(false),
            raised: AtomicUsize::new(0),
        }))
    }

    /// From now on these pages, which are protected so, are pageable.
    pub(crate) fn add(&self, pages: &Range<usize>, protection: i32) {
        debug_assert!(pages.start.is_multiple_of(PAGE) && pages.end.is_multiple_of(PAGE), "whole pages are pageable");
        self.enter();
        let mut regions = lock(&self.regions);
        for page in pages.clone().step_by(PAGE) {
            let protection = u8::try_from(protection << PROTECTION_SHIFT).unwrap_or(0);
            self.state(page).store(PAGEABLE | protection, Ordering::SeqCst);
        }
        regions.insert(pages.start, pages.end);
        self.count.fetch_add(pages.len() / PAGE, Ordering::SeqCst);
        self.some_in.store(true, Ordering::SeqCst);
        drop(regions);
        if self.raised.load(Ordering::SeqCst) > 0 {
            self.page_out();
        }
    }

    /// From now on these pages are accessible at any level, if they were pageable.
    pub(crate) fn remove(&self, pages: &Range<usize>) {
        if self.count.load(Ordering::SeqCst) == 0 {
            return;
        }
        let mut regions = lock(&self.regions);
        for (start, end) in regions.extract_if(pages.clone(), |_, _| true) {
            for page in (start..end).step_by(PAGE) {
                let state = self.state(page).swap(0, Ordering::SeqCst);
                protect(page, i32::from(state >> PROTECTION_SHIFT));
            }
            self.count.fetch_sub((end - start) / PAGE, Ordering::SeqCst);
        }
    }

    /// Whether a page is paged out: who reads it through the operating system must touch it first.
    pub(crate) fn is_out(&self, address: usize) -> bool {
        self.addresses.contains(&address) && self.state(address).load(Ordering::SeqCst) & OUT != 0
    }

    /// What is known of the page of an address.
    fn state(&self, address: usize) -> &AtomicU8 {
        let index = (address - self.addresses.start) / PAGE;
        // SAFETY: there is a byte for each page of the addresses, and the address is one of them.
        let state = unsafe { self.pages.add(index) };
        // SAFETY: the byte is an atomic one, and stays as long as this.
        unsafe { &*state }
    }

    /// Makes everything inaccessible.
    fn page_out(&self) {
        if self.count.load(Ordering::SeqCst) == 0 || !self.some_in.swap(false, Ordering::SeqCst) {
            return;
        }
        for (start, end) in &*lock(&self.regions) {
            for page in (*start..*end).step_by(PAGE) {
                if self.state(page).fetch_or(OUT, Ordering::SeqCst) & OUT == 0 {
                    protect(page, libc::PROT_NONE);
                }
            }
        }
    }

    /// Makes a page accessible again.
    fn page_in(&self, page: usize, protection: i32) {
        self.state(page).fetch_and(!OUT, Ordering::SeqCst);
        protect(page, protection);
        self.some_in.store(true, Ordering::SeqCst);
    }

    /// Lets the handler of signals know of it.
    fn enter(&self) {
        let this = std::ptr::from_ref(self).cast_mut();
        if KNOWN.iter().any(|(_, known)| known.load(Ordering::SeqCst) == this) {
            return;
        }
        let free = |(_, known): &&(AtomicUsize, AtomicPtr<Self>)| {
            known.compare_exchange(null_mut(), this, Ordering::SeqCst, Ordering::SeqCst).is_ok()
        };
        let slot = KNOWN.iter().find(free).expect("so many kernels have no pageable memory at a time");
        slot.0.store(self.addresses.start, Ordering::SeqCst);
    }
}

impl Drop for Paging {
    fn drop(&mut self) {
        let this = std::ptr::from_mut(self);
        for (start, known) in KNOWN.iter().filter(|(_, known)| known.load(Ordering::SeqCst) == this) {
            start.store(0, Ordering::SeqCst);
            known.store(null_mut(), Ordering::SeqCst);
        }
        // SAFETY: the mapping is this one's.
        let result = unsafe { libc::munmap(self.pages.cast(), self.addresses.len() / PAGE) };
        debug_assert_eq!(result, 0, "it was mapped with this address and length");
    }
}

fn protect(page: usize, protection: i32) {
    // SAFETY: the page is one of a kernel's, which holds no Rust object.
    let result = unsafe { libc::mprotect(page as *mut _, PAGE, protection) };
    debug_assert_eq!(result, 0, "pages that are mapped can be protected");
}

/// This thread runs a driver of that kernel from now on, or none. Returns what it was before.
pub(crate) fn set_current(paging: *const Paging) -> *const Paging {
    CURRENT.replace(paging)
}

/// This thread's IRQL has changed.
pub(crate) fn irql_changed(irql: Irql) {
    let (current, counted) = (CURRENT.get(), RAISED_IN.get());
    if irql >= Irql::DISPATCH_LEVEL && counted.is_null() {
        // SAFETY: it is that of the kernel whose driver this thread runs.
        if let Some(paging) = unsafe { current.as_ref() } {
            RAISED_IN.set(current);
            paging.raised.fetch_add(1, Ordering::SeqCst);
            paging.page_out();
        }
    } else if irql < Irql::DISPATCH_LEVEL && !counted.is_null() {
        RAISED_IN.set(null());
        // SAFETY: a kernel stays as long as a thread is raised in it.
        unsafe { &*counted }.raised.fetch_sub(1, Ordering::SeqCst);
    }
}

/// What becomes of an access that was not allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// It is tried again: the page is there now.
    Again,
    /// It was made at DISPATCH_LEVEL or above to memory that may be paged out.
    Forbidden,
    /// It has nothing to do with paging.
    Other,
}

/// A thread, with these registers, could not access an address.
pub(crate) fn fault(address: usize, registers: &mut [i64; 23]) -> Access {
    let page = address - address % PAGE;
    let Some(paging) = of(address) else { return Access::Other };
    let state = paging.state(page).load(Ordering::SeqCst);
    let (protection, error) = (i32::from(state >> PROTECTION_SHIFT), registers[libc::REG_ERR as usize]);
    let needed = match error {
        error if error & FAULT_FETCHES != 0 => libc::PROT_EXEC,
        error if error & FAULT_WRITES != 0 => libc::PROT_WRITE,
        _ => libc::PROT_READ,
    };
    if state & PAGEABLE == 0 || protection & needed == 0 {
        return Access::Other;
    }
    if processor::irql() >= Irql::DISPATCH_LEVEL {
        return Access::Forbidden;
    }
    if paging.raised.load(Ordering::SeqCst) == 0 {
        paging.page_in(page, protection);
        return Access::Again;
    }
    let mut stepped = STEPPED.get();
    let Some(place) = stepped.iter_mut().find(|place| **place == 0 || **place == page) else { return Access::Other };
    *place = page;
    STEPPED.set(stepped);
    protect(page, protection);
    registers[libc::REG_EFL as usize] |= TRAP_FLAG;
    Access::Again
}

/// The instruction of a single step has run. Returns false if there was none.
pub(crate) fn stepped(registers: &mut [i64; 23]) -> bool {
    let stepped = STEPPED.replace([0; MOST_STEPPED]);
    let pages = stepped.into_iter().take_while(|page| *page != 0);
    for page in pages.clone() {
        let Some(paging) = of(page) else { continue };
        let state = paging.state(page).load(Ordering::SeqCst);
        if state & OUT != 0 && paging.raised.load(Ordering::SeqCst) > 0 {
            protect(page, libc::PROT_NONE);
        } else if state & PAGEABLE != 0 {
            paging.page_in(page, i32::from(state >> PROTECTION_SHIFT));
        }
    }
    registers[libc::REG_EFL as usize] &= !TRAP_FLAG;
    pages.count() > 0
}

/// What is known of the kernel in whose addresses one lies, if it has pageable memory.
fn of(address: usize) -> Option<&'static Paging> {
    let holds = |start: usize| start != 0 && (start..start + ARENA).contains(&address);
    let (_, paging) = KNOWN.iter().find(|(start, _)| holds(start.load(Ordering::SeqCst)))?;
    // SAFETY: it stays as long as a thread works with its addresses, as this one does.
    unsafe { paging.load(Ordering::SeqCst).as_ref() }
}
