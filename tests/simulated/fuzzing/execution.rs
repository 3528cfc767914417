//! A sequence at work: the driver in a kernel of its own, the steps one after the other or by threads that take turns.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use kernel_sim::{
    Control, Coverage, Driver, Faults, Guid, Handle, Image, Kernel, Options, Pending, ProcessId, Registry, Trace, Work,
    interleave,
};
use netio_anycast_protocol::SERVICE_NAME;
use netio_anycast_protocol::status::NtStatus;

use super::judgement::{Asked, Judgement};
use super::network;
use super::other_driver::{OtherDriver, gives_interface};
use super::request::Request;
use super::sequence::{Sequence, Setup};
use super::step::{Access, ClientStep, Level, Opener, Step};
use crate::bench::{DEVICE, kernel, parameters};
use crate::kernel_clients::proxy;

/// The provider of the driver's events.
const PROVIDER: Guid = Guid::from_u128(0x9bdb_97e3_d9f4_50b1_cc7b_b35d_aa25_a5d1);
/// The most requests that are left pending.
const MOST_PENDING: usize = 12;

/// A handle that somebody has.
#[derive(Clone)]
struct Opened {
    number: usize,
    handle: Arc<Handle>,
    /// Whose it is.
    process: ProcessId,
    opener: Opener,
    access: Access,
}

/// A request that was sent, and pends perhaps.
pub(super) struct Sent {
    pub(super) pending: Pending,
    pub(super) asked: Asked,
    /// The number of the handle.
    through: usize,
}

/// What the steps have led to.
#[derive(Default)]
pub(super) struct Things {
    driver: Option<Driver>,
    handles: Vec<Opened>,
    /// How many handles there were.
    opened: usize,
    pub(super) pending: Vec<Sent>,
    other_driver: Option<Arc<OtherDriver>>,
    /// Who listens to the driver's events.
    trace: Option<Trace>,
    judgement: Judgement,
}

/// A sequence at work.
pub(super) struct Execution<'a> {
    image: &'a Image,
    pub(super) kernel: Kernel,
    pub(super) faults: Faults,
    /// The driver through which another one uses this one, if one does.
    pub(super) proxy: Option<Driver>,
    takes_turns: bool,
    /// Nobody calls the kernel while it is locked: that may be another thread's turn, which would wait for ever.
    things: Mutex<Things>,
}

fn registry(setup: &Setup) -> Registry {
    let limits = [
        ("MaxApplyItems", setup.max_apply_items),
        ("MaxLeasesPerHandle", setup.max_leases_per_handle),
        ("MaxLeases", setup.max_leases),
        ("MaxPendingWaits", setup.max_pending_waits),
    ];
    let given: Vec<_> = limits.iter().filter_map(|(name, limit)| Some((*name, (*limit)?.0))).collect();
    if given.is_empty() { Registry::new() } else { parameters(&given) }
}

/// The position of the one that is meant, if there is any.
fn position<T>(of: &[T], which: u8) -> Option<usize> {
    usize::from(which).checked_rem(of.len())
}

impl<'a> Execution<'a> {
    /// The driver loaded, and everything ready for the steps of `sequence`. What it reaches is noted in `coverage`.
    pub(super) fn begin(image: &'a Image, sequence: &Sequence, coverage: Option<&Coverage>) -> Self {
        let faults = Faults::default();
        let kernel = kernel(Options {
            faults: faults.clone(),
            registry: registry(&sequence.setup),
            allocate_pool2: !sequence.setup.old_pool,
            coverage: coverage.cloned(),
            ..Options::default()
        });
        let uses_proxy = sequence.steps.iter().any(|step| matches!(step, Step::Client(_)));
        let proxy = uses_proxy.then(|| proxy::load(&kernel));
        let takes_turns = sequence.setup.threads > 0;
        let execution = Self { image, kernel, faults, proxy, takes_turns, things: Mutex::default() };
        execution.load();
        execution
    }

