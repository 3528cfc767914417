//! Requests that the I/O manager builds for drivers, to be waited for.

use crate::built_requests::Recipient;
use crate::core::Core;
use crate::io_buffers::{self, METHOD, METHOD_BUFFERED, METHOD_NEITHER};
use crate::irp_memory::{self, IrpMemory};
use crate::layout::{Irp, StackLocation};
use crate::major::Major;
use crate::memory::Placement;
use crate::request::{Buffers, Lengths, Memory, New, Origin, Request};
use crate::violation::Rule;
use crate::{driver_memory, processor};

/// The buffers as the driver gave them: address and length.
#[derive(Clone, Copy)]
struct Given {
    input: usize,
    output: usize,
    lengths: Lengths,
}

/// `IoBuildDeviceIoControlRequest`. Null if there is no memory.
///
/// # Safety
/// Only the driver may call it, with its buffers, an event perhaps, and an `IO_STATUS_BLOCK`.
pub(super) unsafe extern "win64" fn device_control(
    control_code: u32,
    device: usize,
    input: usize,
    input_length: u32,
    output: usize,
    output_length: u32,
    internal: u8,
    event: usize,
    status_block: usize,
) -> usize {
    let core = processor::core();
    if core.fault() {
        return 0;
    }
    if !core.state().devices.contains_key(&device) {
        core.report(Rule::ObjectInvalid, format!("a request is built for {device:#x}, which is no device"));
        return 0;
    }
    let lengths = Lengths { code: control_code, input: input_length as usize, output: output_length as usize };
    let given = Given { input, output, lengths };
    // SAFETY: as the driver vouches.
    let sent = unsafe { driver_memory::bytes(input, if is_copied(control_code) { lengths.input } else { 0 }) };
    let major = if internal == 0 { Major::DEVICE_CONTROL } else { Major::INTERNAL_DEVICE_CONTROL };
    let is_buffered = control_code & METHOD == METHOD_BUFFERED;
    let maker = core.maker();
    let recipient = Recipient {
        thread: processor::thread(),
        status_block,
        event,
        output: if is_buffered { output } else { 0 },
        maker: maker.clone(),
        outcome: None,
    };
    let address = core.build(device, given, &sent, major, Origin::Built(maker));
    core.change(|it| it.built.recipients.insert(address, recipient));
    address
}

/// Whether the I/O manager copies the input into its own buffer.
const fn is_copied(code: u32) -> bool {
    code & METHOD != METHOD_NEITHER
}

impl Core {
    /// Makes the IRP.
    fn build(&self, device: usize, given: Given, sent: &[u8], major: Major, origin: Origin) -> usize {
        let Given { input, output, lengths } = given;
        let poison = self.poison();
        let stack_size = self.state().stack_size(device);
        let (buffers, user_buffer, type3_input) = self.buffers_for(given, sent, poison);
        let header = Irp { thread: processor::thread(), user_buffer, ..io_buffers::header(&buffers, 0) };
        let irp = IrpMemory::Own(self.arena.allocate(irp_memory::length(stack_size), Placement::AtEnd, 0));
        irp.initialize(header, stack_size);
        debug_assert!(type3_input == 0 || type3_input == input && user_buffer == output, "they are the driver's own");
        let mut parameters = io_buffers::parameters(&buffers, lengths);
        parameters[3] = type3_input as u64;
        let location = StackLocation { major_function: major.0, parameters, ..StackLocation::EMPTY };
        irp.set_location(stack_size, location);
        let process = processor::context().process;
        let memory = Memory { irp, buffers };
        let request = Request::new(New { memory, stack_size, origin, process, major: Some(major), lengths, poison });
        let address = request.address;
        self.state().requests.insert(address, request);
        address
    }

    /// The I/O manager's own buffers, and what the IRP shows of the driver's: the buffer for output, and the input.
    fn buffers_for(&self, given: Given, sent: &[u8], poison: [u8; 8]) -> (Buffers, usize, usize) {
        let Given { input, output, lengths } = given;
        let mut buffers = Buffers::default();
        let block = |length: usize| (length > 0).then(|| self.arena.allocate(length, Placement::AtEnd, 0));
        match lengths.code & METHOD {
            METHOD_NEITHER => return (buffers, output, if lengths.input > 0 { input } else { 0 }),
            METHOD_BUFFERED => buffers.system_buffer = block(lengths.input.max(lengths.output)),
            _ => {
                buffers.system_buffer = block(lengths.input);
                buffers.mdl = (lengths.output > 0).then(|| io_buffers::mdl(&self.arena, output, lengths.output));
            }
        }
        if let Some(buffer) = &buffers.system_buffer {
            buffer.write_bytes(0, sent);
            buffer.fill_pattern(sent.len(), poison);
        }
        (buffers, output, 0)
    }
}
