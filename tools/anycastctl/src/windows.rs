//! The system that the commands run on: Windows, or Wine.

mod inf;
mod service;
mod verifier;

use std::any::Any;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::mpsc::{Receiver, Sender};
use std::time::{Duration, Instant};

use netio_anycast_client::protocol::win32::Win32Error;
use netio_anycast_client::{Access, DeviceTransport, Error, Interfaces, SystemInterfaces, Transport};

use crate::event::{Event, HealthCheck};
use crate::failure::Failure;
use crate::platform::{InfError, InfSection, Platform, Service, Verifier};
use crate::processes::{self, HealthMonitor};
use crate::windows::service::DriverService;

/// This system.
#[derive(Clone, Copy, Debug)]
pub struct System;

impl Platform for System {
    fn open(&self, access: Access) -> Result<Box<dyn Transport + '_>, Error> {
        Ok(Box::new(DeviceTransport::open(access)?))
    }

    fn interfaces(&self) -> &dyn Interfaces {
        &SystemInterfaces
    }

    fn process_image(&self, process_id: u32) -> Option<String> {
        netio_anycast_client::process_image(process_id).map(|path| path.display().to_string())
    }

    fn service(&self) -> &dyn Service {
        &DriverService
    }

    fn run_inf_section(&self, section: InfSection, inf: &Path) -> Result<(), InfError> {
        inf::run_section(section, inf)
    }

    fn program_folder(&self) -> Option<PathBuf> {
        let program = std::env::current_exe().ok()?;
        Some(program.parent()?.to_owned())
    }

    fn system_folder(&self) -> PathBuf {
        system_folder()
    }

    fn verifier(&self) -> Result<Option<Verifier>, Win32Error> {
        verifier::settings()
    }

    fn is_file(&self, path: &Path) -> bool {
        path.is_file()
    }

    fn read_file(&self, path: &Path) -> io::Result<Vec<u8>> {
        std::fs::read(path)
    }

    fn write_file(&self, path: &Path, contents: &[u8]) -> io::Result<()> {
        std::fs::write(path, contents)
    }

    fn on_interrupt(&self, events: Sender<Event>) -> Result<(), Failure> {
        crate::interrupt::tell(events)
    }

    fn start(&self, command: &[OsString], events: Sender<Event>) -> io::Result<()> {
        processes::start(command, events)
    }

    fn check_health(&self, check: HealthCheck, events: Sender<Event>) -> io::Result<Box<dyn Any>> {
        Ok(Box::new(HealthMonitor::start(check, events)?))
    }

    fn next_event(&self, events: &Receiver<Event>, timeout: Option<Duration>) -> Option<Event> {
        match timeout {
            Some(timeout) => events.recv_timeout(timeout).ok(),
            None => events.recv().ok(),
        }
    }

    fn clock(&self) -> Duration {
        static START: OnceLock<Instant> = OnceLock::new();
        START.get_or_init(Instant::now).elapsed()
    }

    fn sleep(&self, duration: Duration) {
        std::thread::sleep(duration);
    }
}

/// Where the system is.
pub(crate) fn system_folder() -> PathBuf {
    std::env::var_os("SystemRoot").unwrap_or_else(|| r"C:\Windows".into()).into()
}
