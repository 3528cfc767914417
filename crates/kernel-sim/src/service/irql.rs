//! The IRQL.

use crate::processor::{self, Irql};
use crate::violation::Rule;

/// `KeGetCurrentIrql`.
///
/// # Safety
/// Only the driver may call it.
pub(super) unsafe extern "win64" fn current() -> u8 {
    processor::irql().0
}

/// `KfRaiseIrql`, which KeRaiseIrql is a macro for. Returns the IRQL before.
///
/// # Safety
/// Only the driver may call it.
pub(super) unsafe extern "win64" fn raise(level: u8) -> u8 {
    let before = processor::irql();
    if Irql(level) < before {
        processor::core().report(Rule::IrqlDirection, format!("raised from {before} to {}", Irql(level)));
    }
    processor::set_irql(Irql(level));
    before.0
}

/// `KeLowerIrql`.
///
/// # Safety
/// Only the driver may call it.
pub(super) unsafe extern "win64" fn lower(level: u8) {
    let before = processor::irql();
    if Irql(level) > before {
        processor::core().report(Rule::IrqlDirection, format!("lowered from {before} to {}", Irql(level)));
    }
    processor::set_irql(Irql(level));
}
