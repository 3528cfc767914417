//! The privileged instructions that drivers run: reading and writing CR8, the IRQL.
//!
//! Headers for x64 inline KeRaiseIrql, KeLowerIrql and KeGetCurrentIrql as moves from and to that register. A Linux process may
//! not run them, so its signal handler does what they would have done.
//! Source: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2, "MOV—Move to/from Control Registers"

use crate::processor::{self, Irql};

/// Where the registers stand, as the instruction's three bits number them, with a fourth from its prefix.
const NUMBERED: [usize; 16] = [
    libc::REG_RAX as usize,
    libc::REG_RCX as usize,
    libc::REG_RDX as usize,
    libc::REG_RBX as usize,
    libc::REG_RSP as usize,
    libc::REG_RBP as usize,
    libc::REG_RSI as usize,
    libc::REG_RDI as usize,
    libc::REG_R8 as usize,
    libc::REG_R9 as usize,
    libc::REG_R10 as usize,
    libc::REG_R11 as usize,
    libc::REG_R12 as usize,
    libc::REG_R13 as usize,
    libc::REG_R14 as usize,
    libc::REG_R15 as usize,
];
const LENGTH: i64 = 4;

/// A move between CR8 and a register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Move {
    FromCr8(usize),
    ToCr8(usize),
}

/// The instruction in these bytes: a REX prefix whose R bit makes CR0 CR8, two bytes of opcode, and the registers.
fn decode(bytes: [u8; 4]) -> Option<Move> {
    let [prefix @ (0x44 | 0x45 | 0x4C | 0x4D), 0x0F, opcode, registers @ 0xC0..=0xC7] = bytes else {
        return None;
    };
    let register = usize::from(registers & 7 | (prefix & 1) << 3);
    match opcode {
        0x20 => Some(Move::FromCr8(register)),
        0x22 => Some(Move::ToCr8(register)),
        _ => None,
    }
}

/// Does what the instruction at RIP would have done, if it is one of them, and steps over it.
pub(super) fn emulate(registers: &mut [i64; 23]) -> bool {
    let instruction = registers[libc::REG_RIP as usize] as *const [u8; 4];
    // SAFETY: the instruction is in the driver's code, as the caller has checked. If it is shorter and the page behind it is
    // out of reach, this is a fault like the driver's own, and gives the driver up.
    let bytes = unsafe { instruction.read_unaligned() };
    match decode(bytes) {
        Some(Move::FromCr8(register)) => registers[NUMBERED[register]] = i64::from(processor::irql().0),
        Some(Move::ToCr8(register)) => {
            let [level, ..] = registers[NUMBERED[register]].to_le_bytes();
            processor::set_irql(Irql(level));
        }
        None => return false,
    }
    registers[libc::REG_RIP as usize] += LENGTH;
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moves_from_and_to_cr8_are_known() {
        assert_eq!(decode([0x44, 0x0F, 0x20, 0xC0]), Some(Move::FromCr8(0)));
        assert_eq!(decode([0x44, 0x0F, 0x22, 0xC1]), Some(Move::ToCr8(1)));
        assert_eq!(decode([0x45, 0x0F, 0x20, 0xC7]), Some(Move::FromCr8(15)));
    }

    #[test]
    fn other_control_registers_are_not() {
        assert_eq!(decode([0x40, 0x0F, 0x20, 0xC0]), None);
        assert_eq!(decode([0x44, 0x0F, 0x20, 0xC8]), None);
    }
}
