//! What the project's kernel modules for Wine have in common: memory, IRPs, the end after a panic.
//!
//! Wine's kernel host is a user-mode process, so that such a module may use ntdll besides ntoskrnl.exe.

#![no_std]

pub mod allocator;
pub mod irp;
mod memory;
mod panic;

/// What the C runtime defines, and compiler_builtins refers to for its floating-point functions.
#[unsafe(no_mangle)]
static _fltused: i32 = 0;
