//! The simulated processor that each thread of this process is: its IRQL, and what the driver is doing on it.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use crate::core::Core;
use crate::driver::LoadedDriver;
use crate::image::StackPointers;
use crate::owner::DriverNumber;
use crate::paging;
use crate::process::{self, Context, ProcessId};
use crate::request::Request;
use crate::service::Service;
use crate::tally::Activity;

/// An interrupt request level.
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/kernel/managing-hardware-priorities>
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Irql(pub u8);

impl Irql {
    /// Threads run at this level unless they have raised it.
    pub const PASSIVE_LEVEL: Self = Self(0);
    /// Asynchronous procedure calls are held off.
    pub const APC_LEVEL: Self = Self(1);
    /// The thread can't be preempted: it may not wait, nor touch paged memory.
    pub const DISPATCH_LEVEL: Self = Self(2);
    /// The highest level.
    pub const HIGH_LEVEL: Self = Self(15);
}

impl std::fmt::Display for Irql {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match *self {
            Self::PASSIVE_LEVEL => formatter.write_str("PASSIVE_LEVEL"),
            Self::APC_LEVEL => formatter.write_str("APC_LEVEL"),
            Self::DISPATCH_LEVEL => formatter.write_str("DISPATCH_LEVEL"),
            Self(level) => write!(formatter, "IRQL {level}"),
        }
    }
}

/// The driver's last call of a service.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call {
    pub(crate) service: &'static Service,
    /// The driver whose code calls, which need not be the one that was called last.
    pub(crate) driver: DriverNumber,
    pub(crate) stack: StackPointers,
}

/// What one thread is doing for the driver.
#[derive(Debug, Default)]
struct Processor {
    core: RefCell<Option<Arc<Core>>>,
    /// The driver that the kernel has called.
    driver: Cell<DriverNumber>,
    request: RefCell<Option<Arc<Request>>>,
    call: Cell<Option<Call>>,
    /// The calls of services in which other drivers wait for the one that runs, the outermost first.
    callers: RefCell<Vec<StackPointers>>,
    /// What the driver is asked to do, if it was said.
    activity: Cell<Option<Activity>>,
    /// The critical regions that the thread has entered and not left.
    critical_regions: Cell<isize>,
    /// The guarded regions likewise.
    guarded_regions: Cell<isize>,
    /// The first byte of the stack that is not the driver's any more.
    stack_end: Cell<usize>,
}

thread_local! {
    /// Apart, const and without a destructor, so that a signal handler may use it.
    static IRQL: Cell<u8> = const { Cell::new(0) };
    static PROCESSOR: Processor = Processor::default();
    static THREAD: Cell<usize> = const { Cell::new(0) };
    static CONTEXT: Cell<Context> = const { Cell::new(Context::SYSTEM) };
    /// The objects that this thread has as one of several processes.
    static OBJECTS: RefCell<ThreadObjects> = const { RefCell::new(ThreadObjects(Vec::new())) };
    /// The beginning of a `KPCR`, as far as headers inline reads of it. GS leads to it.
    static CONTROL_REGION: [Cell<usize>; CONTROL_REGION_WORDS] = const { [const { Cell::new(0) }; CONTROL_REGION_WORDS] };
}

/// The objects that a thread has as one of several processes; they go with it.
#[derive(Debug)]
struct ThreadObjects(Vec<(ProcessId, usize)>);

impl Drop for ThreadObjects {
    fn drop(&mut self) {
        self.0.iter().for_each(|(_, object)| process::forget_thread(*object));
    }
}

/// `KPCR.Prcb.CurrentThread`: headers for x64 inline KeGetCurrentThread as a read of it. In words.
const CURRENT_THREAD: usize = 0x188 / size_of::<usize>();
const CONTROL_REGION_WORDS: usize = CURRENT_THREAD + 1;
/// `ARCH_SET_GS`: nothing in a Linux process uses GS, and a thread has its own.
const ARCH_SET_GS: i32 = 0x1001;

pub(crate) fn irql() -> Irql {
    Irql(IRQL.get())
}

pub(crate) fn set_irql(irql: Irql) {
    IRQL.set(irql.0);
    paging::irql_changed(irql);
}

pub(crate) fn call() -> Option<Call> {
    PROCESSOR.with(|processor| processor.call.get())
}

/// The driver whose code is running: the one that has called a service, or else the one that the kernel has called.
pub(crate) fn driver() -> DriverNumber {
    call().map_or_else(|| PROCESSOR.with(|processor| processor.driver.get()), |call| call.driver)
}

pub(crate) fn set_call(call: Option<Call>) {
    PROCESSOR.with(|processor| processor.call.set(call));
}

pub(crate) fn critical_regions() -> isize {
    PROCESSOR.with(|processor| processor.critical_regions.get())
}

pub(crate) fn change_critical_regions(change: isize) {
    PROCESSOR.with(|processor| processor.critical_regions.set(processor.critical_regions.get() + change));
}

pub(crate) fn guarded_regions() -> isize {
    PROCESSOR.with(|processor| processor.guarded_regions.get())
}

pub(crate) fn change_guarded_regions(change: isize) {
    PROCESSOR.with(|processor| processor.guarded_regions.set(processor.guarded_regions.get() + change));
}