    /// Runs every step.
    pub(super) fn run(&self, sequence: &Sequence) {
        let threads = usize::from(sequence.setup.threads);
        if threads == 0 {
            return sequence.steps.iter().for_each(|step| self.step(step));
        }
        let work = (0..threads).map(|thread| -> Work<'_> {
            Box::new(move || sequence.steps.iter().skip(thread).step_by(threads).for_each(|step| self.step(step)))
        });
        interleave(sequence.setup.seed.into(), work.collect());
    }

    pub(super) fn things(&self) -> MutexGuard<'_, Things> {
        self.things.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn judge<R>(&self, work: impl FnOnce(&mut Judgement) -> R) -> R {
        work(&mut self.things().judgement)
    }

    fn step(&self, step: &Step) {
        if self.kernel.has_stopped() {
            return;
        }
        match step {
            Step::Open { by, access } => self.open(*by, *access),
            Step::Duplicate { handle, to } => self.duplicate(handle.0, *to),
            Step::Close { handle } => self.close(handle.0),
            Step::Kill { other } => self.kill(if *other { Opener::Other } else { Opener::First }.process()),
            Step::Send { through, request, level, internal } => self.send(through.0, request, *level, *internal),
            Step::Cancel { request } => self.cancel(request.0),
            Step::Advance { milliseconds } => self.kernel.advance(Duration::from_millis(milliseconds.0.into())),
            Step::Shortage { after, times } => {
                self.judge(Judgement::services_will_fail);
                self.faults.run_short(after.0.into(), times.0.into());
            }
            Step::Trace { on } => self.trace(*on),
            Step::Unload => {
                self.judge(|judgement| judgement.was_unloaded = true);
                self.unload();
            }
            Step::Load => self.load(),
            Step::Client(step) => self.client_step(step),
            Step::Interface { .. } | Step::NetioFails { .. } | Step::NetioMends | Step::Others { .. } => {
                self.change_network(step);
            }
        }
        self.collect();
    }

    fn open(&self, opener: Opener, access: Access) {
        if let Ok(handle) = self.kernel.open(DEVICE, &opener.caller(), access.desired()) {
            self.enter(handle, opener.process(), opener, access);
        }
    }

    fn enter(&self, handle: Handle, process: ProcessId, opener: Opener, access: Access) {
        let mut things = self.things();
        things.opened += 1;
        let number = things.opened;
        things.handles.push(Opened { number, handle: Arc::new(handle), process, opener, access });
    }

    fn opened(&self, which: u8) -> Option<Opened> {
        let things = self.things();
        position(&things.handles, which).map(|position| things.handles[position].clone())
    }

    fn duplicate(&self, which: u8, to: Opener) {
        let Some(opened) = self.opened(which) else { return };
        if let Some(handle) = opened.handle.duplicate(to.process()) {
            self.enter(handle, to.process(), opened.opener, opened.access);
        }
        self.release(opened);
    }

    fn close(&self, which: u8) {
        let mut things = self.things();
        let opened = position(&things.handles, which).map(|position| things.handles.remove(position));
        drop(things);
        if let Some(opened) = opened {
            self.release(opened);
        }
    }

    fn kill(&self, process: ProcessId) {
        self.kernel.kill(process);
        // They are closed already.
        let closed: Vec<_> = self.things().handles.extract_if(.., |handle| handle.process == process).collect();
        for handle in closed {
            self.release(handle);
        }
    }

    /// Closes a handle that somebody has closed, once no other thread uses it.
    fn release(&self, Opened { number, handle, .. }: Opened) {
        let Some(handle) = Arc::into_inner(handle) else { return };
        // A driver ends what it has sent before it closes its handle. The system does so for programs.
        let own = self.take_pending(|sent| sent.through == number && sent.asked.is_from_kernel_mode());
        self.cancel_and_keep(own);
        drop(handle);
    }

    fn send(&self, which: u8, request: &Request, level: Level, internal: bool) {
        let Some(opened) = self.opened(which) else { return };
        let (code, room) = (request.code(), request.room());
        let input = request.input(self.judge(|judgement| judgement.generation));
        // The interface would have a reference that nobody gives back.
        if !gives_interface(code, internal, &input, room) {
            let asked = Asked { code, input, room, opener: opened.opener, access: opened.access, level, internal };
            self.judge(|judgement| judgement.asked(&asked));
            let control = Control::new(code, &asked.input, room).at(level.irql());
            let pending = opened.handle.send(&if internal { control.internal() } else { control });
            self.things().pending.push(Sent { pending, asked, through: opened.number });
        }
        self.release(opened);
    }

    fn cancel(&self, which: u8) {
        let mut things = self.things();
        let sent = position(&things.pending, which).map(|position| things.pending.remove(position));
        drop(things);
        self.cancel_and_keep(sent);
    }

    /// Cancels requests that pend, and keeps them for their answers.
    fn cancel_and_keep(&self, sent: impl IntoIterator<Item = Sent>) {
        for sent in sent {
            sent.pending.cancel();
            self.things().pending.push(sent);
        }
    }

    /// The requests that pend of which `which` is true are no more among those that do.
    fn take_pending(&self, which: impl Fn(&Sent) -> bool) -> Vec<Sent> {
        self.things().pending.extract_if(.., |sent| which(sent)).collect()
    }

    fn change_network(&self, step: &Step) {
        let (before, after) = self.kernel.netio(|model| {
            let before: Vec<_> = model.entries().collect();
            network::change(model, step);
            (before, model.entries().collect::<Vec<_>>())
        });
        self.judge(|judgement| {
            judgement.others_changed(&before, &after);
            if let Step::NetioFails { function, status, .. } = step {
                judgement.netio_will_fail(function.function(), NtStatus::from_bits(status.0));
            }
        });
    }

    fn trace(&self, on: bool) {
        let trace = on.then(|| self.kernel.trace(PROVIDER, 0, u64::MAX));
        let before = std::mem::replace(&mut self.things().trace, trace);
        drop(before);
    }

    /// Whether the driver is loaded.
    pub(super) fn is_there(&self) -> bool {
        self.kernel.devices().iter().any(|device| device.ends_with(r"\netioanycast"))
    }

    fn load(&self) {
        if self.is_there() || self.things().driver.is_some() {
            return;
        }
        self.judge(Judgement::driver_is_new);
        let driver = self.kernel.load(self.image, SERVICE_NAME).ok();
        self.things().driver = driver;
    }

    /// Has the driver unloaded, at once or when the last has closed it. Nobody opens it meanwhile.
    pub(super) fn unload(&self) {
        let Some(driver) = self.things().driver.take() else { return };
        // If it is not gone, it goes with the last handle.
        let _ = driver.unload();
    }

    fn client_step(&self, step: &ClientStep) {
        let driver = self.things().other_driver.clone();
        match (step, driver) {
            (ClientStep::Open, None) => {
                let Ok(opened) = OtherDriver::open(&self.kernel) else { return };
                let superfluous = self.things().other_driver.replace(Arc::new(opened));
                drop(superfluous);
            }
            (ClientStep::Close, _) => self.close_other_driver(),
            (step, Some(driver)) => driver.step(step, &|work| self.judge(work)),
            _ => {}
        }
    }

    fn close_other_driver(&self) {
        let driver = self.things().other_driver.take();
        drop(driver);
    }

    /// Closes everything that is open.
    pub(super) fn close_all(&self) {
        while !self.things().handles.is_empty() {
            self.close(0);
        }
        self.close_other_driver();
    }

    /// Takes the answers of the requests that have ended, and cancels some if too many pend.
    pub(super) fn collect(&self) {
        if self.things().pending.is_empty() {
            return;
        }
        if !self.takes_turns {
            // So that what a work item is to do is done.
            self.kernel.advance(Duration::ZERO);
        }
        let ended = self.take_pending(|sent| !sent.pending.is_pending());
        self.answer(ended);
        let superfluous = self.things().pending.len().saturating_sub(MOST_PENDING);
        (0..superfluous).for_each(|_| self.cancel(0));
    }

    /// Waits for the ends of requests.
    fn answer(&self, sent: Vec<Sent>) {
        for Sent { pending, asked, .. } in sent {
            let reply = pending.wait();
            self.judge(|judgement| judgement.answered(&asked, &reply));
        }
    }

    /// Cancels what pends.
    pub(super) fn cancel_all(&self) {
        let sent = self.take_pending(|_| true);
        for one in &sent {
            one.pending.cancel();
        }
        self.answer(sent);
    }

    /// The judgement, and the driver that was not told to go yet.
    pub(super) fn into_judgement(self) -> (Kernel, Judgement) {
        let things = self.things.into_inner().unwrap_or_else(PoisonError::into_inner);
        (self.kernel, things.judgement)
    }
}
