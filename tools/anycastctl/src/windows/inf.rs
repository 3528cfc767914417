//! Running a section of the driver's INF.

use std::ffi::OsString;
use std::os::windows::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use netio_anycast_client::protocol::win32::Win32Error;

use crate::platform::{InfError, InfSection};

/// What the sections of the INF are decorated with.
#[cfg(target_arch = "x86_64")]
const ARCHITECTURE: &str = "NTamd64";
#[cfg(target_arch = "aarch64")]
const ARCHITECTURE: &str = "NTarm64";

/// 128: files are copied from the folder of the INF. Nothing added to it: never restart.
/// Source: <https://learn.microsoft.com/windows/win32/api/setupapi/nf-setupapi-installhinfsectionw>
const MODE: &str = "128";

/// Where nobody answers a question, Windows would wait for the answer without end.
const PATIENCE: Duration = Duration::from_mins(2);
const INTERVAL: Duration = Duration::from_millis(50);

/// Runs a section of the INF by InstallHinfSection.
///
/// Given an architecture-decorated section of a primitive driver's INF, Windows 10 version 1903 and later pass the INF to
/// DiInstallDriver or DiUninstallDriver, which keep the package in the driver store; Wine runs the section itself. Earlier
/// versions of Windows are not served: the INF names the driver store folder, which they give to no such section.
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/develop/creating-a-primitive-driver#legacy-compatibility>
pub(super) fn run_section(section: InfSection, inf: &Path) -> Result<(), InfError> {
    let section = match section {
        InfSection::Install => "DefaultInstall",
        InfSection::Uninstall => "DefaultUninstall",
    };
    // Setup looks for a relative path in Windows' own INF folder.
    let inf = std::path::absolute(inf).map_err(|error| not_started(&error))?;
    let mut arguments = OsString::from(format!("setupapi.dll,InstallHinfSection {section}.{ARCHITECTURE} {MODE} "));
    // The rest of the line is the path, blanks included; quotation marks would be taken for a part of it.
    arguments.push(inf);
    let mut child = Command::new(rundll32()).raw_arg(arguments).spawn().map_err(|error| not_started(&error))?;
    wait(&mut child)
}

/// The system's own, whatever the current folder or the path variable has under that name.
fn rundll32() -> PathBuf {
    super::system_folder().join("System32").join("rundll32.exe")
}

/// Waits for the end. The exit code says nothing.
fn wait(child: &mut Child) -> Result<(), InfError> {
    let start = Instant::now();
    while start.elapsed() < PATIENCE {
        match child.try_wait() {
            Ok(Some(_)) => return Ok(()),
            Ok(None) => std::thread::sleep(INTERVAL),
            Err(error) => return Err(not_started(&error)),
        }
    }
    // It may have ended just now, and then there is nothing to kill.
    let _ = child.kill();
    let _ = child.wait();
    Err(InfError::TimedOut(PATIENCE))
}

fn not_started(error: &std::io::Error) -> InfError {
    InfError::NotStarted(error.raw_os_error().map_or(Win32Error::GEN_FAILURE, |code| Win32Error(code.cast_unsigned())))
}
