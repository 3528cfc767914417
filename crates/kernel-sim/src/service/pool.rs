//! Pool: memory that drivers allocate.

use netio_anycast_protocol::status::NtStatus;

use crate::core::{Core, PoolBlock};
use crate::memory::Placement;
use crate::processor::{self, Irql};
use crate::violation::Rule;

/// `POOL_FLAG_UNINITIALIZED`, `POOL_FLAG_NON_PAGED`, `POOL_FLAG_NON_PAGED_EXECUTE`, `POOL_FLAG_PAGED`.
const UNINITIALIZED: u64 = 0x2;
const NON_PAGED: u64 = 0x40;
const NON_PAGED_EXECUTE: u64 = 0x80;
const PAGED: u64 = 0x100;
/// The bit of `POOL_TYPE` that tells paged pool.
const PAGED_POOL: u32 = 1;

/// `ExAllocatePool2`.
///
/// # Safety
/// Only the driver may call it.
pub(super) unsafe extern "win64" fn allocate_pool2(flags: u64, bytes: usize, tag: u32) -> usize {
    let core = processor::core();
    let kinds = (flags & (NON_PAGED | NON_PAGED_EXECUTE | PAGED)).count_ones();
    if kinds != 1 || bytes == 0 || tag == 0 {
        core.report(Rule::PoolParameter, format!("flags {flags:#x}, {bytes} bytes, tag {tag:#x}"));
        return 0;
    }
    allocate(&core, flags & PAGED != 0, bytes, tag, flags & UNINITIALIZED == 0)
}

/// `ExAllocatePoolWithTag`.
///
/// # Safety
/// Only the driver may call it.
pub(super) unsafe extern "win64" fn allocate_pool_with_tag(kind: u32, bytes: usize, tag: u32) -> usize {
    let core = processor::core();
    if bytes == 0 || tag == 0 {
        core.report(Rule::PoolParameter, format!("type {kind:#x}, {bytes} bytes, tag {tag:#x}"));
    }
    allocate(&core, kind & PAGED_POOL != 0, bytes, tag, false)
}

fn allocate(core: &Core, paged: bool, bytes: usize, tag: u32, zeroed: bool) -> usize {
    let irql = processor::irql();
    if paged && irql > Irql::APC_LEVEL {
        core.report(Rule::IrqlTooHigh, format!("paged pool is allocated at up to {}", Irql::APC_LEVEL));
    }
    if core.fault() {
        return 0;
    }
    let block = core.arena.allocate(bytes, Placement::Pool, 0);
    if !zeroed {
        // So that what the driver lets out of it is found among the output.
        let poison = processor::request().map_or_else(|| core.poison(), |request| request.poison);
        block.fill_pattern(0, poison);
    }
    let address = block.address();
    let maker = core.maker();
    core.state().pool.insert(address, PoolBlock { block, tag, maker });
    address
}

/// `ExFreePool`.
///
/// # Safety
/// Only the driver may call it.
pub(super) unsafe extern "win64" fn free_pool(address: usize) {
    free(&processor::core(), address, 0);
}

/// `ExFreePoolWithTag`. A tag of zero stands for any.
///
/// # Safety
/// Only the driver may call it.
pub(super) unsafe extern "win64" fn free_pool_with_tag(address: usize, tag: u32) {
    free(&processor::core(), address, tag);
}

pub(super) fn free(core: &Core, address: usize, tag: u32) {
    let mut state = core.state();
    let Some(pool) = state.pool.remove(&address) else {
        let again = state.freed_pool.contains(&address);
        drop(state);
        let rule = if again { Rule::PoolDoubleFree } else { Rule::PoolInvalidFree };
        return core.report(rule, format!("address {address:#x}"));
    };
    state.freed_pool.insert(address);
    drop(state);
    core.judge_memory(&(address..address + pool.block.length().max(1)));
    if tag != 0 && tag != pool.tag {
        let text = |tag: u32| String::from_utf8_lossy(&tag.to_le_bytes()).into_owned();
        core.report(Rule::PoolWrongTag, format!("allocated as {}, freed as {}", text(pool.tag), text(tag)));
    }
    if pool.block.overrun() {
        let length = pool.block.length();
        core.report(
            Rule::PoolOverrun,
            format!("an allocation of {length} bytes at {address:#x} was written behind its end"),
        );
    }
}

/// What a service that is out of memory answers.
pub(super) const NO_MEMORY: NtStatus = NtStatus::INSUFFICIENT_RESOURCES;
