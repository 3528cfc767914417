//! Making, sending, completing and freeing IRPs.
//!
//! Source: <https://learn.microsoft.com/windows-hardware/drivers/kernel/creating-irps-for-lower-level-drivers>

use std::mem::offset_of;
use std::sync::Arc;

use netio_anycast_protocol::status::NtStatus;
use zerocopy::FromZeros as _;

use crate::core::Core;
use crate::irp_memory::{self, IrpMemory};
use crate::layout::Irp;
use crate::memory::Placement;
use crate::process::ProcessId;
use crate::request::{Buffers, Lengths, Memory, New, Origin, Request};
use crate::violation::Rule;
use crate::{crash, driver_memory, processor};

/// `IofCompleteRequest`. When the IRP ends, it and its buffers are gone: whoever touches them crashes.
///
/// # Safety
/// Only the driver may call it.
pub(super) unsafe extern "win64" fn complete(irp: usize, _boost: i8) {
    // A crash of a completion routine is told below.
    let _: Result<(), _> = processor::core().complete_request(irp);
    // SAFETY: there is nothing here to be dropped.
    unsafe { crash::propagate() };
}

/// What the I/O manager puts into every dispatch routine that the driver does not: completes the IRP with
/// STATUS_INVALID_DEVICE_REQUEST.
///
/// # Safety
/// Only the I/O manager may call it, with an IRP.
pub(super) unsafe extern "win64" fn invalid_device_request(_device: usize, irp: usize) -> i32 {
    let status = NtStatus::INVALID_DEVICE_REQUEST;
    // SAFETY: the I/O manager vouches for the IRP.
    unsafe { driver_memory::write(irp + offset_of!(Irp, status), status.0) };
    // SAFETY: as above.
    unsafe { complete(irp, 0) };
    status.0
}

/// `IofCallDriver`.
///
/// # Safety
/// Only the driver may call it, with a device and an IRP whose next stack location it has set up.
pub(super) unsafe extern "win64" fn call_driver(device: usize, irp: usize) -> i32 {
    let status = send(&processor::core(), device, irp);
    // SAFETY: there is nothing here to be dropped.
    unsafe { crash::propagate() };
    status.0
}

fn send(core: &Arc<Core>, device: usize, irp: usize) -> NtStatus {
    let Some(request) = core.sendable_request(irp) else { return NtStatus::UNSUCCESSFUL };
    core.call_device(device, &request, processor::irql()).unwrap_or(NtStatus::UNSUCCESSFUL)
}

/// `IoAllocateIrp`. Null if there is no memory.
///
/// # Safety
/// Only the driver may call it.
pub(super) unsafe extern "win64" fn allocate(stack_size: i8, _charge_quota: u8) -> usize {
    let core = processor::core();
    if core.fault() {
        return 0;
    }
    if stack_size < 1 {
        core.report(Rule::IrpStack, format!("an IRP is allocated with {stack_size} stack locations"));
        return 0;
    }
    let irp = IrpMemory::Own(core.arena.allocate(irp_memory::length(stack_size), Placement::AtEnd, 0));
    let origin = Origin::Allocated(core.maker());
    core.enter_own_request(irp, stack_size, origin)
}

/// `IoInitializeIrp`: in the driver's own memory.
///
/// # Safety
/// Only the driver may call it, with so many bytes of memory.
pub(super) unsafe extern "win64" fn initialize(irp: usize, packet_size: u16, stack_size: i8) {
    let core = processor::core();
    let length = irp_memory::length(stack_size);
    if stack_size < 1 || usize::from(packet_size) < length {
        let detail = format!("an IRP of {stack_size} stack locations takes {length} bytes, and has {packet_size}");
        return core.report(Rule::IrpStack, detail);
    }
    let before = core.state().requests.get(&irp).cloned();
    if before.is_some_and(|before| !matches!(before.origin, Origin::Initialized(_)) || before.is_under_way()) {
        return core
            .report(Rule::IrpFree, "only a driver's own memory is made an IRP, and not while it is with a driver");
    }
    // SAFETY: as the driver vouches.
    unsafe { driver_memory::write_bytes(irp, &vec![0; usize::from(packet_size)]) };
    let origin = Origin::Initialized(core.maker());
    core.enter_own_request(IrpMemory::Drivers(irp), stack_size, origin);
}

/// `IoReuseIrp`: as it was when it was allocated.
///
/// # Safety
/// Only the driver may call it, with an IRP of its own.
pub(super) unsafe extern "win64" fn reuse(irp: usize, status: i32) {
    let core = processor::core();
    let Some(request) = core.own_request(irp, "reused") else { return };
    request.touch();
    request.with_irp(|memory| {
        let allocation_flags: u8 = memory.read(offset_of!(Irp, allocation_flags));
        memory.initialize(Irp { status, allocation_flags, ..Irp::new_zeroed() }, request.stack_size);
    });
}

/// `IoFreeIrp`.
///
/// # Safety
/// Only the driver may call it, with an IRP that it has allocated.
pub(super) unsafe extern "win64" fn free(irp: usize) {
    let core = processor::core();
    if let Some(request) = core.own_request(irp, "freed") {
        if matches!(request.origin, Origin::Initialized(_)) {
            return core.report(Rule::IrpFree, "the IRP is freed, and is in the driver's own memory");
        }
        core.judge_protected_completions(irp);
        core.state().forget_request(&request);
        drop(request.take_memory());
    }
}

impl Core {
    /// An IRP that a driver has made, with nothing in it.
    fn enter_own_request(&self, irp: IrpMemory, stack_size: i8, origin: Origin) -> usize {
        irp.initialize(Irp::new_zeroed(), stack_size);
        let memory = Memory { irp, buffers: Buffers::default() };
        let (process, major, lengths) = (ProcessId::IDLE, None, Lengths::default());
        let poison = self.poison();
        let request = Request::new(New { memory, stack_size, origin, process, major, lengths, poison });
        let address = request.address;
        self.state().requests.insert(address, request);
        address
    }

    /// An IRP that the driver which has called a service has made itself and that is with nobody; otherwise reports what is wrong.
    fn own_request(&self, irp: usize, what: &str) -> Option<Arc<Request>> {
        let state = self.state();
        let request = state.requests.get(&irp).cloned();
        let was_one = state.past_requests.contains(&irp);
        drop(state);
        let wrong = match &request {
            None if was_one => "was freed or completed before",
            None => "is no IRP",
            Some(request) => match &request.origin {
                Origin::File(_) | Origin::Built(_) => "is the I/O manager's, which frees it when it is completed",
                Origin::Allocated(maker) | Origin::Initialized(maker) if maker.driver != processor::driver() => {
                    "was made by another driver"
                }
                _ if request.is_under_way() => "is with a driver that has not completed it",
                _ => return Some(Arc::clone(request)),
            },
        };
        self.report(Rule::IrpFree, format!("the IRP {irp:#x} is {what}, and {wrong}"));
        None
    }

    /// An IRP that the driver which has called a service may send on: one of its own, or one that it has.
    fn sendable_request(&self, irp: usize) -> Option<Arc<Request>> {
        let request = self.state().requests.get(&irp).cloned();
        if let Some(request) = request {
            request.touch();
            let maker = request.origin.maker();
            if !request.is_under_way() && maker.is_some_and(|maker| maker.driver == processor::driver()) {
                return Some(request);
            }
        }
        self.held_request(irp)
    }
}
