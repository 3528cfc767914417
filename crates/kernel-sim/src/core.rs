//! The state of one simulated kernel, shared by all its threads.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use std::{fmt, io};

use netio_model::Model;

use crate::clock::Time;
use crate::coverage::Coverage;
use crate::device::Device;
use crate::driver::LoadedDriver;
use crate::faults::Faults;
use crate::file::{File, FileHandle};
use crate::leaks::Leaks;
use crate::memory::{Arena, Block, Placement};
use crate::objects::{ObjectKind, Objects};
use crate::observer::Observer;
use crate::occasion::Occasion;
use crate::owner::{DriverNumber, Maker};
use crate::process::ProcessId;
use crate::processor;
use crate::request::Request;
use crate::schedule;
use crate::service::{NTOSKRNL, Service, ShutdownNotification, WorkItem};
use crate::synchronization::Synchronization;
use crate::tally::Tally;
use crate::tracing::Tracing;
use crate::violation::{Frame, Rule, Violation};

/// A test that breaks the same rule a million times wants to hear of it, but not a million times.
const MAX_VIOLATIONS: usize = 1000;
/// The calls that are kept.
const MAX_CALLS: usize = 1 << 16;

/// The values of the registry, by the path of their key and their name: type and data.
pub type Registry = BTreeMap<String, BTreeMap<String, (u32, Vec<u8>)>>;

/// How the simulated kernel is.
#[derive(Clone, Debug)]
pub struct Options {
    /// Whether ntoskrnl has ExAllocatePool2, as it does since Windows 10 version 2004.
    pub allocate_pool2: bool,
    /// How long a driver may take to return, or to complete a pending IRP.
    pub time_limit: Duration,
    /// When time passes.
    pub time: Time,
    /// How many bytes of pool may be charged to one process at a time.
    pub pool_quota: usize,
    /// Which calls of services fail.
    pub faults: Faults,
    /// What is in the registry.
    pub registry: Registry,
    /// Where to note which code of a driver has run, for the driver whose image it is of.
    pub coverage: Option<Coverage>,
    /// Who is told of every call of a service.
    pub observer: Option<Observer>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            allocate_pool2: true,
            time_limit: Duration::from_secs(10),
            time: Time::default(),
            pool_quota: usize::MAX,
            faults: Faults::default(),
            registry: Registry::new(),
            coverage: None,
            observer: None,
        }
    }
}

/// The object types that the kernel exports, each in so many bytes.
const OBJECT_TYPES: [(&str, ObjectKind); 6] = [
    ("ExEventObjectType", ObjectKind::Event),
    ("IoDeviceObjectType", ObjectKind::Device),
    ("IoDriverObjectType", ObjectKind::Driver),
    ("IoFileObjectType", ObjectKind::File),
    ("PsProcessType", ObjectKind::Process),
    ("PsThreadType", ObjectKind::Thread),
];
const TYPE: usize = 16;

/// Memory that a driver allocated.
#[derive(Debug)]
pub(crate) struct PoolBlock {
    pub(crate) block: Block,
    pub(crate) tag: u32,
    pub(crate) is_paged: bool,
    /// The process whose quota it was charged to.
    pub(crate) charged: Option<ProcessId>,
    /// Who allocated it.
    pub(crate) maker: Maker,
}

/// A symbolic link.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) target: String,
    pub(crate) maker: Maker,
}

/// What a handle of the driver stands for.
#[derive(Clone, Debug)]
pub(crate) enum Object {
    /// An object of the object manager's, by its address.
    Plain(ObjectKind, usize),
    /// A file object.
    File(FileHandle),
    /// A key of the registry, by its path.
    Key(String),
}

impl fmt::Display for Object {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain(kind, address) => write!(formatter, "the {kind} {address:#x}"),
            Self::File(handle) => write!(formatter, "the file object {:#x}", handle.file),
            Self::Key(path) => write!(formatter, "the key {path}"),
        }
    }
}

/// A handle that a driver has opened.
#[derive(Debug)]
pub(crate) struct OpenHandle {
    pub(crate) object: Object,
    pub(crate) maker: Maker,
}

