//! The IRQL as code for x64 reads and changes it: in the register CR8, which is the kernel's alone, so that the instructions raise an
//! exception in Wine's kernel host. Wine passes over them; here they are done.
//!
//! Source: "MOV - Move to/from Control Registers" in the Intel 64 and IA-32 Architectures Software Developer's Manual, and
//! <https://learn.microsoft.com/windows/win32/debug/vectored-exception-handling>

use core::ptr::null_mut;

use windows_sys::Win32::Foundation::STATUS_PRIVILEGED_INSTRUCTION;
use windows_sys::Win32::System::Diagnostics::Debug::{CONTEXT, EXCEPTION_POINTERS};

use crate::irql;

#[link(name = "ntdll", kind = "raw-dylib")]
unsafe extern "system" {
    fn RtlAddVectoredExceptionHandler(
        first: u32,
        handler: unsafe extern "system" fn(*mut EXCEPTION_POINTERS) -> i32,
    ) -> *mut u8;
}

const CONTINUE_EXECUTION: i32 = -1;
const CONTINUE_SEARCH: i32 = 0;

/// Has the instructions done from now on.
pub(crate) fn emulate() {
    // SAFETY: this module, and with it the handler, stays loaded.
    let handler = unsafe { RtlAddVectoredExceptionHandler(1, handle) };
    assert_ne!(handler, null_mut(), "no memory for an exception handler");
}

/// The exception handler.
///
/// # Safety
/// Only the system may call it.
unsafe extern "system" fn handle(pointers: *mut EXCEPTION_POINTERS) -> i32 {
    // SAFETY: the system calls with valid pointers.
    let pointers = unsafe { &*pointers };
    // SAFETY: as above.
    if unsafe { (*pointers.ExceptionRecord).ExceptionCode } != STATUS_PRIVILEGED_INSTRUCTION {
        return CONTINUE_SEARCH;
    }
    // SAFETY: as above, and nobody else has the context while it is handled.
    let context = unsafe { &mut *pointers.ContextRecord };
    // Addresses are as long.
    let address = usize::try_from(context.Rip).unwrap_or_default();
    let place = core::ptr::with_exposed_provenance::<[u8; Instruction::LENGTH]>(address);
    // SAFETY: the processor has just read an instruction there, and more code follows before the section ends.
    let Some(instruction) = Instruction::decode(unsafe { place.read_unaligned() }) else { return CONTINUE_SEARCH };
    let register = general_register(context, instruction.register);
    if instruction.reads {
        *register = irql::current().into();
    } else {
        // The level has four bits.
        irql::set((*register & 0xF) as u8);
    }
    context.Rip += Instruction::LENGTH as u64;
    CONTINUE_EXECUTION
}

/// A move between CR8 and a general register.
struct Instruction {
    /// From CR8, or to it.
    reads: bool,
    /// The general register's number.
    register: u8,
}

impl Instruction {
    const LENGTH: usize = 4;

    /// REX with R (and B for the upper registers), 0F, 20 or 22, ModR/M with register 0: together with R that is CR8.
    fn decode([prefix, escape, code, registers]: [u8; Self::LENGTH]) -> Option<Self> {
        const REX_R: u8 = 0x44;
        const REX_B: u8 = 0x01;
        let is_one =
            prefix & !REX_B == REX_R && escape == 0x0F && [0x20, 0x22].contains(&code) && registers >> 3 == 0x18;
        is_one.then_some(Self { reads: code == 0x20, register: registers & 7 | (prefix & REX_B) << 3 })
    }
}

/// A general register, by the number that instructions know it by.
const fn general_register(context: &mut CONTEXT, number: u8) -> &mut u64 {
    match number {
        0 => &mut context.Rax,
        1 => &mut context.Rcx,
        2 => &mut context.Rdx,
        3 => &mut context.Rbx,
        4 => &mut context.Rsp,
        5 => &mut context.Rbp,
        6 => &mut context.Rsi,
        7 => &mut context.Rdi,
        8 => &mut context.R8,
        9 => &mut context.R9,
        10 => &mut context.R10,
        11 => &mut context.R11,
        12 => &mut context.R12,
        13 => &mut context.R13,
        14 => &mut context.R14,
        _ => &mut context.R15,
    }
}
