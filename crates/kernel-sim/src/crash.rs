//! Giving up a driver that crashes or never returns.
//!
//! An access to memory that is not there, an illegal instruction or a division by zero in the driver would stop Windows. Here
//! it is a verdict: the signal's handler leaves the driver's code for good and tells where it was. The same way out serves a
//! driver that spins, by a signal of the simulator's own.

mod privileged;
mod stack_copy;

use std::cell::Cell;
use std::mem::{MaybeUninit, zeroed};
use std::ops::Range;
use std::ptr::null_mut;
use std::sync::Once;

use netio_anycast_protocol::status::NtStatus;

pub(crate) use self::stack_copy::word as stack_word;
use crate::coverage;
use crate::image::StackPointers;
use crate::paging::{self, Access};
use crate::processor;
use crate::trampoline::{self, ARGUMENTS, Entry};

/// Why a call was given up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Crash {
    /// The signal that this machine stopped the driver with.
    pub(crate) signal: i32,
    /// The address that was touched, for an access violation.
    pub(crate) address: usize,
    /// Where the driver was, if it was in its own code.
    pub(crate) stack: StackPointers,
}

/// The signal by which a driver is stopped that takes too long.
pub(crate) const TIME_LIMIT: i32 = libc::SIGURG;

/// Instead of a signal: a driver that this one has called has crashed.
pub(crate) const NESTED: i32 = -1;
/// Instead of a signal: the thread was to end here.
pub(crate) const TERMINATED: i32 = -2;
/// Instead of a signal: an exception was raised; its status stands for the address.
pub(crate) const RAISED: i32 = -3;
/// Instead of a signal: memory was touched at DISPATCH_LEVEL or above that may be paged out.
pub(crate) const PAGED: i32 = -4;

/// A call into the driver, as its thread's signal handlers see it.
struct Guard {
    entry: Entry,
    crash: Cell<Option<Crash>>,
    /// Where drivers' code is: only there can one be given up for taking too long, since a service may hold a lock.
    code: Range<usize>,
    outer: *const Self,
}

thread_local! {
    /// The innermost call. Const and without a destructor, so that a signal handler may read it.
    static INNERMOST: Cell<*const Guard> = const { Cell::new(std::ptr::null()) };
    /// A driver has crashed that another one has called, which does not know it yet.
    static CALLEE_CRASHED: Cell<bool> = const { Cell::new(false) };
}

/// Calls the driver's `function` by the Windows convention. `code` is where drivers' code is.
///
/// # Errors
/// The driver crashed. What it was doing will never be finished.
///
/// # Safety
/// `function` is code of a driver's image that is mapped, or of the simulator itself, and follows the convention.
pub(crate) unsafe fn call(code: Range<usize>, function: usize, arguments: [usize; ARGUMENTS]) -> Result<usize, Crash> {
    install();
    let entry = Entry { stack: 0, instruction: 0 };
    let mut guard = Guard { entry, crash: Cell::new(None), code, outer: INNERMOST.get() };
    let entry = &raw mut guard.entry;
    INNERMOST.set(&raw const guard);
    // SAFETY: the function follows the convention, as the caller promises; services hold no lock while they touch the
    // driver's memory, which is where they could be given up.
    let result = unsafe { trampoline::call(entry, function, &raw const arguments) };
    INNERMOST.set(guard.outer);
    let crash = guard.crash.take();
    let has_crashed = crash.is_some_and(|crash| crash.signal != TERMINATED);
    CALLEE_CRASHED.set(has_crashed && !guard.outer.is_null());
    crash.map_or(Ok(result), Err)
}

/// Gives the innermost call into a driver up from a service that it has called, for a reason that is no signal.
///
/// # Safety
/// Only a service may call it, with nothing on the stack that must be dropped.
pub(crate) unsafe fn give_up(reason: i32) -> ! {
    // SAFETY: as the caller promises.
    unsafe { give_up_with(reason, 0) }
}

/// Raises an exception in the driver that has called the service which runs. Drivers' own handlers are not looked for.
///
/// # Safety
/// Only a service may call it, with nothing on the stack that must be dropped.
pub(crate) unsafe fn raise(status: NtStatus) -> ! {
    // SAFETY: as the caller promises.
    unsafe { give_up_with(RAISED, status.0.cast_unsigned() as usize) }
}

/// Ends the call of a driver that has had a service touch `address`, where nothing is.
///
/// # Safety
/// As for [`give_up`].
pub(crate) unsafe fn fault(address: usize) -> ! {
    // SAFETY: as the caller promises.
    unsafe { give_up_with(libc::SIGSEGV, address) }
}

/// # Safety
/// As for [`give_up`].
unsafe fn give_up_with(reason: i32, address: usize) -> ! {
    // SAFETY: a guard is in the list as long as its call is under way, and a service runs in one.
    let guard = unsafe { &*INNERMOST.get() };
    let stack = last_call(guard);
    guard.crash.set(Some(Crash { signal: reason, address, stack }));
    // SAFETY: the entry is that of the call, and nothing on the stack in between must be dropped, as the caller promises.
    unsafe { trampoline::leave(&raw const guard.entry) }
}