/// Everything that changes, but NetIO and the reports.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) drivers: BTreeMap<usize, Arc<LoadedDriver>>,
    /// The drivers that are being unloaded, and whether their DriverUnload runs already: nobody opens their devices any more.
    pub(crate) unloading: BTreeMap<usize, bool>,
    pub(crate) devices: BTreeMap<usize, Device>,
    /// Where images were that are unloaded, and whose.
    pub(crate) unloaded: Vec<(Range<usize>, Arc<str>)>,
    /// Device names in lower case.
    pub(crate) names: BTreeMap<String, usize>,
    /// Symbolic links in lower case, and where they lead.
    pub(crate) links: BTreeMap<String, Link>,
    pub(crate) handles: BTreeMap<usize, OpenHandle>,
    pub(crate) next_handle: usize,
    pub(crate) pool: HashMap<usize, PoolBlock>,
    pub(crate) freed_pool: BTreeSet<usize>,
    /// How many bytes of pool are charged to each process.
    pub(crate) charged_pool: BTreeMap<ProcessId, usize>,
    pub(crate) work_items: BTreeMap<usize, WorkItem>,
    /// How often drivers have locked a section that may be paged out, by where it begins.
    pub(crate) locked_sections: BTreeMap<usize, usize>,
    /// How many routines of work items are going to run or are running, by the driver whose device they are for.
    pub(crate) running_work: BTreeMap<DriverNumber, usize>,
    /// The devices that are told when the system shuts down.
    pub(crate) shutdown: Vec<ShutdownNotification>,
    /// The IRPs that there are, by their addresses.
    pub(crate) requests: HashMap<usize, Arc<Request>>,
    /// The devices that protected completion routines keep, by the IRP and the number of the stack location.
    pub(crate) protected_completions: BTreeMap<(usize, i8), usize>,
    /// The addresses at which IRPs were.
    pub(crate) past_requests: HashSet<usize>,
    pub(crate) objects: Objects,
    pub(crate) files: BTreeMap<usize, File>,
    pub(crate) next_file_handle: u64,
    pub(crate) processes: BTreeMap<ProcessId, usize>,
    /// The events that have names, in lower case.
    pub(crate) events: BTreeMap<String, usize>,
    /// The memory of objects that need no more than it, by their addresses.
    pub(crate) other_objects: BTreeMap<usize, Block>,
    pub(crate) leaks: Leaks,
}

/// NetIO: the model, and the tables that it has handed out.
#[derive(Debug, Default)]
pub(crate) struct Netio {
    pub(crate) model: Model,
    pub(crate) tables: HashMap<usize, (Block, Maker)>,
}

/// A simulated kernel.
#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) options: Options,
    pub(crate) arena: Arc<Arena>,
    pub(crate) state: Mutex<State>,
    pub(crate) netio: Mutex<Netio>,
    pub(crate) tracing: Mutex<Tracing>,
    /// What threads wait for. Taken before the state, never while that is held.
    pub(crate) synchronization: Mutex<Synchronization>,
    /// Something has changed that threads may wait for.
    pub(crate) changed: Condvar,
    /// The cancel spin lock is held.
    pub(crate) cancel_lock: AtomicBool,
    /// How many requests that drivers have had built have ended and were not handed over yet.
    pub(crate) ended_requests: AtomicUsize,
    /// `IoDeviceObjectType` and its like: each is a pointer to an object type, followed by the object type.
    object_types: Block,
    violations: Mutex<Vec<Violation>>,
    tally: Tally,
    calls: Mutex<Vec<&'static str>>,
    /// A driver has crashed: nothing of it runs any more.
    stopped: AtomicBool,
    next_poison: AtomicU64,
    next_driver: AtomicU32,
}

/// Locks, whatever a test's panic has done meanwhile.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl State {
    /// An IRP is of interest no more: another may have its address.
    pub(crate) fn forget_request(&mut self, request: &Request) {
        self.requests.remove(&request.address);
        self.past_requests.insert(request.address);
    }
}

impl Core {
    pub(crate) fn new(options: Options) -> io::Result<Arc<Self>> {
        let arena = Arena::new()?;
        let object_types = arena.allocate(OBJECT_TYPES.len() * TYPE, Placement::AtEnd, 0);
        for index in 0..OBJECT_TYPES.len() {
            object_types.write(index * TYPE, &(object_types.address() + index * TYPE + size_of::<usize>()));
        }
        Ok(Arc::new(Self {
            options,
            arena,
            state: Mutex::new(State { next_handle: 0x8000_0000, ..State::default() }),
            netio: Mutex::default(),
            tracing: Mutex::default(),
            synchronization: Mutex::default(),
            changed: Condvar::new(),
            cancel_lock: AtomicBool::new(false),
            ended_requests: AtomicUsize::new(0),
            object_types,
            violations: Mutex::default(),
            tally: Tally::default(),
            calls: Mutex::default(),
            stopped: AtomicBool::new(false),
            next_poison: AtomicU64::new(1),
            next_driver: AtomicU32::new(1),
        }))
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    pub(crate) fn netio(&self) -> MutexGuard<'_, Netio> {
        lock(&self.netio)
    }

    /// The address of exported data.
    pub(crate) fn exported_data(&self, module: &str, name: &str) -> Option<usize> {
        let index = OBJECT_TYPES.iter().position(|(other, _)| (module, name) == (NTOSKRNL, *other))?;
        Some(self.object_types.address() + index * TYPE)
    }

