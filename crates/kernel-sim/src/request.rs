//! One IRP, from its making to its end.

mod dispatched;
mod event;
mod parts;

use std::mem::offset_of;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use netio_anycast_protocol::status::NtStatus;

pub(crate) use self::dispatched::{Dispatch, Passed};
pub(crate) use self::event::Event;
pub(crate) use self::parts::{Buffers, Lengths, Memory, Origin, Outcome};
use crate::core::lock;
use crate::driver_memory;
use crate::irp_memory::{self, IrpMemory};
use crate::layout::{Irp, SL_INVOKE_ON_CANCEL, SL_INVOKE_ON_ERROR, SL_INVOKE_ON_SUCCESS, StackLocation};
use crate::major::Major;
use crate::owner::DriverNumber;
use crate::process::{Mode, ProcessId};
use crate::processor::Irql;
use crate::tally::Activity;

/// The number of the next request.
static NUMBER: AtomicU64 = AtomicU64::new(0);

/// An IRP and what became of it.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) address: usize,
    /// Those that were made before have lower ones.
    number: u64,
    pub(crate) stack_size: i8,
    pub(crate) origin: Origin,
    /// The process on whose behalf it was made.
    pub(crate) process: ProcessId,
    /// What it was made for; a driver that has only allocated it says so when it sends it.
    pub(crate) major: Option<Major>,
    pub(crate) lengths: Lengths,
    /// What the bytes hold that the driver must not let out.
    pub(crate) poison: [u8; 8],
    progress: Mutex<Progress>,
}

#[derive(Debug)]
struct Progress {
    /// Gone with the end.
    memory: Option<Memory>,
    /// The dispatch routines that were called and whose drivers' parts have not ended, in their order.
    under_way: Vec<Arc<Dispatch>>,
    /// The drivers whose part has ended.
    done: Vec<DriverNumber>,
    outcome: Option<Outcome>,
    history: Vec<Event>,
}

/// A stack location that was left.
#[derive(Debug)]
pub(crate) struct Climb {
    pub(crate) step: Step,
    /// The call of a dispatch routine that returned STATUS_PENDING, and the IRP was never marked pending.
    pub(crate) unmarked: Option<Arc<Dispatch>>,
}

/// What comes next in a completion.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    /// A completion routine: with the device of the driver that has set it, and its context.
    Routine { routine: usize, device: usize, context: usize },
    /// The next stack location.
    Next,
    /// There is none.
    End,
}

/// What an IRP is made of.
#[derive(Debug)]
pub(crate) struct New {
    pub(crate) memory: Memory,
    pub(crate) stack_size: i8,
    pub(crate) origin: Origin,
    pub(crate) process: ProcessId,
    pub(crate) major: Option<Major>,
    pub(crate) lengths: Lengths,
    pub(crate) poison: [u8; 8],
}

impl Request {
    pub(crate) fn new(new: New) -> Arc<Self> {
        let New { memory, stack_size, origin, process, major, lengths, poison } = new;
        let address = memory.irp.address();
        let progress = Progress {
            memory: Some(memory),
            under_way: Vec::new(),
            done: Vec::new(),
            outcome: None,
            history: Vec::new(),
        };
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let progress = Mutex::new(progress);
        Arc::new(Self { address, number, stack_size, origin, process, major, lengths, poison, progress })
    }

