//! The driver loaded and unloaded by the service manager.

use std::ffi::OsStr;
use std::thread;
use std::time::{Duration, Instant};

use netio_anycast_client::{Access, DeviceTransport, ErrorKind};
use netio_anycast_protocol::SERVICE_NAME;
use windows_service::service::{Service, ServiceAccess, ServiceState};
use windows_service::service_manager::{ServiceManager, ServiceManagerAccess};

use crate::bench::{Driver, ETHERNET, Simulation, on, resolved};

/// How long the service manager may take before the test gives up.
const PATIENCE: Duration = Duration::from_mins(1);

/// A driver's service.
pub(crate) fn service(name: &str) -> Service {
    let manager = ServiceManager::local_computer(None::<&str>, ServiceManagerAccess::CONNECT)
        .expect("the service manager can be reached");
    let access = ServiceAccess::START | ServiceAccess::STOP | ServiceAccess::QUERY_STATUS;
    manager.open_service(name, access).expect("the service is installed")
}

pub(crate) fn wait_for(service: &Service, state: ServiceState) {
    let started = Instant::now();
    while service.query_status().expect("the service has a status").current_state != state {
        assert!(started.elapsed() < PATIENCE, "the service does not become {state:?}");
        thread::yield_now();
    }
}

/// Stopped and started, even if the test in between fails: the other tests need the driver.
pub(crate) struct Restart<'a>(&'a Service);

impl<'a> Restart<'a> {
    pub(crate) fn stop(service: &'a Service) -> Self {
        service.stop().expect("the driver can be stopped");
        wait_for(service, ServiceState::Stopped);
        Self(service)
    }
}

impl Drop for Restart<'_> {
    fn drop(&mut self) {
        self.0.start::<&OsStr>(&[]).expect("the driver can be started");
        wait_for(self.0, ServiceState::Running);
    }
}

#[test]
fn stopped_and_started_50_times_it_comes_and_goes_with_its_device() {
    // No handle may be open: Windows unloads a driver only when there is none.
    let _simulation = Simulation::new();
    Driver::open(Access::ReadWrite).create(on(ETHERNET, "192.0.2.1")).expect("the address is new");
    let service = service(SERVICE_NAME);
    for _ in 0..50 {
        let stopped = Restart::stop(&service);
        let gone = DeviceTransport::open(Access::Read).expect_err("a stopped driver has no device");
        assert_eq!(gone.kind(), ErrorKind::NoDriver);
        drop(stopped);
        let driver = Driver::open(Access::Read);
        // An address without an owner is NetIO's own and outlives the driver; its counters do not.
        assert_eq!(driver.get(on(ETHERNET, "192.0.2.1")), Ok(resolved(ETHERNET, "192.0.2.1")));
        assert_eq!(driver.statistics().generation, 0);
    }
}
