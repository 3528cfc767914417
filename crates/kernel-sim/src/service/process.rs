//! In whose context a driver runs, and who has made a request.

use crate::core::Core;
use crate::memory::Placement;
use crate::objects::ObjectKind;
use crate::process::{self, ProcessId};
use crate::request::Origin;
use crate::violation::Rule;
use crate::{driver_memory, processor};

/// The object of a process: its id is in it, where the kernel finds it again.
const PROCESS: usize = 0x40;
/// `sizeof` what is between one thread id and the next.
const THREAD_ID_STEP: usize = 0x800 / 4;

impl Core {
    /// The object of a process.
    fn process_object(&self, process: ProcessId) -> usize {
        let mut state = self.state();
        if let Some(object) = state.processes.get(&process) {
            return *object;
        }
        let block = self.arena.allocate(PROCESS, Placement::AtEnd, 0);
        block.write(0, &process.0);
        let address = block.address();
        state.objects.insert(address, ObjectKind::Process);
        state.other_objects.insert(address, block);
        state.processes.insert(process, address);
        address
    }

    /// The process on whose behalf an IRP was made; `None`, and a violation, if it is no IRP.
    fn requestor(&self, irp: usize) -> Option<ProcessId> {
        let request = self.state().requests.get(&irp).cloned();
        let Some(request) = request else {
            self.report(Rule::IrpUnknown, format!("{irp:#x} is asked for its requestor, and is no IRP"));
            return None;
        };
        if !matches!(request.origin, Origin::Allocated(_) | Origin::Initialized(_)) {
            return Some(request.process);
        }
        request.touch();
        // Nobody's, unless the driver that has made it has said whose.
        let thread = request.with_irp(|irp| irp.read::<usize>(std::mem::offset_of!(crate::layout::Irp, thread)))?;
        process::of_thread(thread)
    }
}

/// `PsGetCurrentProcessId`.
///
/// # Safety
/// Only the driver may call it.
pub(super) unsafe extern "win64" fn current_id() -> usize {
    processor::context().process.0 as usize
}

/// `IoGetCurrentProcess`, which PsGetCurrentProcess is a macro for.
///
/// # Safety
/// Only the driver may call it.
pub(super) unsafe extern "win64" fn current() -> usize {
    processor::core().process_object(processor::context().process)
}

/// `PsGetProcessId`.
///
/// # Safety
/// Only the driver may call it, with a process object.
pub(super) unsafe extern "win64" fn id(process: usize) -> usize {
    // SAFETY: as the driver vouches.
    unsafe { driver_memory::read::<u32>(process) as usize }
}

/// `PsGetCurrentThreadId`.
///
/// # Safety
/// Only the driver may call it.
pub(super) unsafe extern "win64" fn current_thread_id() -> usize {
    processor::thread() / THREAD_ID_STEP % (1 << 31) + 4
}

/// `PsGetThreadProcessId`.
///
/// # Safety
/// Only the driver may call it, with a thread object.
pub(super) unsafe extern "win64" fn of_thread(thread: usize) -> usize {
    process::of_thread(thread).map_or(0, |process| process.0 as usize)
}

/// `PsGetCurrentThread` and `KeGetCurrentThread`.
///
/// # Safety
/// Only the driver may call it.
pub(super) unsafe extern "win64" fn current_thread() -> usize {
    processor::thread()
}

/// `ExGetPreviousMode`.
///
/// # Safety
/// Only the driver may call it.
pub(super) unsafe extern "win64" fn previous_mode() -> i8 {
    processor::context().previous_mode as i8
}

/// `IoGetRequestorProcessId`. Zero if the IRP is of no thread.
///
/// # Safety
/// Only the driver may call it, with an IRP.
pub(super) unsafe extern "win64" fn requestor_id(irp: usize) -> u32 {
    processor::core().requestor(irp).map_or(0, |process| process.0)
}

/// `IoGetRequestorProcess`. Null if the IRP is of no thread.
///
/// # Safety
/// Only the driver may call it, with an IRP.
pub(super) unsafe extern "win64" fn requestor(irp: usize) -> usize {
    let core = processor::core();
    core.requestor(irp).map_or(0, |process| core.process_object(process))
}
