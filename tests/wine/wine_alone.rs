//! The control of kernel_services.rs: without the kernel extension, Wine's kernel fails the checks of what the extension implements.

use std::ffi::OsStr;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use windows_service::service::{
    Service, ServiceAccess, ServiceErrorControl, ServiceInfo, ServiceStartType, ServiceType,
};
use windows_service::service_manager::{ServiceManager, ServiceManagerAccess};

use crate::probe::{Probe, Verdict};

/// Where `cargo xtask wine` has put the probe as it was built, its imports from the kernel still Wine's.
const IMAGE: &str = r"C:\unchanged\kernel_probe.sys";

/// The checks that need nothing of the extension.
const RIGHT: [&str; 4] = ["critical_regions", "events", "security", "waits_for_several"];
/// The checks that are not run: for this one an INF has to make values in the registry.
const NEEDS_INF: &str = "registry";
/// And this one never ends: Wine's KeSetTimer waits for the end of the call that a timer makes, and so for itself when that call sets
/// the timer again.
const NEVER_ENDS: &str = "timer_feeds_work_item";

/// Held by whoever asks the service manager for something: threads that do so at once get ERROR_INVALID_HANDLE of Wine now and then.
static SERVICE_MANAGER: Mutex<()> = Mutex::new(());

fn service_manager() -> MutexGuard<'static, ()> {
    SERVICE_MANAGER.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The probe as a service of its own for one check, in a kernel host of its own: many checks end it.
struct Alone {
    name: String,
    /// There until it is dropped.
    service: Option<Service>,
}

impl Alone {
    fn start(check: &str) -> Self {
        let _guard = service_manager();
        let access = ServiceManagerAccess::CONNECT | ServiceManagerAccess::CREATE_SERVICE;
        let manager = ServiceManager::local_computer(None::<&str>, access).expect("the service manager can be reached");
        let name = format!("alone_{check}");
        let info = ServiceInfo {
            name: name.clone().into(),
            display_name: name.clone().into(),
            service_type: ServiceType::KERNEL_DRIVER,
            start_type: ServiceStartType::OnDemand,
            error_control: ServiceErrorControl::Normal,
            executable_path: IMAGE.into(),
            launch_arguments: Vec::new(),
            dependencies: Vec::new(),
            account_name: None,
            account_password: None,
        };
        let access = ServiceAccess::START | ServiceAccess::STOP | ServiceAccess::DELETE | ServiceAccess::QUERY_STATUS;
        let service = manager.create_service(&info, access).expect("a service can be made");
        service.start::<&OsStr>(&[]).expect("the probe starts");
        Self { name, service: Some(service) }
    }
}

impl Drop for Alone {
    fn drop(&mut self) {
        let _guard = service_manager();
        // Whether it ended by itself or not, and nobody uses it any more.
        if let Some(service) = self.service.take() {
            let _ = service.stop();
            let _ = service.delete();
        }
    }
}

/// What a check finds in Wine's kernel alone.
#[derive(Debug, PartialEq, Eq)]
enum Found {
    Right,
    Wrong(String),
    HostEnded,
}

fn run(check: &str) -> Found {
    let alone = Alone::start(check);
    let probe = Probe::of_service(&alone.name).expect("the probe has a device");
    match probe.run(check) {
        Ok(Verdict::Right(_)) => Found::Right,
        Ok(Verdict::Wrong(place)) => Found::Wrong(place),
        Err(_) => Found::HostEnded,
    }
}

impl fmt::Display for Found {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Right => formatter.write_str("right"),
            Self::Wrong(place) => write!(formatter, "wrong at {place}"),
            Self::HostEnded => formatter.write_str("the kernel host has ended"),
        }
    }
}

#[test]
#[ignore = "it needs the probe as it was built: `cargo xtask wine` runs it in a kernel of its own"]
fn checks_of_what_the_extension_implements_fail_without_it() {
    let checks = {
        let lists = Alone::start("list");
        Probe::of_service(&lists.name).expect("the probe has a device").checks()
    };
    let checks: Vec<_> = checks.iter().filter(|check| ![NEEDS_INF, NEVER_ENDS].contains(&check.as_str())).collect();
    // Some wait in vain for what never happens, and a kernel host takes its time to end.
    let found: Vec<Found> = thread::scope(|scope| {
        let runs: Vec<_> = checks.iter().map(|check| scope.spawn(|| run(check))).collect();
        runs.into_iter().map(|run| run.join().expect("the check is run")).collect()
    });
    let mut unexpected = Vec::new();
    for (check, found) in checks.into_iter().zip(found) {
        println!("{check}: {found}");
        if (found == Found::Right) != RIGHT.contains(&check.as_str()) {
            unexpected.push(format!("{check}: {found}"));
        }
    }
    assert!(
        unexpected.is_empty(),
        "Wine by itself does what the extension implements, or no longer what it need not: {unexpected:#?}"
    );
}
