//! Programs that run beside anycastctl, and health checks, with the real command interpreter of a Unix host.

#![cfg(unix)]

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use anycastctl::event::{CheckResult, Event, HealthCheck};
use anycastctl::processes::{self, HealthMonitor};

/// Longer than anything takes here that happens at all.
const FOREVER: Duration = Duration::from_mins(1);
const SHORT: Duration = Duration::from_millis(50);

fn next(events: &Receiver<Event>) -> Event {
    events.recv_timeout(FOREVER).expect("something happens")
}

fn start(command: &[&str]) -> io::Result<Event> {
    let (sender, events) = mpsc::channel();
    let command: Vec<OsString> = command.iter().map(OsString::from).collect();
    processes::start(&command, sender)?;
    Ok(next(&events))
}

fn monitor(command: &str, interval: Duration) -> (HealthMonitor, Receiver<Event>) {
    let (sender, events) = mpsc::channel();
    let check = HealthCheck { command: command.to_owned(), interval };
    (HealthMonitor::start(check, sender).expect("there is room for a thread"), events)
}

/// A file that does not exist yet.
fn file(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
    let _ = std::fs::remove_file(&path);
    path
}

/// Waits until the file has a line, which a process writes.
fn line(path: &Path) -> String {
    let start = Instant::now();
    loop {
        match std::fs::read_to_string(path) {
            Ok(text) if text.ends_with('\n') => return text.trim().to_owned(),
            _ => assert!(start.elapsed() < FOREVER, "nobody writes {}", path.display()),
        }
        std::thread::yield_now();
    }
}

/// Waits until a process has ended.
fn ends(process_id: &str) {
    let start = Instant::now();
    let status = PathBuf::from("/proc").join(process_id).join("stat");
    while std::fs::read_to_string(&status).is_ok_and(|status| !status.contains(") Z ")) {
        assert!(start.elapsed() < FOREVER, "process {process_id} runs still");
        std::thread::yield_now();
    }
}

#[test]
fn a_programs_exit_code_is_told() -> io::Result<()> {
    assert_eq!(start(&["/bin/sh", "-c", "exit 3"])?, Event::Ended(3));
    assert_eq!(start(&["/bin/sh", "-c", "test \"$0\" = 'two words'", "two words"])?, Event::Ended(0));
    Ok(())
}

#[test]
fn a_program_that_does_not_exist_is_not_found() {
    assert_eq!(start(&["/no/such/program"]).unwrap_err().kind(), io::ErrorKind::NotFound);
    assert_eq!(start(&[]).unwrap_err().kind(), io::ErrorKind::NotFound);
}

#[test]
fn a_check_runs_again_and_again() {
    let count = file("again");
    // It passes the second time.
    let command = format!("test -e {path} || {{ touch {path}; exit 7; }}", path = count.display());
    let (_monitor, events) = monitor(&command, SHORT);
    assert_eq!(next(&events), Event::Checked(CheckResult::Failed(7)));
    assert_eq!(next(&events), Event::Checked(CheckResult::Passed));
    assert_eq!(next(&events), Event::Checked(CheckResult::Passed));
}

#[test]
fn a_check_that_takes_too_long_is_ended_with_what_it_started() {
    let path = file("hangs");
    let command = format!("sleep 1000 & echo $! > {}; wait", path.display());
    let (_monitor, events) = monitor(&command, Duration::from_millis(500));
    let process_id = line(&path);
    assert_eq!(next(&events), Event::Checked(CheckResult::TimedOut(Duration::from_millis(500))));
    ends(&process_id);
}

#[test]
fn what_a_check_leaves_running_is_ended() {
    let path = file("leaves");
    let command = format!("sleep 1000 & echo $! > {}", path.display());
    let (_monitor, events) = monitor(&command, FOREVER);
    assert_eq!(next(&events), Event::Checked(CheckResult::Passed));
    ends(&line(&path));
}

#[test]
fn the_end_of_the_monitor_ends_the_check() {
    let path = file("ends");
    let (monitor, events) = monitor(&format!("echo $$ > {}; sleep 1000", path.display()), FOREVER);
    let process_id = line(&path);
    drop(monitor);
    ends(&process_id);
    assert!(events.recv_timeout(FOREVER).is_err(), "a check that was broken off has no result");
}
