//! Keeping sections of an image in memory that may be paged out otherwise.
//!
//! Source: <https://learn.microsoft.com/windows-hardware/drivers/kernel/locking-pageable-code-or-data>

use std::sync::Arc;

use crate::core::Core;
use crate::driver::LoadedDriver;
use crate::processor;
use crate::violation::Rule;

/// `MmLockPagableDataSection`, and MmLockPagableCodeSection, which is a macro. Returns a handle to the section.
///
/// # Safety
/// Only the driver may call it, with an address in the section.
pub(super) unsafe extern "win64" fn lock(address: usize) -> usize {
    let core = processor::core();
    core.lock_section(address);
    // Any address in it stands for it.
    address
}

/// `MmLockPagableSectionByHandle`.
///
/// # Safety
/// Only the driver may call it, with what locking the section has returned.
pub(super) unsafe extern "win64" fn lock_again(handle: usize) {
    processor::core().lock_section(handle);
}

/// `MmUnlockPagableImageSection`.
///
/// # Safety
/// Only the driver may call it, with what locking the section has returned.
pub(super) unsafe extern "win64" fn unlock(handle: usize) {
    processor::core().unlock_section(handle);
}

impl Core {
    fn lock_section(&self, address: usize) {
        let Some(driver) = self.driver_with_section(address) else { return };
        let Some(section) = driver.image().pageable_section(address) else { return };
        let mut state = self.state();
        let count = state.locked_sections.entry(driver.image().base() + section.start()).or_default();
        *count += 1;
        if *count == 1 {
            driver.image().set_pageable(section, false);
        }
    }

    fn unlock_section(&self, address: usize) {
        let Some(driver) = self.driver_with_section(address) else { return };
        let Some(section) = driver.image().pageable_section(address) else { return };
        let start = driver.image().base() + section.start();
        let mut state = self.state();
        let Some(count) = state.locked_sections.get_mut(&start) else {
            drop(state);
            return self.report(Rule::SectionLock, format!("{address:#x} is unlocked, and is not locked"));
        };
        *count -= 1;
        if *count == 0 {
            state.locked_sections.remove(&start);
            driver.image().set_pageable(section, true);
        }
    }

    /// The driver of a section that may be paged out; `None`, and a violation, if it is none.
    fn driver_with_section(&self, address: usize) -> Option<Arc<LoadedDriver>> {
        let driver = self.driver_at(address);
        let driver = driver.filter(|driver| driver.image().pageable_section(address).is_some());
        if driver.is_none() {
            self.report(Rule::SectionLock, format!("{address:#x} is in no section that may be paged out"));
        }
        driver
    }
}