/// Does not return if a driver has crashed that the service which runs has called: then the call of who has called the service
/// is given up too.
///
/// # Safety
/// Only a service may call it, with nothing on the stack that must be dropped.
pub(crate) unsafe fn propagate() {
    if CALLEE_CRASHED.take() {
        // SAFETY: as the caller promises.
        unsafe { give_up(NESTED) };
    }
}

/// Where the driver has called the last service in a call that is given up, whether inside that or behind it.
fn last_call(guard: &Guard) -> StackPointers {
    let call = processor::call().map(|call| call.stack).unwrap_or_default();
    let stack = StackPointers { end: guard.entry.stack, is_copied: true, ..call };
    if (1..guard.entry.stack).contains(&stack.stack) {
        // SAFETY: it is the driver's stack, on which it has called a service.
        unsafe { stack_copy::keep(stack.stack, guard.entry.stack) };
    }
    stack
}

fn install() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        for signal in [libc::SIGSEGV, libc::SIGBUS, libc::SIGILL, libc::SIGFPE, libc::SIGTRAP, TIME_LIMIT] {
            // SAFETY: all zeros is a valid `sigaction`.
            let mut action: libc::sigaction = unsafe { zeroed() };
            action.sa_sigaction = handle as *const () as usize;
            // On the alternate stack that std gives every thread: the driver may have used up its own.
            action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_RESTART | libc::SA_NODEFER;
            // SAFETY: the handler does only what signal handlers may, and lives as long as the process.
            let result = unsafe { libc::sigaction(signal, &raw const action, null_mut()) };
            assert_eq!(result, 0, "the signal exists and may be handled");
        }
    });
}

extern "C" fn handle(signal: i32, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    // SAFETY: the kernel calls a SA_SIGINFO handler with the signal's information.
    let info = unsafe { &*info };
    // SAFETY: every signal but TIME_LIMIT has an address, and for that one the value is not used.
    let address = unsafe { info.si_addr() } as usize;
    let context = context.cast::<libc::ucontext_t>();
    // SAFETY: and with the interrupted thread's registers.
    let registers = unsafe { &mut (*context).uc_mcontext.gregs };
    // The simulator's own code comes to memory that is paged out, too.
    let reason = match page_in(signal, info.si_code, address, registers) {
        Access::Again => return,
        Access::Forbidden => PAGED,
        Access::Other => signal,
    };
    let guard = INNERMOST.get();
    // SAFETY: a guard is in the list as long as its call is under way.
    let Some(guard) = (unsafe { guard.as_ref() }) else {
        return outside_of_drivers(signal);
    };
    let value = |register: i64| usize::try_from(register.cast_unsigned()).unwrap_or_default();
    let instruction = value(registers[libc::REG_RIP as usize]);
    let stack = value(registers[libc::REG_RSP as usize]);
    let frame = value(registers[libc::REG_RBP as usize]);
    if signal == TIME_LIMIT && !guard.code.contains(&instruction) {
        return;
    }
    // Not a signal that somebody has sent. The processor stops behind a breakpoint.
    if signal == libc::SIGTRAP && info.si_code > 0 && coverage::pass(instruction.wrapping_sub(1)) {
        registers[libc::REG_RIP as usize] -= 1;
        return;
    }
    // The driver has gone to where there is no code; who has called it there is on top of the stack.
    let is_astray = reason == libc::SIGSEGV && address == instruction;
    let is_in_driver = guard.code.contains(&instruction);
    // Privileged instructions raise SIGSEGV here.
    if reason == libc::SIGSEGV && is_in_driver && !is_astray && privileged::emulate(registers) {
        return;
    }
    let stack = if is_in_driver || is_astray {
        // SAFETY: it is the driver's stack, on which it was running.
        unsafe { stack_copy::keep(stack, guard.entry.stack) };
        let instruction = (!is_astray).then_some(instruction);
        StackPointers { instruction, stack, frame, end: guard.entry.stack, is_copied: true }
    } else {
        last_call(guard)
    };
    guard.crash.set(Some(Crash { signal: reason, address, stack }));
    registers[libc::REG_RSP as usize] = guard.entry.stack.cast_signed() as i64;
    registers[libc::REG_RIP as usize] = guard.entry.instruction.cast_signed() as i64;
}

/// Sees to an access to memory that is paged out, and to the end of a single step that one has made necessary.
fn page_in(signal: i32, code: i32, address: usize, registers: &mut [i64; 23]) -> Access {
    match signal {
        libc::SIGSEGV => paging::fault(address, registers),
        libc::SIGTRAP if code == libc::TRAP_TRACE && paging::stepped(registers) => Access::Again,
        _ => Access::Other,
    }
}

/// A crash of the simulator itself, or of the program around it: as if there were no handler.
fn outside_of_drivers(signal: i32) {
    if signal == TIME_LIMIT {
        return;
    }
    let mut action = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: all zeros is a valid `sigaction`, with SIG_DFL.
    let action = unsafe { action.assume_init_mut() };
    action.sa_sigaction = libc::SIG_DFL;
    // SAFETY: the default action needs no handler. The instruction is run again when this returns, and ends the process.
    unsafe { libc::sigaction(signal, &raw const *action, null_mut()) };
}
