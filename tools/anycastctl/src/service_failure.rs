//! Failures of the service control manager and of the INF, in words.

use std::time::Duration;

use netio_anycast_client::protocol::win32::Win32Error;

use crate::codes;
use crate::failure::{Failure, FailureKind};
use crate::platform::{InfError, ServiceState};

const ADMINISTRATOR: &str = "Run anycastctl from a prompt that was opened with \"Run as administrator\"";

/// The service control manager refused.
pub(crate) fn refused(what: &str, win32: Win32Error) -> Failure {
    let (kind, why, advice) = match win32 {
        Win32Error::ACCESS_DENIED => {
            (FailureKind::AccessDenied, "only an administrator may control drivers", ADMINISTRATOR)
        }
        codes::SERVICE_DOES_NOT_EXIST => return not_installed(what).with_win32(win32),
        codes::SERVICE_NOT_ACTIVE => {
            (FailureKind::NoDriver, "the driver is not running", "Start it with `anycastctl start`")
        }
        codes::SERVICE_MARKED_FOR_DELETE => (
            FailureKind::NoDriver,
            "the driver is being uninstalled, and some program still has its service open",
            "Close the Services window and other programs that watch services: it goes with the last of them, or when the \
             system restarts",
        ),
        codes::SERVICE_DISABLED => (
            FailureKind::AccessDenied,
            "an administrator has disabled the driver",
            "Allow it with `sc config netio_anycast start= demand`",
        ),
        codes::INVALID_IMAGE_HASH => (
            FailureKind::AccessDenied,
            "Windows does not trust the signature of the driver's image",
            "Install a driver that is signed for this system; on a test machine allow test signatures with \
             `bcdedit /set testsigning on` and restart",
        ),
        codes::DRIVER_BLOCKED => (
            FailureKind::AccessDenied,
            "a policy of this system keeps the driver from being loaded",
            "Ask whoever administers the code integrity policy to allow it",
        ),
        Win32Error::FILE_NOT_FOUND => (
            FailureKind::NotFound,
            "the driver's image is not where it was installed",
            "Uninstall the driver, then install it again",
        ),
        codes::DLL_INIT_FAILED => (
            FailureKind::Other,
            "the driver's image could not be loaded, or the driver refused to start",
            "Uninstall the driver, then install it again",
        ),
        codes::BAD_EXE_FORMAT => (
            FailureKind::Other,
            "the driver's image is damaged or was built for another processor",
            "Install a driver that was built for this system",
        ),
        _ => (
            FailureKind::Other,
            "the service control manager gave only this code",
            "Look for netio_anycast and its service in the System event log",
        ),
    };
    Failure::new(kind, what, why, advice).with_win32(win32)
}

/// There is no such service.
pub(crate) fn not_installed(what: &str) -> Failure {
    Failure::new(FailureKind::NoDriver, what, "the driver is not installed", "Install it with `anycastctl install`")
}

/// The service did not reach the state that it should within the time it was given.
pub(crate) fn too_slow(what: &str, state: ServiceState, waited: Duration) -> Failure {
    let (state, advice) = match state {
        ServiceState::Stopping => (
            "stopping: some program still uses the driver",
            "End the programs that use the driver; it stops as soon as they have closed its device",
        ),
        ServiceState::Starting => ("starting", "Look at `anycastctl status` in a while"),
        ServiceState::Running => ("running", "Try again; if it happens again, restart the system"),
        ServiceState::Stopped => ("stopped", "Look for netio_anycast in the System event log"),
    };
    let why = format!("after {} s the driver is still {state}", waited.as_secs());
    Failure::new(FailureKind::TimedOut, what, why, advice)
}

/// The INF could not be run.
pub(crate) fn inf(what: &str, error: InfError) -> Failure {
    match error {
        InfError::NotStarted(win32) => Failure::new(
            FailureKind::Other,
            what,
            "rundll32.exe, which runs the INF, could not be started",
            "Check that Windows' system folder has rundll32.exe",
        )
        .with_win32(win32),
        InfError::TimedOut(waited) => Failure::new(
            FailureKind::TimedOut,
            what,
            format!("running the INF took longer than {} s", waited.as_secs()),
            "A file may be missing beside the INF, or a question of Windows may be waiting for an answer on the desktop",
        ),
    }
}
