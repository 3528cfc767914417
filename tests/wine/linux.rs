//! Linux, on which Wine runs: what happens to a process from outside.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

/// How long it may take until a process that was started is one of Linux'.
const LIMIT: Duration = Duration::from_secs(10);

/// Sends the process that has these arguments a signal, as Linux' `kill` names it.
pub(crate) fn signal(signal: &str, arguments: &[&str]) {
    let id = process_id(arguments);
    let mut kill = Command::new(r"Z:\bin\kill").args([signal, &id]).spawn().expect("Linux' kill can be started");
    // A program of Linux has no handle in Wine: this fails, and it is what becomes of the other process that counts.
    let _ = kill.wait();
}

/// The id that Linux knows the process by which has these arguments, once it has them: its start takes a moment.
fn process_id(arguments: &[&str]) -> String {
    let end: Vec<u8> = arguments.iter().flat_map(|argument| [b"\0", argument.as_bytes()].concat()).collect();
    let is_meant = |process: &PathBuf| {
        let line = fs::read(process.join("cmdline")).unwrap_or_default();
        // Wine leaves zeros behind the arguments.
        let length = line.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        line[..length].ends_with(&end)
    };
    let started = Instant::now();
    loop {
        let processes = fs::read_dir(r"Z:\proc").expect("drive Z is Linux' root").filter_map(Result::ok);
        let found = processes.map(|process| process.path()).find(is_meant);
        if let Some(id) = found.as_deref().and_then(|path| path.file_name()?.to_str()) {
            return id.to_owned();
        }
        assert!(started.elapsed() < LIMIT, "Linux has no process with the arguments {arguments:?}");
    }
}
