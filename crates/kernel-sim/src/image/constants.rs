//! The constants in an image's code.

use std::collections::BTreeSet;

use iced_x86::{Decoder, DecoderOptions, Instruction, OpKind};

use super::{Image, ImageError};

impl Image {
    /// The 32-bit constants that the image's code computes or compares with. The control codes that a driver tells apart are among
    /// them: a compiler compares with them, or subtracts the lowest to look the others up in a table.
    ///
    /// # Errors
    /// The image is damaged.
    pub fn constants(&self) -> Result<BTreeSet<u32>, ImageError> {
        let view = self.view()?;
        let mut constants = BTreeSet::new();
        for (offset, length) in self.code()?.instructions {
            let bytes = view.get(offset..offset + length).unwrap_or_default();
            let instruction = Decoder::with_ip(64, bytes, offset as u64, DecoderOptions::NONE).decode();
            for constant in immediates(&instruction).chain(displacement(&instruction)) {
                // Adding the negative subtracts.
                constants.extend([constant, constant.wrapping_neg()]);
            }
        }
        Ok(constants)
    }
}

fn immediates(instruction: &Instruction) -> impl Iterator<Item = u32> {
    let of_32_bits = |kind| matches!(kind, OpKind::Immediate32 | OpKind::Immediate32to64);
    let operands = (0..instruction.op_count()).filter(move |operand| of_32_bits(instruction.op_kind(*operand)));
    operands.map(|_| instruction.immediate32())
}

/// What is added to the registers of an address: `lea` adds, too.
fn displacement(instruction: &Instruction) -> Option<u32> {
    let is_sum = !instruction.is_ip_rel_memory_operand() && instruction.memory_displ_size() > 1;
    #[expect(clippy::cast_possible_truncation, reason = "the instruction has its lower 32 bits, sign-extended here")]
    is_sum.then(|| instruction.memory_displacement64() as u32)
}