/// Whether normal kernel APCs can't interrupt the thread.
pub(crate) fn are_apcs_disabled() -> bool {
    critical_regions() > 0 || are_all_apcs_disabled()
}

/// Whether special kernel APCs can't either.
pub(crate) fn are_all_apcs_disabled() -> bool {
    guarded_regions() > 0 || irql() >= Irql::APC_LEVEL
}

/// The thread's object as drivers know it: an address that differs from every other thread's.
pub(crate) fn thread() -> usize {
    if THREAD.get() == 0 {
        set_thread(object_in(CONTEXT.get().process));
    }
    THREAD.get()
}

/// This thread's object when it is one of `process`.
fn object_in(process: ProcessId) -> usize {
    OBJECTS.with_borrow_mut(|objects| {
        if let Some((_, object)) = objects.0.iter().find(|(other, _)| *other == process) {
            return *object;
        }
        let object = process::new_thread(process);
        objects.0.push((process, object));
        object
    })
}

/// This thread begins as one of the system's process, whatever it was before, with this object or with one of its own.
pub(crate) fn begin_thread(object: Option<usize>) {
    set_irql(Irql::PASSIVE_LEVEL);
    PROCESSOR.with(|processor| {
        processor.critical_regions.set(0);
        processor.guarded_regions.set(0);
    });
    CONTEXT.set(Context::SYSTEM);
    let own = object.map(|object| (ProcessId::SYSTEM, object));
    // Those that it had are nobody's any more.
    OBJECTS.replace(ThreadObjects(own.into_iter().collect()));
    THREAD.set(0);
}

/// In which thread's context this one runs.
pub(crate) fn context() -> Context {
    CONTEXT.get()
}

/// Runs `work` in another thread's context.
pub(crate) fn in_context<R>(context: Context, work: impl FnOnce() -> R) -> R {
    let outer = (CONTEXT.replace(context), thread());
    if context.process != outer.0.process {
        set_thread(object_in(context.process));
    }
    let result = work();
    CONTEXT.set(outer.0);
    if THREAD.get() != outer.1 {
        set_thread(outer.1);
    }
    result
}

/// Gives this thread its object.
pub(crate) fn set_thread(object: usize) {
    THREAD.set(object);
    CONTROL_REGION.with(|words| {
        words[CURRENT_THREAD].set(object);
        // SAFETY: GS is this thread's, used by nothing else, and leads to what lives as long as the thread.
        let result = unsafe { libc::syscall(libc::SYS_arch_prctl, ARCH_SET_GS, words.as_ptr()) };
        debug_assert_eq!(result, 0, "any address of the process is allowed");
    });
}

/// The calls of services in which other drivers wait for the one that runs, the innermost first.
pub(crate) fn callers() -> Vec<StackPointers> {
    PROCESSOR.with(|processor| processor.callers.borrow().iter().rev().copied().collect())
}

pub(crate) fn stack_end() -> usize {
    PROCESSOR.with(|processor| processor.stack_end.get())
}

/// What the driver is asked to do: routines that were not called for anything in particular run in the background.
pub(crate) fn activity() -> Activity {
    PROCESSOR.with(|processor| processor.activity.get()).unwrap_or(Activity::Background)
}

/// Runs `work` as a part of `activity`.
pub(crate) fn during<R>(activity: Activity, work: impl FnOnce() -> R) -> R {
    let outer = PROCESSOR.with(|processor| processor.activity.replace(Some(activity)));
    let result = work();
    PROCESSOR.with(|processor| processor.activity.set(outer));
    result
}

pub(crate) fn request() -> Option<Arc<Request>> {
    PROCESSOR.with(|processor| processor.request.borrow().clone())
}

/// The kernel whose driver is running.
///
/// # Panics
/// If no driver is: then nobody can have called a service.
pub(crate) fn core() -> Arc<Core> {
    PROCESSOR.with(|processor| processor.core.borrow().clone()).expect("only a driver calls services")
}

/// Runs `work`, which is going to call `driver`, as the thread of `core` for `request`; everything is as it was afterwards.
pub(crate) fn enter<R>(
    core: &Arc<Core>,
    driver: &LoadedDriver,
    request: Option<&Arc<Request>>,
    work: impl FnOnce() -> R,
) -> R {
    // The driver may ask for it without calling a service.
    thread();
    let here = 0_u8;
    let outer = PROCESSOR.with(|processor| {
        (
            processor.core.replace(Some(Arc::clone(core))),
            processor.request.replace(request.cloned()),
            processor.call.take(),
            processor.stack_end.replace(std::ptr::from_ref(&here) as usize & !0xF),
            processor.activity.replace(request.map(|request| request.activity()).or(processor.activity.get())),
            processor.driver.replace(driver.number()),
            paging::set_current(core.arena.paging()),
        )
    });
    if let Some(call) = outer.2 {
        PROCESSOR.with(|processor| processor.callers.borrow_mut().push(call.stack));
    }
    let result = work();
    if outer.2.is_some() {
        PROCESSOR.with(|processor| processor.callers.borrow_mut().pop());
    }
    PROCESSOR.with(|processor| {
        processor.core.replace(outer.0);
        processor.request.replace(outer.1);
        processor.call.set(outer.2);
        processor.stack_end.set(outer.3);
        processor.activity.set(outer.4);
        processor.driver.set(outer.5);
        paging::set_current(outer.6);
    });
    result
}
