//! The two borders of the driver's code: calls into it, and its calls of services.
//!
//! Windows' x64 calling convention differs from Linux': `extern "win64"` does most of it. What is done here by hand is what
//! no language gives: a call that can be given up from a signal handler, and knowing where a service was called from.

use std::arch::naked_asm;
use std::io;
use std::ptr::null_mut;

use crate::image::StackPointers;
use crate::memory::PAGE;
use crate::owner::DriverNumber;
use crate::processor::{self, Call};
use crate::service::{Code, Service};

/// A call into the driver that is under way, for whoever has to give it up.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Entry {
    /// The stack pointer to go on with.
    pub(crate) stack: usize,
    /// The instruction to go on at.
    pub(crate) instruction: usize,
}

/// The most arguments that a function of a driver's has.
pub(crate) const ARGUMENTS: usize = 8;

/// Calls `function` by the Windows convention, and fills in `entry` before. A function that has fewer arguments does not look at
/// the others.
///
/// Whoever gives the call up sets the thread's stack pointer and instruction pointer to those of `entry`; it then returns
/// here, with zero.
///
/// # Safety
/// `function` is code that follows the convention. The thread's signal handlers alone may give the call up, and while it is
/// given up no lock is held and nothing is on the stack that must be dropped.
#[unsafe(naked)]
pub(crate) unsafe extern "sysv64" fn call(
    entry: *mut Entry,
    function: usize,
    arguments: *const [usize; ARGUMENTS],
) -> usize {
    naked_asm!(
        // What the convention of Linux asks to be kept.
        "push rbx",
        "push rbp",
        "push r12",
        "push r13",
        "push r14",
        "push r15",
        "mov [rdi], rsp",
        "lea rax, [rip + 3f]",
        "mov [rdi + 8], rax",
        // 32 bytes for the callee's copies of its first four arguments, 32 for the others, and 8 to align the stack to 16.
        "sub rsp, 72",
        "mov rax, rsi",
        "movups xmm0, [rdx + 32]",
        "movups [rsp + 32], xmm0",
        "movups xmm0, [rdx + 48]",
        "movups [rsp + 48], xmm0",
        "mov rcx, [rdx]",
        "mov r8, [rdx + 16]",
        "mov r9, [rdx + 24]",
        "mov rdx, [rdx + 8]",
        "call rax",
        "add rsp, 72",
        "2:",
        "pop r15",
        "pop r14",
        "pop r13",
        "pop r12",
        "pop rbp",
        "pop rbx",
        "ret",
        // Given up: the stack pointer is that of `entry`.
        "3:",
        "cld",
        "xor eax, eax",
        "jmp 2b",
    )
}

/// Gives a call into the driver up: goes on where it was made.
///
/// # Safety
/// The call is this thread's, and under way. Nothing is on the stack since that must be dropped.
#[unsafe(naked)]
pub(crate) unsafe extern "sysv64" fn leave(entry: *const Entry) -> ! {
    naked_asm!("mov rsp, [rdi]", "jmp [rdi + 8]")
}

/// Where every service's thunk goes, with the binding in R10: notes the call, then goes on to the function, with registers
/// and stack as the driver left them.
///
/// # Safety
/// Only a thunk may go here.
#[unsafe(naked)]
unsafe extern "win64" fn service_entry() {
    naked_asm!(
        "push rcx",
        "push rdx",
        "push r8",
        "push r9",
        "push r10",
        "mov rcx, r10",
        "lea rdx, [rsp + 40]",
        "mov r8, rbp",
        "sub rsp, 32",
        "call {note}",
        "add rsp, 32",
        "pop r10",
        "pop r9",
        "pop r8",
        "pop rdx",
        "pop rcx",
        // The first member of `Binding`.
        "jmp [r10]",
        note = sym note_call,
    )
}

/// Notes which service the driver calls and from where, and judges the call as such.
extern "win64" fn note_call(binding: &Binding, stack: usize, frame: usize) {
    let Binding { service, driver, .. } = *binding;
    let stack = StackPointers { instruction: None, stack, frame, end: processor::stack_end(), is_copied: false };
    processor::set_call(Some(Call { service, driver, stack }));
    processor::core().called(service);
}

/// A service as one driver calls it: so it is known who calls, also where one driver's code calls another's directly.
#[derive(Debug)]
#[repr(C)]
struct Binding {
    /// First, since the trampoline jumps through it.
    code: Code,
    service: &'static Service,
    driver: DriverNumber,
}

/// The code through which one driver calls services: what its imports are bound to.
#[derive(Debug)]
pub(crate) struct Thunks {
    code: usize,
    length: usize,
    /// What the code refers to.
    _bindings: Box<[Binding]>,
}

/// `mov r10, binding; mov r11, service_entry; jmp r11`, filled up.
const THUNK: usize = 32;

impl Thunks {
    /// Makes a thunk for each of `services`, through which `driver` calls it.
    ///
    /// # Errors
    /// There is no memory.
    pub(crate) fn new(services: &'static [Service], driver: DriverNumber) -> io::Result<Self> {
        let bindings: Box<[Binding]> =
            services.iter().map(|service| Binding { code: service.code, service, driver }).collect();
        let mut code = Vec::with_capacity(services.len() * THUNK);
        for binding in &bindings {
            let thunk = code.len();
            code.extend([0x49, 0xBA]);
            code.extend((std::ptr::from_ref(binding) as u64).to_le_bytes());
            code.extend([0x49, 0xBB]);
            code.extend((service_entry as *const () as u64).to_le_bytes());
            code.extend([0x41, 0xFF, 0xE3]);
            // int3, so that nothing runs from one into the next.
            code.resize(thunk + THUNK, 0xCC);
        }
        let length = code.len().max(1).next_multiple_of(PAGE);
        let (protection, flags) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
        // SAFETY: a new mapping at an address that the system chooses touches nothing that exists.
        let place = unsafe { libc::mmap(null_mut(), length, protection, flags, -1, 0) };
        if place == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let thunks = Self { code: place as usize, length, _bindings: bindings };
        // SAFETY: the mapping is new and long enough.
        unsafe { place.cast::<u8>().copy_from_nonoverlapping(code.as_ptr(), code.len()) };
        // SAFETY: the mapping is ours, and from now on it is code.
        let result = unsafe { libc::mprotect(place, length, libc::PROT_READ | libc::PROT_EXEC) };
        if result == 0 { Ok(thunks) } else { Err(io::Error::last_os_error()) }
    }

    /// Whether an address is in it.
    pub(crate) fn contains(&self, address: usize) -> bool {
        (self.code..self.code + self.length).contains(&address)
    }

    /// The address of the thunk of the service number `index`.
    pub(crate) const fn address(&self, index: usize) -> usize {
        self.code + index * THUNK
    }
}

impl Drop for Thunks {
    fn drop(&mut self) {
        // SAFETY: no driver is left that could call.
        let result = unsafe { libc::munmap(self.code as *mut _, self.length) };
        debug_assert_eq!(result, 0, "it was mapped with this address and length");
    }
}
