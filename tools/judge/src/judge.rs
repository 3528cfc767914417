//! The judge: has a worker run the drivers, listens to it, and ends it when its time is over.

use std::io::{self, BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

use crate::command_line::WORKER;
use crate::message::{Call, End, Finding, Message, Task};
use crate::verdict::{Last, Report, Verdict};

/// How many lines of a worker wait to be heard, before it has to wait itself.
const UNHEARD: usize = 256;
/// How much of what a worker complains of is kept.
const MOST_COMPLAINTS: usize = 20;

/// Judges images, with one worker as long as it has run no driver.
pub(crate) struct Judge {
    program: PathBuf,
    limit: Duration,
    call_limit: Duration,
    codes: Vec<u32>,
    worker: Option<Worker>,
}

impl Judge {
    /// Gives each image so much time, each call of its driver so much, and its devices these control codes besides others.
    ///
    /// # Errors
    /// This program, which is the worker's too, can't be found.
    pub(crate) fn new(limit: Duration, call_limit: Duration, codes: Vec<u32>) -> Result<Self> {
        let program = std::env::current_exe().context("finding this program")?;
        Ok(Self { program, limit, call_limit, codes, worker: None })
    }

    /// Runs a driver, whatever it does.
    ///
    /// # Errors
    /// No worker can be started.
    pub(crate) fn judge(&mut self, image: &Path) -> Result<Report> {
        let task = Task::Judge { image: image.to_owned(), codes: self.codes.clone(), limit: self.call_limit };
        let mut heard = Heard::default();
        let ending = self.converse(&task, |line| heard.take(line))?;
        if !matches!(heard.end, Some(End::NotLoaded(_))) {
            // What has run a driver is not what it was.
            self.worker = None;
        }
        let verdict = match ending {
            Ending::Answered => Verdict::of(heard.end, &heard.findings),
            Ending::Ended(status) => {
                let how = status.to_string();
                Verdict::EndsWorker { how, last: self.last(image, &heard)?, complaints: heard.complaints }
            }
            Ending::TimedOut => {
                let seconds = self.limit.as_secs_f64();
                Verdict::Hangs { seconds, last: self.last(image, &heard)?, complaints: heard.complaints }
            }
        };
        Ok(Report { image: image.to_owned(), verdict, findings: heard.findings })
    }

    /// What the worker was last heard of, with the name of the place.
    fn last(&mut self, image: &Path, heard: &Heard) -> Result<Last> {
        let Some(Call { service, place }) = heard.call.clone() else {
            return Ok(Last { step: heard.step.clone(), service: None, place: None });
        };
        let mut symbol = None;
        if let Some((_, offset)) = place {
            // Not here: the PDB may be damaged, too.
            let task = Task::Name { image: image.to_owned(), offset };
            self.converse(&task, |line| match serde_json::from_str(line) {
                Ok(Message::Symbol(found)) => {
                    symbol = found;
                    true
                }
                _ => false,
            })?;
        }
        let place = place.map(|(driver, offset)| match symbol {
            Some(symbol) => format!("{driver}+{offset:#x} {symbol}"),
            None => format!("{driver}+{offset:#x}"),
        });
        Ok(Last { step: heard.step.clone(), service: Some(service), place })
    }

    /// Gives a worker a task, and `hear` every line that it writes, until that returns true.
    fn converse(&mut self, task: &Task, mut hear: impl FnMut(&str) -> bool) -> Result<Ending> {
        let mut worker = match self.worker.take() {
            Some(worker) => worker,
            None => Worker::start(&self.program).context("starting a worker")?,
        };
        let deadline = Instant::now() + self.limit;
        // If it can't be told it has ended, which it is going to be heard of.
        let _ = worker.give(task);
        loop {
            // Asked each time: there may always be another line.
            let Some(left) = deadline.checked_duration_since(Instant::now()) else { return Ok(Ending::TimedOut) };
            match worker.lines.recv_timeout(left) {
                Ok(line) if hear(&line) => {
                    self.worker = Some(worker);
                    return Ok(Ending::Answered);
                }
                Ok(_) => {}
                Err(RecvTimeoutError::Timeout) => return Ok(Ending::TimedOut),
                Err(RecvTimeoutError::Disconnected) => return Ok(Ending::Ended(worker.end()?)),
            }
        }
    }
}

/// How a conversation has ended.
enum Ending {
    /// With an answer.
    Answered,
    /// With the worker's end.
    Ended(ExitStatus),
    /// Not at all.
    TimedOut,
}

/// What was heard of a worker.
#[derive(Default)]
struct Heard {
    step: String,
    call: Option<Call>,
    findings: Vec<Finding>,
    end: Option<End>,
    /// What is no message: what a panic says.
    complaints: Vec<String>,
}

impl Heard {
    /// Takes a line in. Returns whether it was the last.
    fn take(&mut self, line: &str) -> bool {
        match serde_json::from_str(line) {
            Ok(Message::Begins(step)) => self.step = step,
            Ok(Message::Calls(call)) => self.call = Some(call),
            Ok(Message::Breaks(finding)) => self.findings.push(finding),
            Ok(Message::Ended(end)) => {
                self.end = Some(end);
                return true;
            }
            Err(_) if self.complaints.len() < MOST_COMPLAINTS => self.complaints.push(line.to_owned()),
            Ok(Message::Symbol(_)) | Err(_) => {}
        }
        false
    }
}

/// A process that runs drivers. It is killed when dropped.
struct Worker {
    process: Child,
    tasks: ChildStdin,
    /// What it writes, errors included, until it can write no more.
    lines: Receiver<String>,
}

impl Worker {
    fn start(program: &Path) -> io::Result<Self> {
        let (reader, writer) = io::pipe()?;
        let mut command = Command::new(program);
        command.arg(WORKER).stdin(Stdio::piped()).stdout(writer.try_clone()?).stderr(writer);
        let mut process = command.spawn()?;
        // It has the ends of the pipe that are written to: with the command they go here.
        drop(command);
        let tasks = process.stdin.take().ok_or(io::ErrorKind::BrokenPipe)?;
        let (sender, lines) = mpsc::sync_channel(UNHEARD);
        thread::spawn(move || {
            for line in BufReader::new(reader).split(b'\n').map_while(Result::ok) {
                if sender.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                    break;
                }
            }
        });
        Ok(Self { process, tasks, lines })
    }

    fn give(&mut self, task: &Task) -> io::Result<()> {
        let mut line = serde_json::to_string(task)?;
        line.push('\n');
        self.tasks.write_all(line.as_bytes())
    }

    /// How it has ended. One that can write no more, and has not ended, is killed.
    fn end(&mut self) -> io::Result<ExitStatus> {
        self.process.kill()?;
        self.process.wait()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // It may be gone; then there is nothing to do.
        let _ = self.end();
    }
}
