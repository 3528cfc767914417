//! `install` and `uninstall`: through the INF, which is how Windows installs a driver.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::codes;
use crate::commands::service::{changed, waiting};
use crate::failure::{Failure, FailureKind};
use crate::platform::{InfSection, Platform, ServiceInfo, ServiceState};
use crate::report::service::{ServiceChange, ServiceReport};
use crate::service_failure;

const INF: &str = "netio_anycast.inf";
const IMAGE: &str = "netio_anycast.sys";

/// The file name of the driver's image.
pub(in crate::commands) const fn driver_image() -> &'static str {
    IMAGE
}

/// A service that was just deleted stays for a moment, and no new one of its name can be created meanwhile.
const ATTEMPTS: usize = 5;
const BETWEEN_ATTEMPTS: Duration = Duration::from_secs(1);

pub(in crate::commands) fn install(platform: &dyn Platform, inf: Option<&Path>) -> Result<ServiceReport, Failure> {
    let what = "cannot install the driver";
    let inf = package(platform, inf, what)?;
    platform.service().check_may_install().map_err(|code| service_failure::refused(what, code))?;
    if let Some(service) = waiting::query(platform, what)? {
        let why = format!("it is installed already: {}", service.image);
        return Err(Failure::new(FailureKind::AlreadyExists, what, why, "Uninstall it first, or leave it as it is"));
    }
    let service = run_until_installed(platform, &inf, what)?;
    Ok(changed(ServiceChange::Installed, Some(&service)))
}

/// Runs the INF until there is a service: neither the INF nor what runs it tells whether that went well.
fn run_until_installed(platform: &dyn Platform, inf: &Path, what: &str) -> Result<ServiceInfo, Failure> {
    for attempt in 0..ATTEMPTS {
        if attempt > 0 {
            platform.sleep(BETWEEN_ATTEMPTS);
        }
        run_inf(platform, InfSection::Install, inf, what)?;
        if let Some(service) = waiting::query(platform, what)? {
            return Ok(service);
        }
    }
    Err(Failure::new(
        FailureKind::Other,
        what,
        format!("Windows ran {} and created no service", inf.display()),
        r"Read the end of %SystemRoot%\INF\setupapi.dev.log; most often the package's signature is not trusted",
    ))
}

pub(in crate::commands) fn uninstall(platform: &dyn Platform, inf: Option<&Path>) -> Result<ServiceReport, Failure> {
    let what = "cannot uninstall the driver";
    let inf = match inf {
        Some(_) => Some(package(platform, inf, what)?),
        None => package(platform, None, what).ok(),
    };
    let nothing = || Failure { advice: "There is nothing to do".to_owned(), ..service_failure::not_installed(what) };
    let service = waiting::query(platform, what)?.ok_or_else(nothing)?;
    if service.state != ServiceState::Stopped {
        super::stop(platform)?;
    }
    if let Some(inf) = &inf {
        run_inf(platform, InfSection::Uninstall, inf, what)?;
    }
    if waiting::query(platform, what)?.is_some() {
        delete(platform, what)?;
    }
    let package_left = inf.is_none();
    Ok(ServiceReport { done: ServiceChange::Uninstalled, image: Some(service.image), package_left })
}

/// Deletes the service itself: the INF was not given, or left the service there.
fn delete(platform: &dyn Platform, what: &str) -> Result<(), Failure> {
    match platform.service().delete() {
        Ok(()) | Err(codes::SERVICE_MARKED_FOR_DELETE | codes::SERVICE_DOES_NOT_EXIST) => {}
        Err(code) => return Err(service_failure::refused(what, code)),
    }
    if waiting::until_gone(platform, what)? {
        return Ok(());
    }
    let failure = service_failure::refused(what, codes::SERVICE_MARKED_FOR_DELETE);
    Err(Failure { kind: FailureKind::TimedOut, ..failure })
}

fn run_inf(platform: &dyn Platform, section: InfSection, inf: &Path, what: &str) -> Result<(), Failure> {
    platform.run_inf_section(section, inf).map_err(|error| service_failure::inf(what, error))
}

/// The INF, provided that the image is beside it: what runs the INF waits without end for a file that is missing.
fn package(platform: &dyn Platform, inf: Option<&Path>, what: &str) -> Result<PathBuf, Failure> {
    let inf = match (inf, platform.program_folder()) {
        (Some(inf), _) => inf.to_owned(),
        (None, Some(folder)) => folder.join(INF),
        (None, None) => PathBuf::from(INF),
    };
    let image = inf.with_file_name(IMAGE);
    for file in [&inf, &image] {
        if !platform.is_file(file) {
            return Err(Failure::new(
                FailureKind::NotFound,
                what,
                format!("there is no file {}", file.display()),
                "Give the INF of the driver package with --inf; the other files of the package belong beside it",
            ));
        }
    }
    Ok(inf)
}