    /// Those of `requests` that are wanted, in the order in which they were made: where Windows documents none, one that is
    /// always the same lets a run be repeated.
    pub(crate) fn in_order<'a>(
        requests: impl IntoIterator<Item = &'a Arc<Self>>,
        is_wanted: impl Fn(&Self) -> bool,
    ) -> Vec<Arc<Self>> {
        let mut wanted: Vec<_> = requests.into_iter().filter(|request| is_wanted(request)).cloned().collect();
        wanted.sort_unstable_by_key(|request| request.number);
        wanted
    }

    pub(crate) fn note(&self, event: Event) {
        lock(&self.progress).history.push(event);
    }

    /// The history in words.
    pub(crate) fn history(&self) -> Vec<String> {
        let made = match self.major {
            Some(major) => describe(major, self.lengths),
            None => "of a driver's own".to_owned(),
        };
        std::iter::once(made).chain(lock(&self.progress).history.iter().map(ToString::to_string)).collect()
    }

    /// What a driver does that works on it.
    pub(crate) fn activity(&self) -> Activity {
        let progress = lock(&self.progress);
        match progress.under_way.last() {
            Some(dispatch) => Activity::of(dispatch.major, dispatch.lengths.code),
            None => self.major.map_or(Activity::Background, |major| Activity::of(major, self.lengths.code)),
        }
    }

    /// Reads of an IRP that is in a driver's own memory, so that one in memory that is gone is noticed while nothing is held.
    pub(crate) fn touch(&self) {
        if matches!(self.origin, Origin::Initialized(_)) {
            let last = self.address + irp_memory::length(self.stack_size) - 1;
            // SAFETY: a driver that has called a service vouches for the IRP.
            let _: u8 = unsafe { driver_memory::read(last) };
            // SAFETY: as above.
            let _: u8 = unsafe { driver_memory::read(self.address) };
        }
    }

    /// Whether a driver has sent it on its own behalf. No request that has ended is.
    pub(crate) fn is_of_kernel_mode(&self) -> bool {
        let mode = self.with_irp(|irp| irp.read::<i8>(offset_of!(Irp, requestor_mode)));
        mode == Some(Mode::Kernel as i8)
    }

    /// Looks at the IRP, unless it has ended; it does not end meanwhile.
    pub(crate) fn with_irp<R>(&self, look: impl FnOnce(&IrpMemory) -> R) -> Option<R> {
        lock(&self.progress).memory.as_ref().map(|memory| look(&memory.irp))
    }

    /// Looks at all its memory, unless it has ended.
    pub(crate) fn with_memory<R>(&self, look: impl FnOnce(&Memory) -> R) -> Option<R> {
        lock(&self.progress).memory.as_ref().map(look)
    }

    /// The number of the current stack location and the location, if a driver has the IRP.
    pub(crate) fn current_location(&self) -> Option<(i8, StackLocation)> {
        self.with_irp(|irp| {
            let number = irp.current();
            (1..=self.stack_size).contains(&number).then(|| (number, irp.location(number)))
        })
        .flatten()
    }

    /// IoCallDriver: goes to the next stack location, which is for `device`. `None` if there is none.
    pub(crate) fn advance(&self, device: usize) -> Option<(i8, StackLocation)> {
        self.with_irp(|irp| {
            let number = irp.current().checked_sub(1).filter(|number| (1..=self.stack_size).contains(number))?;
            irp.set_current(number);
            irp.set_device(number, device);
            Some((number, irp.location(number)))
        })
        .flatten()
    }

    /// Notes that a dispatch routine is called.
    pub(crate) fn begin(&self, dispatch: &Arc<Dispatch>, irql: Irql) {
        let mut progress = lock(&self.progress);
        let what = if self.major.is_none() { describe(dispatch.major, dispatch.lengths) + ", " } else { String::new() };
        progress.history.push(Event::Sent { what, driver: Arc::clone(&dispatch.name), irql });
        progress.done.retain(|done| *done != dispatch.driver);
        progress.under_way.push(Arc::clone(dispatch));
    }

    /// Whether the stack location of that call is marked pending, if the driver still has the IRP: one that it has sent on is
    /// marked when it comes back.
    pub(crate) fn is_marked_pending(&self, dispatch: &Arc<Dispatch>) -> Option<bool> {
        let progress = lock(&self.progress);
        let irp = &progress.memory.as_ref()?.irp;
        let has_it = progress.under_way.iter().any(|other| Arc::ptr_eq(other, dispatch));
        (has_it && irp.current() == dispatch.number).then(|| irp.location(dispatch.number).is_marked_pending())
    }

    /// The innermost call of a dispatch routine that has the stack location `number`: a driver may have given its own away.
    pub(crate) fn dispatch_at(&self, number: i8) -> Option<Arc<Dispatch>> {
        lock(&self.progress).under_way.iter().rfind(|dispatch| dispatch.number == number).cloned()
    }

    /// IoCompleteRequest: leaves the current stack location, whose driver has done its part, for the one above. `None` if
    /// the IRP has ended.
    pub(crate) fn climb(&self) -> Option<Climb> {
        let mut progress = lock(&self.progress);
        let Progress { memory, under_way, done, .. } = &mut *progress;
        let irp = &memory.as_ref()?.irp;
        let number = irp.current();
        let (location, header) = (irp.location(number), irp.read::<Irp>(0));
        let passed = Passed { status: NtStatus(header.status), marked_pending: location.is_marked_pending() };
        let mut unmarked = None;
        for dispatch in under_way.extract_if(.., |dispatch| dispatch.number == number) {
            done.push(dispatch.driver);
            if dispatch.pass(passed) {
                unmarked = Some(dispatch);
            }
        }
        irp.set_location(number, StackLocation { control: 0, completion_routine: 0, context: 0, ..location });
        irp.set_current(number + 1);
        irp.write(offset_of!(Irp, pending_returned), u8::from(passed.marked_pending));
        let upper = (number < self.stack_size).then(|| irp.location(number + 1));
        let step = if is_invoked(&location, &header) {
            let device = upper.map_or(0, |upper| upper.device_object);
            Step::Routine { routine: location.completion_routine, device, context: location.context }
        } else if upper.is_some() {
            if passed.marked_pending {
                irp.mark_pending(number + 1);
            }
            Step::Next
        } else {
            Step::End
        };
        Some(Climb { step, unmarked })
    }

    /// Whether a driver has done its part in it, and was not sent it again.
    pub(crate) fn is_done_by(&self, driver: DriverNumber) -> bool {
        lock(&self.progress).done.contains(&driver)
    }

    /// Whether a driver has been sent it that has not done its part.
    pub(crate) fn is_under_way(&self) -> bool {
        !lock(&self.progress).under_way.is_empty()
    }

    /// Takes the IRP's memory for its end; `None` if it has ended before.
    pub(crate) fn take_memory(&self) -> Option<Memory> {
        lock(&self.progress).memory.take()
    }

    /// Ends it.
    pub(crate) fn end(&self, outcome: Outcome) {
        lock(&self.progress).outcome = Some(outcome);
    }

    pub(crate) fn outcome(&self) -> Option<Outcome> {
        lock(&self.progress).outcome.clone()
    }

    /// Sets `Cancel`, and takes the cancel routine. Returns it with the device of the current stack location, or `None` if the
    /// IRP has ended.
    pub(crate) fn cancel(&self, irql: Irql) -> Option<(usize, usize)> {
        self.with_irp(|irp| {
            irp.write(offset_of!(Irp, cancel), 1_u8);
            irp.write(offset_of!(Irp, cancel_irql), irql.0);
            let number = irp.current();
            let held = (1..=self.stack_size).contains(&number);
            let device = if held { irp.location(number).device_object } else { 0 };
            (irp.exchange_cancel_routine(0), device)
        })
    }
}

/// A request in words.
fn describe(major: Major, lengths: Lengths) -> String {
    let Lengths { code, input, output } = lengths;
    if major.is_control() {
        format!("{major} {code:#010x}, {input} bytes in, {output} bytes out")
    } else {
        major.to_string()
    }
}

/// Whether the completion routine in a stack location is called.
fn is_invoked(location: &StackLocation, header: &Irp) -> bool {
    let wants = |flag| location.control & flag != 0;
    let end = if NtStatus(header.status).0 < 0 { SL_INVOKE_ON_ERROR } else { SL_INVOKE_ON_SUCCESS };
    location.completion_routine != 0 && (wants(end) || header.cancel != 0 && wants(SL_INVOKE_ON_CANCEL))
}
