//! A platform in memory.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::mpsc::{Receiver, Sender};
use std::time::Duration;

use anycastctl::codes;
use anycastctl::event::{Event, HealthCheck};
use anycastctl::failure::Failure;
use anycastctl::interrupt;
use anycastctl::platform::{InfError, InfSection, Platform, Service, ServiceInfo, ServiceState, Verifier};
use netio_anycast_client::protocol::DEVICE_PATH;
use netio_anycast_client::protocol::address::Luid;
use netio_anycast_client::protocol::status::NtStatus;
use netio_anycast_client::protocol::win32::Win32Error;
use netio_anycast_client::{Access, Error, Interfaces, NetworkInterface, OsError, PendingRequest, Returned, Transport};
use netio_model::Model;

use crate::in_process::{InProcessDriver, ethernet};
use crate::script::{Screen, Script};

const IMAGE: &str = r"C:\drivers\netio_anycast.sys";

/// A file that nobody may read.
pub(crate) const SECRET: &str = "secret.toml";

/// A file on a disk that is damaged.
pub(crate) const DAMAGED: &str = "damaged.toml";

/// The process that runs a DNS server.
pub(crate) const DNS: u32 = 4711;

type RunInf = Box<dyn FnMut(InfSection, &FakeService) -> Result<(), InfError>>;

/// The system that the commands run on.
pub(crate) struct Fake {
    /// Opens the driver's device while the service runs.
    device: Box<dyn Fn() -> Box<dyn Transport>>,
    /// What opening the device fails with although the service runs.
    pub(crate) open_fails: Option<OsError>,
    pub(crate) interfaces: FakeInterfaces,
    pub(crate) service: FakeService,
    /// The files that there are.
    pub(crate) files: Vec<PathBuf>,
    /// The files that can be read.
    pub(crate) contents: RefCell<BTreeMap<PathBuf, Vec<u8>>>,
    /// What running the INF does.
    pub(crate) inf: RefCell<RunInf>,
    /// What Driver Verifier is set to, or why that can't be read.
    pub(crate) verifier: Result<Option<Verifier>, Win32Error>,
    /// What starting a program fails with.
    pub(crate) start_fails: Option<io::ErrorKind>,
    /// What starting to check the health fails with.
    pub(crate) check_fails: Option<io::ErrorKind>,
    /// Why Ctrl+C can't be heard of.
    pub(crate) interrupt_fails: Option<&'static str>,
    /// How often the clock was read: what is done between two looks takes this or that long.
    looks: Cell<u64>,
    /// What happens while a command goes on.
    pub(crate) script: Script,
    /// What a person sees.
    pub(crate) screen: Screen,
    /// The time that was slept.
    pub(crate) slept: Cell<Duration>,
}

impl Fake {
    /// A system whose driver runs.
    pub(crate) fn running(driver: impl Transport + 'static) -> Self {
        let fake = Self::without_driver(driver);
        fake.service.put(ServiceState::Running);
        fake
    }

    /// A system whose driver is the real engine with leases, over a model of two interfaces: "Ethernet" (5), and 7 without an
    /// alias.
    pub(crate) fn with_model(arrange: impl FnOnce(&mut Model)) -> Self {
        Self::with_leases(arrange).0
    }

    /// The same, and its driver.
    pub(crate) fn with_leases(arrange: impl FnOnce(&mut Model)) -> (Self, InProcessDriver) {
        let mut model = Model::new();
        for index in [5, 7] {
            model.add_interface(ethernet(index)).expect("interfaces with numbers of their own");
        }
        arrange(&mut model);
        let driver = InProcessDriver::over(model);
        (Self::with_driver(driver.clone()), driver)
    }

    /// A system where this driver runs.
    pub(crate) fn with_driver(driver: InProcessDriver) -> Self {
        Self::with_device(move || Box::new(driver.open()))
    }

    /// A system where the device that this opens is the driver's.
    pub(crate) fn with_device(open: impl Fn() -> Box<dyn Transport> + 'static) -> Self {
        let fake = Self { device: Box::new(open), ..Self::without_driver(NoDriver) };
        fake.service.put(ServiceState::Running);
        fake
    }

    /// A system with the files of the driver package, whose driver is not installed.
    pub(crate) fn without_driver(driver: impl Transport + 'static) -> Self {
        let driver = Rc::new(driver);
        Self {
            device: Box::new(move || Box::new(Shared(driver.clone()))),
            open_fails: None,
            interfaces: FakeInterfaces::new(),
            service: FakeService::default(),
            files: ["netio_anycast.inf", "netio_anycast.sys"].map(|name| Path::new("/package").join(name)).to_vec(),
            contents: RefCell::default(),
            inf: RefCell::new(Box::new(|section, service| {
                match section {
                    InfSection::Install => service.put(ServiceState::Stopped),
                    InfSection::Uninstall => *service.info.borrow_mut() = None,
                }
                Ok(())
            })),
            verifier: Ok(None),
            start_fails: None,
            check_fails: None,
            interrupt_fails: None,
            looks: Cell::default(),
            script: Script::default(),
            screen: Screen::default(),
            slept: Cell::default(),
        }
    }
}

