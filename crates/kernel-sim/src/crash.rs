//! Giving up a driver that crashes or never returns.
//!
//! An access to memory that is not there, an illegal instruction or a division by zero in the driver would stop Windows. Here
//! it is a verdict: the signal's handler leaves the driver's code for good and tells where it was. The same way out serves a
//! driver that spins, by a signal of the simulator's own.

mod privileged;

use std::cell::Cell;
use std::mem::{MaybeUninit, zeroed};
use std::ops::Range;
use std::ptr::null_mut;
use std::sync::Once;

use crate::coverage;
use crate::image::StackPointers;
use crate::trampoline::{self, Entry};

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
pub(crate) unsafe fn call(code: Range<usize>, function: usize, arguments: [usize; 4]) -> Result<usize, Crash> {
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
    CALLEE_CRASHED.set(crash.is_some() && !guard.outer.is_null());
    crash.map_or(Ok(result), Err)
}

/// Gives the innermost call into a driver up from a service that it has called, for a reason that is no signal.
///
/// # Safety
/// Only a service may call it, with nothing on the stack that must be dropped.
pub(crate) unsafe fn give_up(reason: i32) -> ! {
    // SAFETY: a guard is in the list as long as its call is under way, and a service runs in one.
    let guard = unsafe { &*INNERMOST.get() };
    guard.crash.set(Some(Crash { signal: reason, address: 0, stack: StackPointers::default() }));
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
    let guard = INNERMOST.get();
    // SAFETY: a guard is in the list as long as its call is under way.
    let Some(guard) = (unsafe { guard.as_ref() }) else {
        return outside_of_drivers(signal);
    };
    // SAFETY: the kernel calls a SA_SIGINFO handler with the signal's information.
    let info = unsafe { &*info };
    // SAFETY: every signal but TIME_LIMIT has an address, and for that one the value is not used.
    let address = unsafe { info.si_addr() } as usize;
    let context = context.cast::<libc::ucontext_t>();
    // SAFETY: and with the interrupted thread's registers.
    let registers = unsafe { &mut (*context).uc_mcontext.gregs };
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
    // Privileged instructions raise SIGSEGV here.
    if signal == libc::SIGSEGV && guard.code.contains(&instruction) && privileged::emulate(registers) {
        return;
    }
    guard.crash.set(Some(Crash {
        signal,
        address,
        stack: StackPointers { instruction: Some(instruction), stack, frame, end: guard.entry.stack },
    }));
    registers[libc::REG_RSP as usize] = guard.entry.stack.cast_signed() as i64;
    registers[libc::REG_RIP as usize] = guard.entry.instruction.cast_signed() as i64;
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
