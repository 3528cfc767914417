//! What the commands need of the system they run on.

use std::any::Any;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender};
use std::time::Duration;

use netio_anycast_client::protocol::win32::Win32Error;
use netio_anycast_client::{Access, Error, Interfaces, Transport};
use serde::Serialize;

use crate::event::{Event, HealthCheck};
use crate::failure::Failure;

/// The system. Windows is one; the tests have another.
pub trait Platform {
    /// Opens the driver's device.
    ///
    /// # Errors
    /// `NoDriver` if the driver is not running; `AccessDenied` if the caller is no administrator.
    fn open(&self, access: Access) -> Result<Box<dyn Transport + '_>, Error>;

    /// Where interface aliases are looked up.
    fn interfaces(&self) -> &dyn Interfaces;

    /// The path of the image that a process runs, or `None` if there is no such process or the caller may not know.
    fn process_image(&self, process_id: u32) -> Option<String>;

    /// The service that is the driver.
    fn service(&self) -> &dyn Service;

    /// Runs a section of the driver's INF to its end.
    ///
    /// # Errors
    /// It could not be run. That it ran says nothing about what it did: look at the service.
    fn run_inf_section(&self, section: InfSection, inf: &Path) -> Result<(), InfError>;

    /// The folder that this program is in.
    fn program_folder(&self) -> Option<PathBuf>;

    /// The folder that the system is in: `%SystemRoot%`.
    fn system_folder(&self) -> PathBuf;

    /// What Driver Verifier is set to, or `None` if to nothing.
    ///
    /// # Errors
    /// The registry's own code.
    fn verifier(&self) -> Result<Option<Verifier>, Win32Error>;

    /// Whether there is a file at `path`.
    fn is_file(&self, path: &Path) -> bool;

    /// The contents of the file at `path`.
    ///
    /// # Errors
    /// There is none, or it can't be read.
    fn read_file(&self, path: &Path) -> io::Result<Vec<u8>>;

    /// Writes a file, in the place of one that there may be.
    ///
    /// # Errors
    /// It can't be written.
    fn write_file(&self, path: &Path, contents: &[u8]) -> io::Result<()>;

    /// Has Ctrl+C told instead of ending this program.
    ///
    /// # Errors
    /// The system does not let that be.
    fn on_interrupt(&self, events: Sender<Event>) -> Result<(), Failure>;

    /// Starts a program in this one's console, and has its end told.
    ///
    /// # Errors
    /// It can't be started.
    fn start(&self, command: &[OsString], events: Sender<Event>) -> io::Result<()>;

    /// Runs a health check again and again until what is returned is dropped, and has each result told.
    ///
    /// # Errors
    /// That can't be started; a check that can't be run is a result.
    fn check_health(&self, check: HealthCheck, events: Sender<Event>) -> io::Result<Box<dyn Any>>;

    /// The next event, or `None` if there is none for so long.
    fn next_event(&self, events: &Receiver<Event>, timeout: Option<Duration>) -> Option<Event>;

    /// The time since a moment that stays the same as long as the program runs.
    fn clock(&self) -> Duration;

    /// Lets time pass.
    fn sleep(&self, duration: Duration);
}

/// The settings of Driver Verifier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verifier {
    /// The file names of the drivers that it verifies, blanks between them; `*` for all.
    pub drivers: String,
    /// Its flags.
    pub level: u32,
}

impl Verifier {
    /// Whether the driver whose image has this file name is verified.
    #[must_use]
    pub fn covers(&self, image: &str) -> bool {
        self.drivers.split_whitespace().any(|driver| driver == "*" || driver.eq_ignore_ascii_case(image))
    }
}

/// The driver's service, as the service control manager knows it.
pub trait Service {
    /// What it is and does, or `None` if it is not installed.
    ///
    /// # Errors
    /// The service control manager's own code, here and below.
    fn query(&self) -> Result<Option<ServiceInfo>, Win32Error>;

    /// Whether the caller may create services.
    ///
    /// # Errors
    /// ERROR_ACCESS_DENIED if not.
    fn check_may_install(&self) -> Result<(), Win32Error>;

    /// Starts it.
    ///
    /// # Errors
    /// ERROR_SERVICE_ALREADY_RUNNING, or what DriverEntry's status or the image loader's became.
    fn start(&self) -> Result<(), Win32Error>;

    /// Asks it to stop.
    ///
    /// # Errors
    /// ERROR_SERVICE_NOT_ACTIVE if it does not run.
    fn stop(&self) -> Result<(), Win32Error>;

    /// Marks it for deletion.
    ///
    /// # Errors
    /// ERROR_SERVICE_MARKED_FOR_DELETE if it was marked already.
    fn delete(&self) -> Result<(), Win32Error>;
}

/// An installed service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceInfo {
    /// What it does.
    pub state: ServiceState,
    /// The image of the driver.
    pub image: String,
}

/// What a service does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ServiceState {
    /// It does not run.
    Stopped,
    /// It is being started.
    Starting,
    /// It runs.
    Running,
    /// It is being stopped.
    Stopping,
}

/// A section of the INF.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InfSection {
    /// `DefaultInstall`.
    Install,
    /// `DefaultUninstall`.
    Uninstall,
}

/// Why a section of the INF could not be run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InfError {
    /// The program that runs it could not be started.
    NotStarted(Win32Error),
    /// It did not end in time and was ended.
    TimedOut(Duration),
}
