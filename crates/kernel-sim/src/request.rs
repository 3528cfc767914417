//! One IRP, from its making to its completion.

use std::fmt;
use std::mem::offset_of;
use std::sync::{Arc, Mutex};

use netio_anycast_protocol::status::NtStatus;

use crate::core::lock;
use crate::layout::{self, Irp, SL_PENDING_RETURNED, StackLocation};
use crate::memory::Block;
use crate::processor::Irql;

/// `IRP_MJ_*` of `wdm.h`, as far as the I/O manager sends them here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Major {
    Create = 0x00,
    Close = 0x02,
    DeviceControl = 0x0E,
    Cleanup = 0x12,
}

impl fmt::Display for Major {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Create => "IRP_MJ_CREATE",
            Self::Close => "IRP_MJ_CLOSE",
            Self::DeviceControl => "IRP_MJ_DEVICE_CONTROL",
            Self::Cleanup => "IRP_MJ_CLEANUP",
        })
    }
}

/// Something that happened to an IRP.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Event {
    Sent(Irql),
    Completed(NtStatus, usize),
    Cancelled,
    Returned(NtStatus),
}

impl fmt::Display for Event {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sent(irql) => write!(formatter, "sent to the driver at {irql}"),
            Self::Completed(status, information) => {
                write!(formatter, "completed with {status}, Information {information}")
            }
            Self::Cancelled => formatter.write_str("cancelled: its cancel routine is called"),
            Self::Returned(status) => write!(formatter, "the dispatch routine returned {status}"),
        }
    }
}

/// How an IRP ended.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    pub(crate) status: NtStatus,
    pub(crate) information: usize,
    /// The output as the I/O manager copies it back.
    pub(crate) output: Vec<u8>,
    /// Whether it was marked pending when it was completed.
    pub(crate) marked_pending: bool,
}

impl Outcome {
    pub(crate) const fn bare(status: NtStatus) -> Self {
        Self { status, information: 0, output: Vec::new(), marked_pending: false }
    }
}

/// How the buffers of a device control travel.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Lengths {
    pub(crate) code: u32,
    pub(crate) input: usize,
    pub(crate) output: usize,
}

/// The memory that belongs to an IRP and goes with it.
#[derive(Debug)]
pub(crate) struct Memory {
    pub(crate) irp: Block,
    pub(crate) system_buffer: Option<Block>,
    /// The caller's output buffer, for the methods that show it to the driver.
    pub(crate) user_buffer: Option<Block>,
    /// What describes that buffer, for the methods of direct I/O.
    pub(crate) mdl: Option<Block>,
    /// What else the driver may look at: the caller's input buffer, the security context.
    pub(crate) others: Vec<Block>,
}

/// An IRP and what became of it.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) address: usize,
    pub(crate) major: Major,
    pub(crate) lengths: Lengths,
    /// What the bytes hold that the driver must not let out.
    pub(crate) poison: [u8; 8],
    progress: Mutex<Progress>,
}

#[derive(Debug)]
struct Progress {
    /// Gone with the completion.
    memory: Option<Memory>,
    outcome: Option<Outcome>,
    history: Vec<Event>,
}

impl Request {
    pub(crate) fn new(major: Major, lengths: Lengths, poison: [u8; 8], memory: Memory) -> Arc<Self> {
        let address = memory.irp.address();
        let progress = Progress { memory: Some(memory), outcome: None, history: Vec::new() };
        Arc::new(Self { address, major, lengths, poison, progress: Mutex::new(progress) })
    }

    pub(crate) fn note(&self, event: Event) {
        lock(&self.progress).history.push(event);
    }

    /// The history in words.
    pub(crate) fn history(&self) -> Vec<String> {
        let made = match self.major {
            Major::DeviceControl => {
                let Lengths { code, input, output } = self.lengths;
                format!("{} {code:#010x}, {input} bytes in, {output} bytes out", self.major)
            }
            major => major.to_string(),
        };
        std::iter::once(made).chain(lock(&self.progress).history.iter().map(ToString::to_string)).collect()
    }

    /// Whether the driver has marked it pending, if it is not completed yet.
    pub(crate) fn is_marked_pending(&self) -> Option<bool> {
        self.with_irp(marked_pending)
    }

    /// Looks at the IRP, unless it is completed; it is not completed meanwhile.
    pub(crate) fn with_irp<R>(&self, look: impl FnOnce(&Block) -> R) -> Option<R> {
        lock(&self.progress).memory.as_ref().map(|memory| look(&memory.irp))
    }

    /// Takes the IRP's memory for its completion; `None` if it was completed before.
    pub(crate) fn take_memory(&self) -> Option<Memory> {
        lock(&self.progress).memory.take()
    }

    /// Ends it.
    pub(crate) fn complete(&self, outcome: Outcome) {
        let mut progress = lock(&self.progress);
        progress.history.push(Event::Completed(outcome.status, outcome.information));
        progress.outcome = Some(outcome);
    }

    pub(crate) fn outcome(&self) -> Option<Outcome> {
        lock(&self.progress).outcome.clone()
    }
}

/// Where the stack location of the driver begins in the IRP's block, which has one for each device of the stack.
fn location_offset(irp: &Block) -> usize {
    let current: usize = irp.read(offset_of!(Irp, current_stack_location));
    let last = irp.length() - size_of::<StackLocation>();
    // A driver that spoiled the pointer has its violation elsewhere; the simulator must not follow it.
    current.checked_sub(irp.address()).filter(|offset| *offset <= last).unwrap_or(last)
}

/// Whether IoMarkIrpPending, which is a macro, was applied.
pub(crate) fn marked_pending(irp: &Block) -> bool {
    let control: u8 = irp.read(location_offset(irp) + offset_of!(StackLocation, control));
    control & SL_PENDING_RETURNED != 0
}

/// An IRP's own memory, initialized for one driver with `stack_size` locations.
pub(crate) fn initialize(irp: &Block, mut header: Irp, location: &StackLocation, stack_size: i8) {
    let offset = size_of::<Irp>() + usize::from(stack_size.unsigned_abs() - 1) * size_of::<StackLocation>();
    header.kind = layout::TYPE_IRP;
    header.size = u16::try_from(irp.length()).unwrap_or(u16::MAX);
    header.stack_count = stack_size;
    header.current_location = stack_size;
    header.current_stack_location = irp.address() + offset;
    irp.write(0, &header);
    irp.write(offset, location);
}

/// How long an IRP of `stack_size` locations is.
pub(crate) fn irp_length(stack_size: i8) -> usize {
    size_of::<Irp>() + usize::from(stack_size.unsigned_abs()) * size_of::<StackLocation>()
}
