//! Pool: memory that drivers allocate.

use netio_anycast_protocol::status::NtStatus;

use crate::core::{Core, PoolBlock, State};
use crate::crash;
use crate::memory::Placement;
use crate::process::ProcessId;
use crate::processor::{self, Irql};
use crate::violation::Rule;

/// `POOL_FLAG_*`. Flags in the upper half are optional: whoever does not know them ignores them.
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/kernel/pool_flags>
mod flag {
    pub(super) const USE_QUOTA: u64 = 0x1;
    pub(super) const UNINITIALIZED: u64 = 0x2;
    pub(super) const SESSION: u64 = 0x4;
    pub(super) const CACHE_ALIGNED: u64 = 0x8;
    pub(super) const RAISE_ON_FAILURE: u64 = 0x20;
    pub(super) const NON_PAGED: u64 = 0x40;
    pub(super) const NON_PAGED_EXECUTE: u64 = 0x80;
    pub(super) const PAGED: u64 = 0x100;
    pub(super) const KINDS: u64 = NON_PAGED | NON_PAGED_EXECUTE | PAGED;
    pub(super) const KNOWN: u64 = USE_QUOTA | UNINITIALIZED | SESSION | CACHE_ALIGNED | RAISE_ON_FAILURE | KINDS;
    pub(super) const OPTIONAL: u64 = 0xFFFF_FFFF_0000_0000;
}

/// `POOL_TYPE`: paged pool, pool aligned to cache lines, `POOL_QUOTA_FAIL_INSTEAD_OF_RAISE`, `POOL_RAISE_IF_ALLOCATION_FAILURE`.
const PAGED_POOL: u32 = 1;
const CACHE_ALIGNED_POOL: u32 = 4;
const QUOTA_FAILS: u32 = 8;
const FAILURE_RAISES: u32 = 16;

/// What is asked for.
#[derive(Clone, Copy)]
struct Wanted {
    bytes: usize,
    tag: u32,
    /// `POOL_FLAG_*`.
    flags: u64,
}

impl Wanted {
    const fn has(self, flag: u64) -> bool {
        self.flags & flag != 0
    }
}

/// `ExAllocatePool2`.
///
/// # Safety
/// Only the driver may call it.
pub(super) unsafe extern "win64" fn allocate_pool2(flags: u64, bytes: usize, tag: u32) -> usize {
    let kinds = (flags & flag::KINDS).count_ones();
    if kinds != 1 || bytes == 0 || tag == 0 || flags & !(flag::KNOWN | flag::OPTIONAL) != 0 {
        processor::core().report(Rule::PoolParameter, format!("flags {flags:#x}, {bytes} bytes, tag {tag:#x}"));
        return 0;
    }
    // SAFETY: there is nothing here to be dropped.
    unsafe { allocate_or_raise(Wanted { bytes, tag, flags }) }
}

/// `ExAllocatePoolWithTag`.
///
/// # Safety
/// Only the driver may call it.
pub(super) unsafe extern "win64" fn allocate_pool_with_tag(kind: u32, bytes: usize, tag: u32) -> usize {
    judge_parameters(kind, bytes, tag);
    // SAFETY: there is nothing here to be dropped.
    unsafe { allocate_or_raise(Wanted { bytes, tag, flags: flags_of(kind) }) }
}

/// `ExAllocatePoolWithQuotaTag`: a failure raises an exception, unless it is asked not to.
///
/// # Safety
/// Only the driver may call it.
pub(super) unsafe extern "win64" fn allocate_pool_with_quota(kind: u32, bytes: usize, tag: u32) -> usize {
    judge_parameters(kind, bytes, tag);
    let raises = if kind & QUOTA_FAILS == 0 { flag::RAISE_ON_FAILURE } else { 0 };
    let flags = flags_of(kind) | flag::USE_QUOTA | raises;
    // SAFETY: there is nothing here to be dropped.
    unsafe { allocate_or_raise(Wanted { bytes, tag, flags }) }
}

