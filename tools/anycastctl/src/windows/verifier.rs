//! Driver Verifier's settings.

use netio_anycast_client::protocol::win32::Win32Error;
use windows_registry::LOCAL_MACHINE;

use crate::platform::Verifier;

/// Where Windows keeps them. Values that nobody has set are not there.
///
/// Source: <https://learn.microsoft.com/troubleshoot/windows-server/performance/use-driver-verifier-to-identify-issues>
const KEY: &str = r"SYSTEM\CurrentControlSet\Control\Session Manager\Memory Management";

/// What is set for the next start of the system, and since the last one unless it was changed meanwhile.
pub(super) fn settings() -> Result<Option<Verifier>, Win32Error> {
    let key = LOCAL_MACHINE.open(KEY).map_err(|error| code(error.code().0))?;
    let drivers = match key.get_string("VerifyDrivers").map_err(|error| code(error.code().0)) {
        Ok(drivers) => drivers,
        Err(Win32Error::FILE_NOT_FOUND) => return Ok(None),
        Err(code) => return Err(code),
    };
    // Without a level Windows takes its default.
    Ok(Some(Verifier { drivers, level: key.get_u32("VerifyDriverLevel").unwrap_or_default() }))
}

/// The Win32 code, which is the low half of the HRESULT that it was made into.
const fn code(hresult: i32) -> Win32Error {
    Win32Error(hresult.cast_unsigned() & 0xFFFF)
}
