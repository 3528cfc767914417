//! What an IRP is made of, and how it ends.

use netio_anycast_protocol::status::NtStatus;

use crate::irp_memory::IrpMemory;
use crate::memory::Block;
use crate::owner::Maker;

/// How an IRP ended.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    pub(crate) status: NtStatus,
    pub(crate) information: usize,
    /// The output as the I/O manager copies it back.
    pub(crate) output: Vec<u8>,
}

impl Outcome {
    pub(crate) const fn bare(status: NtStatus) -> Self {
        Self { status, information: 0, output: Vec::new() }
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
    pub(crate) irp: IrpMemory,
    pub(crate) buffers: Buffers,
}

/// The memory of the I/O manager's that an IRP leads to.
#[derive(Debug, Default)]
pub(crate) struct Buffers {
    pub(crate) system_buffer: Option<Block>,
    /// The caller's output buffer, for the methods that show it to the driver.
    pub(crate) user_buffer: Option<Block>,
    /// What describes that buffer, for the methods of direct I/O.
    pub(crate) mdl: Option<Block>,
    /// What else the driver may look at: the caller's input buffer, the security context.
    pub(crate) others: Vec<Block>,
}

/// Who has made an IRP, and so what becomes of it in the end.
#[derive(Clone, Debug)]
pub(crate) enum Origin {
    /// The I/O manager, for the file object at this address; zero if it is for none.
    File(usize),
    /// The I/O manager, for a driver that called IoBuildDeviceIoControlRequest.
    Built(Maker),
    /// A driver, by IoAllocateIrp.
    Allocated(Maker),
    /// A driver, by IoInitializeIrp in memory of its own.
    Initialized(Maker),
}

impl Origin {
    /// Who has made it, if that was a driver.
    pub(crate) const fn maker(&self) -> Option<&Maker> {
        match self {
            Self::File(_) => None,
            Self::Built(maker) | Self::Allocated(maker) | Self::Initialized(maker) => Some(maker),
        }
    }
}