    /// Which kind of objects an object type stands for.
    pub(crate) fn kind_of_type(&self, object_type: usize) -> Option<ObjectKind> {
        let first = self.object_types.address() + size_of::<usize>();
        let types = OBJECT_TYPES.iter().enumerate();
        let mut known = types.filter(|(index, _)| first + index * TYPE == object_type);
        known.next().map(|(_, (_, kind))| *kind)
    }

    /// The number of the next driver.
    pub(crate) fn next_driver(&self) -> DriverNumber {
        DriverNumber(self.next_driver.fetch_add(1, Ordering::Relaxed))
    }

    /// A driver calls a service: whatever it is, it must be allowed at the IRQL.
    pub(crate) fn called(&self, service: &'static Service) {
        let mut calls = lock(&self.calls);
        if calls.len() < MAX_CALLS {
            calls.push(service.name);
        }
        drop(calls);
        self.occasion(Occasion::Call(service.name));
        if let Some(observer) = &self.options.observer {
            observer.called(service.name, self.maker().stack.first());
        }
        schedule::called(service.name, processor::activity());
        self.hand_over();
        let irql = processor::irql();
        if irql > service.highest {
            let detail = format!("{} may be called at up to {}; {}", service.name, service.highest, service.page);
            self.report(Rule::IrqlTooHigh, detail);
        }
    }

    /// Something at which rules are judged happens in what the driver does now.
    pub(crate) fn occasion(&self, occasion: Occasion) {
        self.tally.occasion(processor::activity(), occasion);
    }

    pub(crate) const fn tally(&self) -> &Tally {
        &self.tally
    }

    /// The services that the driver has called, in order.
    pub(crate) fn calls(&self) -> Vec<&'static str> {
        lock(&self.calls).clone()
    }

    pub(crate) fn forget_calls(&self) {
        lock(&self.calls).clear();
    }

    pub(crate) fn stop(&self) {
        self.stopped.store(true, Ordering::SeqCst);
        // Nobody waits any more.
        self.change(|_| ());
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::SeqCst)
    }

    /// Bytes that nobody would write by chance, others each time.
    pub(crate) fn poison(&self) -> [u8; 8] {
        let mut word = self.next_poison.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        word = (word ^ word >> 29).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        // Zero is what drivers write most.
        (word ^ word >> 32).to_le_bytes().map(|byte| byte | 1)
    }

    /// Enters a violation by the driver in what it does now.
    pub(crate) fn report(&self, rule: Rule, detail: impl Into<String>) {
        self.report_at(rule, detail, self.call_stack(), processor::request().as_deref());
    }

    /// Enters a violation by the driver in what it does now, to an IRP.
    pub(crate) fn report_on(&self, request: &Request, rule: Rule, detail: impl Into<String>) {
        self.report_at(rule, detail, self.call_stack(), Some(request));
    }

    /// Enters a violation that happened elsewhere: by the driver whose call is the innermost.
    pub(crate) fn report_at(
        &self,
        rule: Rule,
        detail: impl Into<String>,
        stack: Vec<Frame>,
        request: Option<&Request>,
    ) {
        let driver = stack.first().map(|frame| frame.driver.clone());
        self.enter_violation(driver.or_else(|| self.name_of(processor::driver())), rule, detail.into(), stack, request);
    }

    /// Enters a violation by a driver that need not be running.
    pub(crate) fn report_of(&self, driver: &LoadedDriver, rule: Rule, detail: impl Into<String>, stack: Vec<Frame>) {
        self.enter_violation(Some(driver.name().to_owned()), rule, detail.into(), stack, None);
    }

    fn enter_violation(
        &self,
        driver: Option<String>,
        rule: Rule,
        detail: String,
        stack: Vec<Frame>,
        request: Option<&Request>,
    ) {
        let violation = Violation {
            rule,
            driver,
            detail,
            call: processor::call().map(|call| call.service.name),
            irql: processor::irql(),
            stack,
            irp: request.map(Request::history).unwrap_or_default(),
        };
        self.tally.broken(request.map_or_else(processor::activity, Request::activity), rule);
        let mut violations = lock(&self.violations);
        if violations.len() < MAX_VIOLATIONS {
            violations.push(violation);
        }
    }

    pub(crate) fn violations(&self) -> Vec<Violation> {
        lock(&self.violations).clone()
    }

    /// Whether the driver's call of a service is to fail.
    pub(crate) fn fault(&self) -> bool {
        let faults = &self.options.faults;
        let Some(service) = processor::call().map(|call| call.service) else { return false };
        debug_assert!(service.may_fail, "the service table says that {} does not fail", service.name);
        faults.strikes(service.name, || self.call_site())
    }
}
