//! The worker: runs drivers in its own process, which they may ruin, and tells of everything at once.

use std::collections::{BTreeSet, HashSet};
use std::io::{self, BufRead as _, Write as _};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result};
use kernel_sim::{Caller, DesiredAccess, Handle, Image, Kernel, LoadError, Observer, Options, Rule};

use crate::codes;
use crate::message::{Call, End, Finding, Message, Task, Work};

/// What is sent with each control code: bytes of input, what they all are, and bytes of output.
const BUFFERS: [(usize, u8, usize); 6] =
    [(0, 0, 0), (0, 0, 256), (4, 0xFF, 4), (64, 0, 64), (512, 0x01, 16), (4096, 0xA5, 4096)];

/// Does the tasks that standard input has. Ends with it, whatever a driver is doing: a judge that is killed leaves nobody behind.
///
/// # Errors
/// A task can't be understood.
pub(crate) fn serve() -> Result<()> {
    let (sender, tasks) = mpsc::channel();
    thread::spawn(move || {
        for line in io::stdin().lock().lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
        std::process::exit(0);
    });
    for line in tasks {
        match serde_json::from_str(&line).context("reading a task")? {
            Task::Judge { image, codes, limit } => tell(&Message::Ended(run(&image, codes, limit))),
            Task::Name { image, offset } => {
                let image = Image::read(&image);
                // The call ends where it returns to.
                tell(&Message::Symbol(image.ok().and_then(|image| image.symbol(offset.saturating_sub(1)))));
            }
        }
    }
    Ok(())
}

/// Tells the judge. If nobody listens any more there is nothing left to do.
fn tell(message: &Message) {
    let mut line = serde_json::to_string(message).expect("messages have no maps with keys that JSON has not");
    line.push('\n');
    if io::stdout().lock().write_all(line.as_bytes()).is_err() {
        std::process::exit(1);
    }
}

fn begin(what: impl Into<String>) {
    tell(&Message::Begins(what.into()));
}

/// Loads the driver, opens its devices, sends them device controls, closes and unloads.
fn run(path: &Path, wanted: Vec<u32>, limit: Duration) -> End {
    begin("its image was read");
    let (image, kernel, calls) = match prepare(path, limit) {
        Ok(prepared) => prepared,
        Err(reason) => return End::NotLoaded(reason),
    };
    begin("it was loaded");
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    let loaded = kernel.load(&image, &name);
    let mut session = Session { kernel, told: HashSet::new(), work: Work::default() };
    session.tell_findings();
    let driver = match loaded {
        Ok(driver) => driver,
        Err(LoadError::Image(error)) => return End::NotLoaded(error.to_string()),
        Err(LoadError::DriverEntry(status)) => return End::Refused(status.to_string()),
        Err(_) => return End::Stopped,
    };
    let codes = codes::of(&image, wanted);
    for device in session.kernel.devices() {
        session.visit(&device, &codes);
    }
    begin("it was unloaded");
    let is_unloaded = driver.unload();
    session.tell_findings();
    if session.kernel.has_stopped() {
        return End::Stopped;
    }
    End::Whole(Work { calls: calls.load(Ordering::Relaxed), is_unloaded, ..session.work })
}

/// The image, a kernel that tells of every call, and the number of calls so far.
fn prepare(path: &Path, limit: Duration) -> Result<(Image, Kernel, Arc<AtomicUsize>), String> {
    let image = Image::read(path).map_err(|error| error.to_string())?;
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let observer = Observer::new(move |service, place| {
        counted.fetch_add(1, Ordering::Relaxed);
        let place = place.map(|frame| (frame.driver.clone(), frame.offset));
        tell(&Message::Calls(Call { service: service.to_owned(), place }));
    });
    let options = Options { time_limit: limit, observer: Some(observer), ..Options::default() };
    let kernel = Kernel::new(options).map_err(|error| format!("there is no memory for a simulated kernel: {error}"))?;
    Ok((image, kernel, calls))
}

/// A kernel with the driver in it, and what was told of it.
struct Session {
    kernel: Kernel,
    /// What was broken where, for a driver that breaks a rule once does so each time.
    told: HashSet<(Rule, Vec<usize>)>,
    work: Work,
}

impl Session {
    /// Tells what is new. Returns whether more can be asked of the driver: not if it has crashed, nor if every request would take
    /// as long as one may.
    fn tell_findings(&mut self) -> bool {
        let mut goes_on = !self.kernel.has_stopped();
        for violation in self.kernel.violations() {
            goes_on &= !matches!(violation.rule, Rule::IrpLost | Rule::TimeLimit | Rule::WaitForever);
            let place = violation.stack.iter().map(|frame| frame.offset).collect();
            if self.told.insert((violation.rule, place)) {
                tell(&Message::Breaks(Finding::from(&violation)));
            }
        }
        goes_on
    }

    /// Opens a device, sends it every code with every buffer, and closes it.
    fn visit(&mut self, device: &str, codes: &BTreeSet<u32>) {
        if self.kernel.has_stopped() {
            return;
        }
        begin(format!("{device} was opened"));
        let handle = match self.kernel.open(device, &Caller::administrator(), DesiredAccess::READ_WRITE) {
            Ok(handle) => handle,
            Err(status) => {
                self.work.closed.push(format!("{device} ({status})"));
                self.tell_findings();
                return;
            }
        };
        self.work.devices += 1;
        for (code, buffers) in codes.iter().flat_map(|code| BUFFERS.map(|buffers| (*code, buffers))) {
            if !self.tell_findings() {
                break;
            }
            self.control(device, &handle, code, buffers);
        }
        begin(format!("{device} was closed"));
        handle.close();
        // What the requests have set off comes to its end before the next device is opened.
        self.kernel.advance(Duration::ZERO);
        self.tell_findings();
    }

    fn control(&mut self, device: &str, handle: &Handle, code: u32, (input, byte, output): (usize, u8, usize)) {
        begin(format!("{device} was sent control code {code:#010x} with {input} bytes of input and room for {output}"));
        self.work.requests += 1;
        let request = handle.start(code, &vec![byte; input], output);
        // A driver may keep it as long as it likes, but for this.
        request.cancel();
        drop(request);
    }
}
