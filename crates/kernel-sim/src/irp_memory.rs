//! The memory of an IRP: its header, and a stack location for each driver that it can be sent to.
//!
//! Source: <https://learn.microsoft.com/windows-hardware/drivers/kernel/i-o-stack-locations>

use std::mem::offset_of;
use std::sync::atomic::{AtomicUsize, Ordering};

use zerocopy::{FromBytes, Immutable, IntoBytes};

use crate::driver_memory;
use crate::layout::{self, Irp, SL_PENDING_RETURNED, StackLocation};
use crate::memory::Block;

/// Where an IRP is.
#[derive(Debug)]
pub(crate) enum IrpMemory {
    /// In memory of the simulator's.
    Own(Block),
    /// In memory that a driver has for it, at this address. Whoever reads it here has seen that it is there.
    Drivers(usize),
}

/// How long an IRP of `stack_size` locations is: `IoSizeOfIrp`.
pub(crate) fn length(stack_size: i8) -> usize {
    size_of::<Irp>() + usize::from(stack_size.unsigned_abs()) * size_of::<StackLocation>()
}

/// Where the location number `number` begins: the driver that is sent to last has number 1.
fn offset(number: i8) -> usize {
    size_of::<Irp>() + usize::from(number.unsigned_abs().saturating_sub(1)) * size_of::<StackLocation>()
}

impl IrpMemory {
    pub(crate) const fn address(&self) -> usize {
        match self {
            Self::Own(block) => block.address(),
            Self::Drivers(address) => *address,
        }
    }

    pub(crate) fn read<T: FromBytes>(&self, offset: usize) -> T {
        match self {
            Self::Own(block) => block.read(offset),
            // SAFETY: the driver vouches for the IRP, and the memory was seen to be there.
            Self::Drivers(address) => unsafe { driver_memory::read(address + offset) },
        }
    }

    pub(crate) fn write<T: IntoBytes + Immutable>(&self, offset: usize, value: T) {
        match self {
            Self::Own(block) => block.write(offset, &value),
            // SAFETY: the driver vouches for the IRP, and the memory was seen to be there.
            Self::Drivers(address) => unsafe { driver_memory::write(address + offset, value) },
        }
    }

    /// Puts the cancel routine in its place, atomically, as IoSetCancelRoutine does. Returns the one before.
    pub(crate) fn exchange_cancel_routine(&self, routine: usize) -> usize {
        const OFFSET: usize = offset_of!(Irp, cancel_routine);
        match self {
            Self::Own(block) => block.exchange(OFFSET, routine),
            Self::Drivers(address) => {
                // SAFETY: the driver vouches for the IRP, and the memory was seen to be there; the driver uses interlocked
                // operations too.
                let place = unsafe { AtomicUsize::from_ptr((address + OFFSET) as *mut usize) };
                place.swap(routine, Ordering::SeqCst)
            }
        }
    }

    /// Makes it an IRP that nobody has been sent, with this header and `stack_size` empty locations.
    pub(crate) fn initialize(&self, mut header: Irp, stack_size: i8) {
        header.kind = layout::TYPE_IRP;
        header.size = u16::try_from(length(stack_size)).unwrap_or(u16::MAX);
        header.stack_count = stack_size;
        // One behind the last: no driver's.
        header.current_location = stack_size + 1;
        header.current_stack_location = self.address() + offset(stack_size + 1);
        self.write(0, header);
        for number in 1..=stack_size {
            self.write(offset(number), StackLocation::EMPTY);
        }
    }

    /// The number of the location of the driver that has the IRP; drivers move it too, by inlined macros.
    pub(crate) fn current(&self) -> i8 {
        self.read(offset_of!(Irp, current_location))
    }

    /// Lets the IRP stand at a location.
    pub(crate) fn set_current(&self, number: i8) {
        self.write(offset_of!(Irp, current_location), number);
        self.write(offset_of!(Irp, current_stack_location), self.address() + offset(number));
    }

    /// The location with this number, which the IRP has.
    pub(crate) fn location(&self, number: i8) -> StackLocation {
        self.read(offset(number))
    }

    /// Fills a location.
    pub(crate) fn set_location(&self, number: i8, location: StackLocation) {
        self.write(offset(number), location);
    }

    /// Says in a location which device it is for.
    pub(crate) fn set_device(&self, number: i8, device: usize) {
        self.write(offset(number) + offset_of!(StackLocation, device_object), device);
    }

    /// IoMarkIrpPending, which is a macro, for a location.
    pub(crate) fn mark_pending(&self, number: i8) {
        let control = offset(number) + offset_of!(StackLocation, control);
        self.write(control, self.read::<u8>(control) | SL_PENDING_RETURNED);
    }
}

impl StackLocation {
    /// A location that says nothing.
    pub(crate) const EMPTY: Self = Self {
        major_function: 0,
        minor_function: 0,
        flags: 0,
        control: 0,
        padding: 0,
        parameters: [0; 4],
        device_object: 0,
        file_object: 0,
        completion_routine: 0,
        context: 0,
    };

    /// Whether IoMarkIrpPending was applied.
    pub(crate) const fn is_marked_pending(&self) -> bool {
        self.control & SL_PENDING_RETURNED != 0
    }
}