impl Platform for Fake {
    fn open(&self, access: Access) -> Result<Box<dyn Transport + '_>, Error> {
        let running = self.service.info.borrow().as_ref().is_some_and(|info| info.state == ServiceState::Running);
        if !running {
            return Err(Error::opening(DEVICE_PATH, OsError::from_status(NtStatus::OBJECT_NAME_NOT_FOUND)));
        }
        if let Some(code) = self.open_fails {
            return Err(Error::opening(DEVICE_PATH, code));
        }
        let lives = self.service.lives.clone();
        Ok(Box::new(Handle { driver: (self.device)(), access, life: lives.get(), lives }))
    }

    fn interfaces(&self) -> &dyn Interfaces {
        &self.interfaces
    }

    fn process_image(&self, process_id: u32) -> Option<String> {
        (process_id == DNS).then(|| r"C:\Windows\System32\dns.exe".to_owned())
    }

    fn service(&self) -> &dyn Service {
        &self.service
    }

    fn run_inf_section(&self, section: InfSection, inf: &Path) -> Result<(), InfError> {
        assert_eq!(inf, Path::new("/package/netio_anycast.inf"));
        (self.inf.borrow_mut())(section, &self.service)
    }

    fn program_folder(&self) -> Option<PathBuf> {
        Some("/package".into())
    }

    fn system_folder(&self) -> PathBuf {
        r"C:\Windows".into()
    }

    fn verifier(&self) -> Result<Option<Verifier>, Win32Error> {
        self.verifier.clone()
    }

    fn is_file(&self, path: &Path) -> bool {
        self.files.iter().any(|file| file == path)
    }

    fn read_file(&self, path: &Path) -> io::Result<Vec<u8>> {
        check_file(path)?;
        self.contents.borrow().get(path).cloned().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn write_file(&self, path: &Path, contents: &[u8]) -> io::Result<()> {
        check_file(path)?;
        if path.parent().is_some_and(|folder| folder != Path::new("")) {
            return Err(io::ErrorKind::NotFound.into());
        }
        self.contents.borrow_mut().insert(path.to_owned(), contents.to_owned());
        Ok(())
    }

    fn on_interrupt(&self, _: Sender<Event>) -> Result<(), Failure> {
        self.interrupt_fails.map_or(Ok(()), |reason| Err(interrupt::refused(reason)))
    }

    fn start(&self, command: &[OsString], _: Sender<Event>) -> io::Result<()> {
        self.screen.say(&format!("starts {}", command.join(OsStr::new(" ")).display()));
        self.start_fails.map_or(Ok(()), |error| Err(error.into()))
    }

    fn check_health(&self, check: HealthCheck, _: Sender<Event>) -> io::Result<Box<dyn Any>> {
        self.screen.say(&format!("runs every {:?}: {}", check.interval, check.command));
        self.check_fails.map_or_else(|| Ok(Box::new(()) as Box<dyn Any>), |error| Err(error.into()))
    }

    fn next_event(&self, events: &Receiver<Event>, timeout: Option<Duration>) -> Option<Event> {
        self.script.next(self, events, timeout)
    }

    fn clock(&self) -> Duration {
        let looks = self.looks.get() + 1;
        self.looks.set(looks);
        // Between 100 and 150 µs as a rule, and each hundredth takes ten times that.
        let extra: u64 = (0..looks).map(|look| if look % 100 == 99 { 900_000 } else { look * look * 7 % 50_000 }).sum();
        Duration::from_nanos(looks * 100_000 + extra)
    }

    fn sleep(&self, duration: Duration) {
        self.slept.set(self.slept.get() + duration);
    }
}

/// Whether the file may be used.
fn check_file(path: &Path) -> io::Result<()> {
    if path == SECRET {
        return Err(io::ErrorKind::PermissionDenied.into());
    }
    if path == DAMAGED { Err(io::Error::other("the disk is damaged")) } else { Ok(()) }
}

/// A handle to the device. The I/O manager refuses what it was not opened for, by the access bits of the control code.
struct Handle {
    driver: Box<dyn Transport>,
    access: Access,
    /// Which of the driver's lives it belongs to: it is dead in the next.
    life: u64,
    lives: Rc<Cell<u64>>,
}

impl Handle {
    fn check(&self) -> Result<(), OsError> {
        if self.life == self.lives.get() { Ok(()) } else { Err(OsError::from_status(NtStatus::DEVICE_NOT_READY)) }
    }
}

