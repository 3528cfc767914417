//! Which of a driver's basic blocks have run.
//!
//! Every block that has not run yet begins with a breakpoint. The first thread that comes there finds itself in the handler of
//! SIGTRAP, which notes the block, puts the instruction back and lets the thread go on; from then on the block runs at full
//! speed. The driver sees nothing of it: the image's pages stay as they are protected, since the handler writes through a
//! second mapping of the same memory.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use crate::core::lock;
use crate::image::{Alias, Image, ImageError};

/// Which basic blocks of one image have run, over all the kernels that were given this. Clones share what they know.
#[derive(Clone, Debug)]
pub struct Coverage {
    image: Arc<Image>,
    blocks: Arc<BTreeMap<usize, Block>>,
}

#[derive(Debug)]
struct Block {
    /// The byte that it begins with, in place of which the breakpoint stands.
    byte: u8,
    has_run: AtomicBool,
}

impl Coverage {
    /// Coverage of `image`, of which nothing has run. A kernel notes it if it has it in its
    /// [`Options`](crate::Options::coverage) and loads an image with the same bytes.
    ///
    /// # Errors
    /// The image is damaged.
    pub fn new(image: &Image) -> Result<Self, ImageError> {
        let blocks = image.code()?.blocks;
        let blocks = blocks.into_iter().map(|(offset, byte)| (offset, Block { byte, has_run: AtomicBool::new(false) }));
        Ok(Self { image: Arc::new(image.clone()), blocks: Arc::new(blocks.collect()) })
    }

    /// Coverage of the same image, of which nothing has run.
    #[must_use]
    pub fn afresh(&self) -> Self {
        let block =
            |(offset, block): (&usize, &Block)| (*offset, Block { byte: block.byte, has_run: AtomicBool::new(false) });
        Self { image: Arc::clone(&self.image), blocks: Arc::new(self.blocks.iter().map(block).collect()) }
    }

    /// The image.
    #[must_use]
    pub fn image(&self) -> &Image {
        &self.image
    }

    /// The number of basic blocks.
    #[must_use]
    pub fn total(&self) -> usize {
        self.blocks.len()
    }

    /// The number of those that have run.
    #[must_use]
    pub fn covered(&self) -> usize {
        self.blocks.values().filter(|block| block.has_run.load(Ordering::Relaxed)).count()
    }

    /// Every basic block, in order: the offset of its first instruction in the image, and whether it has run.
    pub fn blocks(&self) -> impl Iterator<Item = (usize, bool)> {
        self.blocks.iter().map(|(offset, block)| (*offset, block.has_run.load(Ordering::Relaxed)))
    }

    /// Takes the blocks that have run in `other`, coverage of the same image, for run here too.
    pub fn add(&self, other: &Self) {
        for (offset, _) in other.blocks().filter(|(_, has_run)| *has_run) {
            if let Some(block) = self.blocks.get(&offset) {
                block.has_run.store(true, Ordering::Relaxed);
            }
        }
    }

    /// Whether it is coverage of that image.
    pub(crate) fn is_of(&self, image: &Image) -> bool {
        self.image.bytes() == image.bytes()
    }

    /// The blocks that have not run yet.
    pub(crate) fn missing(&self) -> impl Iterator<Item = usize> {
        self.blocks().filter(|(_, has_run)| !has_run).map(|(offset, _)| offset)
    }
}

/// The mapped images with breakpoints in them, by their addresses.
static WATCHED: Mutex<BTreeMap<usize, Breakpoints>> = Mutex::new(BTreeMap::new());

/// The breakpoints in one mapped image.
struct Breakpoints {
    coverage: Coverage,
    /// The image's memory once more, where it can be written to.
    writable: Alias,
}

/// Breakpoints are noted as long as this lives.
#[derive(Debug)]
pub(crate) struct Watched {
    base: usize,
}

/// Notes the breakpoints in the image that is mapped at `base` and, to be written to, as `writable`.
pub(crate) fn watch(base: usize, writable: Alias, coverage: Coverage) -> Watched {
    lock(&WATCHED).insert(base, Breakpoints { coverage, writable });
    Watched { base }
}

impl Drop for Watched {
    fn drop(&mut self) {
        lock(&WATCHED).remove(&self.base);
    }
}

/// A thread has run into the breakpoint at `address`. Puts the driver's own instruction back if it is one of a block. Returns
/// false if it is another.
///
/// The lock is free for this thread: it runs the driver's code, in which nobody holds it.
pub(crate) fn pass(address: usize) -> bool {
    let watched = lock(&WATCHED);
    let Some((base, breakpoints)) = watched.range(..=address).next_back() else { return false };
    let offset = address - base;
    let Some(block) = breakpoints.coverage.blocks.get(&offset) else { return false };
    block.has_run.store(true, Ordering::Relaxed);
    // Another thread may have done so meanwhile, and does no harm twice.
    breakpoints.writable.put(offset, block.byte);
    true
}
