//! The buffers of a request: how they travel from the caller to the driver and back.
//!
//! Source: <https://learn.microsoft.com/windows-hardware/drivers/kernel/buffer-descriptions-for-i-o-control-codes>

use std::sync::Arc;

use zerocopy::FromZeros as _;

use crate::layout::{Irp, Mdl};
use crate::memory::{Arena, Block, PAGE, Placement};
use crate::request::{Buffers, Lengths};

/// The two lowest bits of a control code.
pub(crate) const METHOD: u32 = 3;
pub(crate) const METHOD_BUFFERED: u32 = 0;
pub(crate) const METHOD_NEITHER: u32 = 3;
/// `MDL_MAPPED_TO_SYSTEM_VA | MDL_PAGES_LOCKED`.
const MAPPED_AND_LOCKED: i16 = 3;

/// What the caller finds in its output buffer where nothing was copied.
const UNTOUCHED: u8 = 0x55;

/// Allocates a request's buffers, with the input in its place.
pub(crate) fn allocate(arena: &Arc<Arena>, lengths: Lengths, input: &[u8]) -> Buffers {
    let mut buffers = Buffers::default();
    let block = |length: usize| (length > 0).then(|| arena.allocate(length, Placement::AtEnd, UNTOUCHED));
    match lengths.code & METHOD {
        METHOD_BUFFERED => buffers.system_buffer = block(lengths.input.max(lengths.output)),
        METHOD_NEITHER => {
            buffers.user_buffer = block(lengths.output);
            buffers.others.extend(block(lengths.input));
        }
        _ => {
            buffers.system_buffer = block(lengths.input);
            buffers.user_buffer = block(lengths.output);
            buffers.mdl = buffers.user_buffer.as_ref().map(|buffer| mdl(arena, buffer.address(), buffer.length()));
        }
    }
    let place =
        if lengths.code & METHOD == METHOD_NEITHER { buffers.others.first() } else { buffers.system_buffer.as_ref() };
    if let Some(place) = place {
        place.write_bytes(0, input);
    }
    buffers
}

/// Describes a buffer that is mapped and locked.
pub(crate) fn mdl(arena: &Arc<Arena>, buffer: usize, length: usize) -> Block {
    let block = arena.allocate(size_of::<Mdl>(), Placement::AtEnd, 0);
    let offset = buffer % PAGE;
    block.write(
        0,
        &Mdl {
            next: 0,
            size: 0x30,
            flags: MAPPED_AND_LOCKED,
            padding: 0,
            process: 0,
            mapped_system_va: buffer,
            start_va: buffer - offset,
            byte_count: u32::try_from(length).unwrap_or(u32::MAX),
            byte_offset: u32::try_from(offset).unwrap_or(0),
        },
    );
    block
}

fn address(block: Option<&Block>) -> usize {
    block.map_or(0, Block::address)
}

/// The IRP's own members, as far as they tell of buffers.
pub(crate) fn header(buffers: &Buffers, requestor_mode: i8) -> Irp {
    let mut irp = Irp::new_zeroed();
    irp.requestor_mode = requestor_mode;
    irp.system_buffer = address(buffers.system_buffer.as_ref());
    irp.user_buffer = address(buffers.user_buffer.as_ref());
    irp.mdl_address = address(buffers.mdl.as_ref());
    irp
}

/// `Parameters.DeviceIoControl`: output length, input length, code, and the input of METHOD_NEITHER.
pub(crate) fn parameters(buffers: &Buffers, lengths: Lengths) -> [u64; 4] {
    let type3_input = match lengths.code & METHOD {
        METHOD_NEITHER if lengths.input > 0 => address(buffers.others.first()),
        _ => 0,
    };
    [lengths.output as u64, lengths.input as u64, u64::from(lengths.code), type3_input as u64]
}

/// What the caller has in its output buffer after a completion that copies back `information` bytes.
pub(crate) fn output(buffers: &Buffers, lengths: Lengths, information: usize) -> Vec<u8> {
    match lengths.code & METHOD {
        METHOD_BUFFERED => buffers.system_buffer.as_ref().map(|it| it.bytes(information.min(it.length()))),
        _ => buffers.user_buffer.as_ref().map(|it| it.bytes(information.min(it.length()))),
    }
    .unwrap_or_default()
}
