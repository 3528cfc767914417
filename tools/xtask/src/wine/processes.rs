//! The processes of a Wine prefix, found by their environment.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

/// How often it is looked whether processes are gone. They are no children of this one, which is why it can't wait for them.
const INTERVAL: Duration = Duration::from_millis(20);

/// Ends every process of the prefix, and waits until they are gone.
///
/// # Errors
/// Some are still there after the limit, which are named.
pub(crate) fn end_all(prefix: &Path, limit: Duration) -> Result<()> {
    // Ending the server ends its clients. It fails if no server runs, which is as good.
    let _ = Command::new("wineserver")
        .arg("-k")
        .env("WINEPREFIX", prefix)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    let started = Instant::now();
    let mut remaining = of_prefix(prefix);
    let mut killed = false;
    while !remaining.is_empty() && started.elapsed() < limit {
        if !killed && started.elapsed() > limit / 2 {
            kill(&remaining);
            killed = true;
        }
        sleep(INTERVAL);
        remaining = of_prefix(prefix);
    }
    ensure!(
        remaining.is_empty(),
        "these Wine processes of {} do not end: {remaining:?}; end them by hand (kill -9)",
        prefix.display()
    );
    Ok(())
}

/// The ids of Wine's processes that were started with this prefix. Others, such as a shell, may have it in their environment.
fn of_prefix(prefix: &Path) -> Vec<u32> {
    let mut wanted = b"WINEPREFIX=".to_vec();
    wanted.extend_from_slice(prefix.as_os_str().as_encoded_bytes());
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let ids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    ids.filter(|id| is_wine(*id) && has_variable(*id, &wanted)).collect()
}

/// Whether a process runs one of Wine's own programs: wineserver64, wine64-preloader and the like.
fn is_wine(id: u32) -> bool {
    let program = fs::read_link(format!("/proc/{id}/exe")).unwrap_or_default();
    program.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"wine"))
}

/// Whether a process has this in its environment. A process that is gone, or a zombie, has nothing.
fn has_variable(id: u32, variable: &[u8]) -> bool {
    fs::read(format!("/proc/{id}/environ"))
        .is_ok_and(|environment| environment.split(|byte| *byte == 0).any(|entry| entry == variable))
}

fn kill(ids: &[u32]) {
    // Those that have gone meanwhile make it fail for the rest no less killed.
    let _ = Command::new("kill").arg("-9").args(ids.iter().map(u32::to_string)).stderr(Stdio::null()).status();
}
