//! Processes, as the system knows them.

use std::ffi::OsString;
use std::os::windows::ffi::OsStringExt;
use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};
use std::path::PathBuf;

use windows_sys::Win32::System::Threading::{
    OpenProcess, PROCESS_NAME_WIN32, PROCESS_QUERY_LIMITED_INFORMATION, QueryFullProcessImageNameW,
};

/// The longest path that Windows has, in UTF-16 units.
const LONGEST_PATH: usize = 32_768;

/// The path of the image that a process runs, or `None` if there is no such process or the caller may not know: whose lease it
/// is that [`LeaseEntry::process_id`](crate::LeaseEntry::process_id) tells of.
///
/// The system uses the ids of ended processes again, and a lease that is shared outlasts the process which created it.
#[must_use]
pub fn process_image(process_id: u32) -> Option<PathBuf> {
    // SAFETY: it takes numbers only.
    // https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-openprocess
    let process = unsafe { OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, 0, process_id) };
    if process.is_null() {
        return None;
    }
    // SAFETY: it was just opened and belongs to nobody else.
    let process = unsafe { OwnedHandle::from_raw_handle(process) };
    let mut path = vec![0_u16; LONGEST_PATH];
    let mut length = u32::try_from(path.len()).ok()?;
    // SAFETY: the handle is open, and `path` has the length that is given.
    // https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-queryfullprocessimagenamew
    let done = unsafe {
        QueryFullProcessImageNameW(process.as_raw_handle(), PROCESS_NAME_WIN32, path.as_mut_ptr(), &raw mut length)
    };
    let path = path.get(..usize::try_from(length).ok()?)?;
    (done != 0).then(|| OsString::from_wide(path).into())
}
