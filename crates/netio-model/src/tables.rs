//! Tables that were handed out and have to come back.

use alloc::collections::BTreeSet;

use thiserror::Error;

/// Why `FreeMibTable` must not have been called with that pointer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum TableMisuse {
    /// The table was freed before.
    #[error("the table was freed before")]
    DoubleFree,
    /// No table was ever there. The null pointer is such a case.
    #[error("no table was ever at that address")]
    NeverAllocated,
}

/// Which tables are allocated. The memory is the host's; the model keeps account of it by address.
#[derive(Clone, Debug, Default)]
pub struct Tables {
    outstanding: BTreeSet<usize>,
    freed: BTreeSet<usize>,
    double_frees: u64,
    unknown_frees: u64,
}

impl Tables {
    /// Enters a table that the host has allocated at `address`, before it hands it to the caller.
    pub fn allocated(&mut self, address: usize) {
        self.freed.remove(&address);
        self.outstanding.insert(address);
    }

    /// Strikes out the table at `address`. Only if that succeeds may the host release the memory.
    ///
    /// # Errors
    /// There is no table; the misuse is counted.
    pub fn freed(&mut self, address: usize) -> Result<(), TableMisuse> {
        if self.outstanding.remove(&address) {
            self.freed.insert(address);
            return Ok(());
        }
        if self.freed.contains(&address) {
            self.double_frees += 1;
            return Err(TableMisuse::DoubleFree);
        }
        self.unknown_frees += 1;
        Err(TableMisuse::NeverAllocated)
    }

    /// The same tables, with no misuse counted so far.
    pub(crate) fn forget_misuse(&mut self) -> Self {
        Self { double_frees: 0, unknown_frees: 0, ..core::mem::take(self) }
    }

    /// The tables that are still to be freed.
    #[must_use]
    pub fn outstanding(&self) -> usize {
        self.outstanding.len()
    }

    /// The tables that were freed again.
    #[must_use]
    pub const fn double_frees(&self) -> u64 {
        self.double_frees
    }

    /// The pointers that were freed and never were tables.
    #[must_use]
    pub const fn unknown_frees(&self) -> u64 {
        self.unknown_frees
    }
}
