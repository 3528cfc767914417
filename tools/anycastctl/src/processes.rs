//! Programs that run beside this one. The same on every system that Rust's standard library knows.

use std::ffi::OsString;
use std::io;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use process_wrap::std::{ChildWrapper, CommandWrap};

use crate::event::{CheckResult, Event, HealthCheck};

/// How often is looked whether a health check has ended: neither Rust nor the crate can wait for a while only.
const LOOK: Duration = Duration::from_millis(20);
/// How long the end of a check that was killed may take. What takes longer is left alone.
const END_OF_THE_KILLED: Duration = Duration::from_secs(1);

/// Starts a program in this one's console, and has its end told.
///
/// It gets Ctrl+C as this program does: the console sends it to both.
/// Source: <https://learn.microsoft.com/windows/console/ctrl-c-and-ctrl-break-signals>
///
/// # Errors
/// It can't be started.
pub fn start(command: &[OsString], events: Sender<Event>) -> io::Result<()> {
    let [program, arguments @ ..] = command else {
        return Err(io::ErrorKind::NotFound.into());
    };
    let mut child = Command::new(program).args(arguments).spawn()?;
    thread::Builder::new().name("wait for the program".to_owned()).spawn(move || {
        let ended = Event::Ended(child.wait().map_or(FAILURE, exit_code));
        // Nobody listens any more if this program is ending itself.
        let _ = events.send(ended);
    })?;
    Ok(())
}

/// What stands for an exit code where the system has none.
const FAILURE: i32 = 1;

fn exit_code(status: ExitStatus) -> i32 {
    status.code().unwrap_or(FAILURE)
}

/// A health check that is run again and again until this is dropped.
#[derive(Debug)]
pub struct HealthMonitor {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl HealthMonitor {
    /// Runs the check for the first time at once, and has each result told.
    ///
    /// # Errors
    /// No thread can be started.
    pub fn start(check: HealthCheck, events: Sender<Event>) -> io::Result<Self> {
        let (stop, stopped) = mpsc::channel();
        let monitor = move || while run_and_wait(&check, &events, &stopped) {};
        let thread = thread::Builder::new().name("check the health".to_owned()).spawn(monitor)?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for HealthMonitor {
    fn drop(&mut self) {
        // The thread sees that the channel is closed, and ends the check that it may be running.
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has nothing more to tell.
            let _ = thread.join();
        }
    }
}

/// Runs the check once, waits until the next run is due, and tells whether there is to be one.
fn run_and_wait(check: &HealthCheck, events: &Sender<Event>, stopped: &Receiver<()>) -> bool {
    let start = Instant::now();
    let result = match run(check, start, stopped) {
        Ok(Some(result)) => result,
        Ok(None) => return false,
        Err(error) => CheckResult::NotRun(error.to_string()),
    };
    let rest = || check.interval.saturating_sub(start.elapsed());
    events.send(Event::Checked(result)).is_ok() && stopped.recv_timeout(rest()) == Err(RecvTimeoutError::Timeout)
}

/// Runs the check once; `None` if it is to stop meanwhile.
fn run(check: &HealthCheck, start: Instant, stopped: &Receiver<()>) -> io::Result<Option<CheckResult>> {
    let mut child = spawn(&check.command)?;
    let result = loop {
        if let Some(status) = child.try_wait()? {
            break Some(if status.success() { CheckResult::Passed } else { CheckResult::Failed(exit_code(status)) });
        }
        if start.elapsed() >= check.interval {
            break Some(CheckResult::TimedOut(check.interval));
        }
        if stopped.recv_timeout(LOOK) != Err(RecvTimeoutError::Timeout) {
            break None;
        }
    };
    end(&mut *child);
    Ok(result)
}

/// Ends what the check has started and left, too. There may be nothing to end.
fn end(child: &mut dyn ChildWrapper) {
    let _ = child.start_kill();
    let start = Instant::now();
    while matches!(child.try_wait(), Ok(None)) && start.elapsed() < END_OF_THE_KILLED {
        thread::sleep(LOOK);
    }
}

/// Gives the line to the command interpreter, in a group of processes that can be ended together.
fn spawn(line: &str) -> io::Result<Box<dyn ChildWrapper>> {
    let mut command = interpreter(line);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut group = CommandWrap::from(command);
    #[cfg(windows)]
    group.wrap(process_wrap::std::JobObject);
    #[cfg(unix)]
    group.wrap(process_wrap::std::ProcessGroup::leader());
    group.spawn()
}

#[cfg(windows)]
fn interpreter(line: &str) -> Command {
    use std::os::windows::process::CommandExt;

    // The system's own, whatever the current folder or the path variable has under that name.
    let mut command = Command::new(crate::windows::system_folder().join("System32").join("cmd.exe"));
    // With /S it takes the quotation marks around the line away, and none that are in it.
    command.args(["/D", "/S", "/C"]).raw_arg(format!("\"{line}\""));
    command
}

#[cfg(not(windows))]
fn interpreter(line: &str) -> Command {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", line]);
    command
}