fn judge_parameters(kind: u32, bytes: usize, tag: u32) {
    if bytes == 0 || tag == 0 {
        processor::core().report(Rule::PoolParameter, format!("type {kind:#x}, {bytes} bytes, tag {tag:#x}"));
    }
}

/// What a `POOL_TYPE` says, as `POOL_FLAG_*`. Such pool is never zeroed.
fn flags_of(kind: u32) -> u64 {
    let flags = [
        (PAGED_POOL, flag::PAGED),
        (CACHE_ALIGNED_POOL, flag::CACHE_ALIGNED),
        (FAILURE_RAISES, flag::RAISE_ON_FAILURE),
    ];
    let said = flags.into_iter().filter(|(bit, _)| kind & bit != 0);
    said.fold(flag::UNINITIALIZED, |flags, (_, flag)| flags | flag)
}

/// # Safety
/// Only a service may call it, with nothing on the stack that must be dropped.
unsafe fn allocate_or_raise(wanted: Wanted) -> usize {
    match allocate(&processor::core(), wanted) {
        Ok(address) => address,
        // SAFETY: as the caller promises.
        Err(status) if wanted.has(flag::RAISE_ON_FAILURE) => unsafe { crash::raise(status) },
        Err(_) => 0,
    }
}

fn allocate(core: &Core, wanted: Wanted) -> Result<usize, NtStatus> {
    let irql = processor::irql();
    if wanted.has(flag::PAGED) && irql > Irql::APC_LEVEL {
        core.report(Rule::IrqlTooHigh, format!("paged pool is allocated at up to {}", Irql::APC_LEVEL));
    }
    if core.fault() {
        return Err(NO_MEMORY);
    }
    let process = processor::context().process;
    // The system's own process has no quota.
    let charged = (wanted.has(flag::USE_QUOTA) && process != ProcessId::SYSTEM).then_some(process);
    if let Some(process) = charged {
        core.state().charge(process, wanted.bytes, core.options.pool_quota)?;
    }
    let placement = if wanted.has(flag::CACHE_ALIGNED) { Placement::CacheAligned } else { Placement::Pool };
    let block = core.arena.allocate(wanted.bytes, placement, 0);
    if wanted.has(flag::UNINITIALIZED) {
        // So that what the driver lets out of it is found among the output.
        let poison = processor::request().map_or_else(|| core.poison(), |request| request.poison);
        block.fill_pattern(0, poison);
    }
    if wanted.has(flag::PAGED) {
        core.arena.paging().add(&block.pages(), libc::PROT_READ | libc::PROT_WRITE);
    }
    let address = block.address();
    let maker = core.maker();
    let pool = PoolBlock { block, tag: wanted.tag, is_paged: wanted.has(flag::PAGED), charged, maker };
    core.state().pool.insert(address, pool);
    Ok(address)
}

impl State {
    /// Charges pool to a process.
    fn charge(&mut self, process: ProcessId, bytes: usize, quota: usize) -> Result<(), NtStatus> {
        let charged = self.charged_pool.entry(process).or_default();
        let after = charged.checked_add(bytes).filter(|after| *after <= quota).ok_or(NtStatus::QUOTA_EXCEEDED)?;
        *charged = after;
        Ok(())
    }

    /// Gives a process back what was charged to it.
    fn give_back(&mut self, pool: &PoolBlock) {
        if let Some(charged) = pool.charged.and_then(|process| self.charged_pool.get_mut(&process)) {
            *charged -= pool.block.length();
        }
    }
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
    state.give_back(&pool);
    drop(state);
    core.arena.paging().remove(&pool.block.pages());
    if pool.is_paged && processor::irql() > Irql::APC_LEVEL {
        core.report(Rule::IrqlTooHigh, format!("paged pool is freed at up to {}", Irql::APC_LEVEL));
    }
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