impl Transport for Handle {
    fn control(&self, control_code: u32, input: &[u8], output: &mut [u8]) -> Result<Returned, OsError> {
        self.check()?;
        let writes = control_code >> 14 & 0b10 != 0;
        if writes && self.access == Access::Read {
            return Err(OsError::from_status(NtStatus::ACCESS_DENIED));
        }
        self.driver.control(control_code, input, output)
    }

    fn begin<'a>(
        &'a self,
        control_code: u32,
        input: &[u8],
        output_length: usize,
    ) -> Result<Box<dyn PendingRequest + 'a>, OsError> {
        self.check()?;
        self.driver.begin(control_code, input, output_length)
    }
}

/// A driver that does not care who asks.
struct Shared<T>(Rc<T>);

impl<T: Transport> Transport for Shared<T> {
    fn control(&self, control_code: u32, input: &[u8], output: &mut [u8]) -> Result<Returned, OsError> {
        self.0.control(control_code, input, output)
    }
}

/// The driver of a system that never has one.
pub(crate) struct NoDriver;

impl Transport for NoDriver {
    fn control(&self, _: u32, _: &[u8], _: &mut [u8]) -> Result<Returned, OsError> {
        unreachable!("its device can't be opened")
    }
}

/// "Ethernet", another that lacks an alias unless it is asked for by "5", and those that only the system knows.
pub(crate) struct FakeInterfaces {
    pub(crate) all: Result<Vec<NetworkInterface>, Win32Error>,
}

impl FakeInterfaces {
    fn new() -> Self {
        let interface =
            |luid, index, alias: &str| NetworkInterface { luid, index, alias: alias.to_owned(), is_up: true };
        let loopback = interface(Luid::new(24, 0), 1, "Loopback Pseudo-Interface 1");
        let ethernet = interface(Luid::new(6, 5), 5, "Ethernet");
        let other = NetworkInterface { is_up: false, ..interface(Luid::new(6, 7), 7, "5") };
        Self { all: Ok(vec![loopback, ethernet, other]) }
    }
}

impl Interfaces for FakeInterfaces {
    fn all(&self) -> Result<Vec<NetworkInterface>, Error> {
        self.all.clone().map_err(Error::listing_interfaces)
    }

    fn luid_of(&self, alias: &str) -> Result<Luid, Error> {
        match alias {
            "Ethernet" => Ok(Luid::new(6, 5)),
            "5" => Ok(Luid::new(6, 7)),
            _ => Err(Error::resolving_alias(alias, Win32Error::INVALID_PARAMETER)),
        }
    }

    fn alias_of(&self, luid: Luid) -> Option<String> {
        (luid == Luid::new(6, 5)).then(|| "Ethernet".to_owned())
    }
}

/// A service control manager with one service.
#[derive(Default)]
pub(crate) struct FakeService {
    pub(crate) info: RefCell<Option<ServiceInfo>>,
    /// How often it was in another state.
    lives: Rc<Cell<u64>>,
    /// The states that the next queries see before the real one.
    pub(crate) transitions: RefCell<VecDeque<ServiceState>>,
    /// What every call fails with.
    pub(crate) fails: Cell<Option<Win32Error>>,
    /// Somebody has the service open, so that it does not go when it is deleted.
    pub(crate) held_open: Cell<bool>,
}

impl FakeService {
    pub(crate) fn put(&self, state: ServiceState) {
        self.lives.set(self.lives.get() + 1);
        *self.info.borrow_mut() = Some(ServiceInfo { state, image: IMAGE.to_owned() });
    }

    fn check(&self) -> Result<(), Win32Error> {
        self.fails.get().map_or(Ok(()), Err)
    }

    /// Goes from one state to another, or says why not.
    fn change(&self, to: ServiceState, otherwise: Win32Error) -> Result<(), Win32Error> {
        self.check()?;
        match self.info.borrow_mut().as_mut() {
            None => Err(codes::SERVICE_DOES_NOT_EXIST),
            Some(info) if info.state == to => Err(otherwise),
            Some(info) => {
                info.state = to;
                Ok(())
            }
        }
    }
}

impl Service for FakeService {
    fn query(&self) -> Result<Option<ServiceInfo>, Win32Error> {
        self.check()?;
        let info = self.info.borrow().clone();
        let state = self.transitions.borrow_mut().pop_front();
        Ok(info.map(|info| ServiceInfo { state: state.unwrap_or(info.state), ..info }))
    }

    fn check_may_install(&self) -> Result<(), Win32Error> {
        self.check()
    }

    fn start(&self) -> Result<(), Win32Error> {
        self.change(ServiceState::Running, codes::SERVICE_ALREADY_RUNNING)
    }

    fn stop(&self) -> Result<(), Win32Error> {
        self.change(ServiceState::Stopped, codes::SERVICE_NOT_ACTIVE)
    }

    fn delete(&self) -> Result<(), Win32Error> {
        self.check()?;
        if !self.held_open.get() {
            *self.info.borrow_mut() = None;
        }
        Ok(())
    }
}
