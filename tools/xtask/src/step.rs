//! Named steps with progress on the terminal, and a log file each.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use indicatif::{ProgressBar, ProgressStyle};

/// The lines of a failed step's log that are shown on the terminal.
const SHOWN_LOG_LINES: usize = 40;

/// A sequence of steps, each of which shows that it runs and how it ended.
pub(crate) struct Steps {
    logs: PathBuf,
    started: Instant,
    number: usize,
}

impl Steps {
    /// Steps whose logs lie in `target/logs/NAME` below `root`; those of an earlier run are removed.
    ///
    /// # Errors
    /// The folder can't be made.
    pub(crate) fn new(root: &Path, name: &str) -> Result<Self> {
        Ok(Self { logs: empty_log_directory(root, name)?, started: Instant::now(), number: 0 })
    }

    /// Runs one step. Its commands write to the log that it is given.
    ///
    /// # Errors
    /// The step's own, with its name and its log's path and end.
    pub(crate) fn run<T>(&mut self, name: &str, step: impl FnOnce(&Log) -> Result<T>) -> Result<T> {
        self.number += 1;
        let log = Log::create(self.logs.join(format!("{:02}-{}.log", self.number, file_name(name))))?;
        let bar = spinner(name);
        let started = Instant::now();
        let result = step(&log);
        bar.finish_and_clear();
        let seconds = started.elapsed().as_secs_f64();
        match result {
            Ok(value) => {
                println!("  ok   {name} ({seconds:.1} s)");
                Ok(value)
            }
            Err(error) => {
                println!("  FAIL {name} ({seconds:.1} s)");
                Err(error.context(format!(
                    "step \"{name}\" failed; its full log is {}\n{}",
                    log.path.display(),
                    log.end()
                )))
            }
        }
    }

    /// How long the steps took in all so far.
    pub(crate) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// The log of the step that was run last.
    ///
    /// # Errors
    /// It can't be read.
    pub(crate) fn last_log(&self) -> Result<String> {
        Ok(self.logs()?.pop().unwrap_or_default())
    }

    /// The logs of all steps so far, in their order.
    ///
    /// # Errors
    /// A log can't be read.
    pub(crate) fn logs(&self) -> Result<Vec<String>> {
        let mut paths: Vec<PathBuf> =
            fs::read_dir(&self.logs)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
        paths.sort();
        paths.iter().map(|path| Ok(String::from_utf8_lossy(&fs::read(path)?).into_owned())).collect()
    }
}

/// The log file of one step.
pub(crate) struct Log {
    path: PathBuf,
}

impl Log {
    fn create(path: PathBuf) -> Result<Self> {
        File::create(&path).with_context(|| format!("creating {}", path.display()))?;
        Ok(Self { path })
    }

    /// Runs a command with its output going to the log.
    ///
    /// # Errors
    /// The command can't be started, or it ends with anything but 0.
    pub(crate) fn run(&self, command: &mut Command) -> Result<()> {
        let log = self.open()?;
        self.execute(command.stdout(log)).map(drop)
    }

    /// Runs a command and returns what it wrote to standard output; its standard error goes to the log.
    ///
    /// # Errors
    /// The command can't be started, or it ends with anything but 0.
    pub(crate) fn output(&self, command: &mut Command) -> Result<Vec<u8>> {
        self.execute(command.stdout(Stdio::piped()))
    }

    fn execute(&self, command: &mut Command) -> Result<Vec<u8>> {
        let shown = show(command);
        self.append(&format!("$ {shown}\n"))?;
        let child = command.stdin(Stdio::null()).stderr(self.open()?).spawn();
        let output = child.and_then(Child::wait_with_output).with_context(|| format!("starting `{shown}`"))?;
        if !output.status.success() {
            bail!("`{shown}` ended with {}", output.status);
        }
        Ok(output.stdout)
    }

    /// Adds text to the log.
    ///
    /// # Errors
    /// The log can't be written.
    pub(crate) fn append(&self, text: &str) -> Result<()> {
        use std::io::Write as _;
        self.open()?.write_all(text.as_bytes()).with_context(|| format!("writing {}", self.path.display()))
    }

    /// The log, to be handed to a child process.
    ///
    /// # Errors
    /// The log can't be opened.
    pub(crate) fn open(&self) -> Result<File> {
        File::options().append(true).open(&self.path).with_context(|| format!("opening {}", self.path.display()))
    }

    fn end(&self) -> String {
        let text = fs::read(&self.path).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().collect();
        let shown = &lines[lines.len().saturating_sub(SHOWN_LOG_LINES)..];
        shown.iter().flat_map(|line| ["    | ", line, "\n"]).collect()
    }
}

/// The directory `target/logs/NAME` below `root`, without the logs of an earlier run.
///
/// # Errors
/// It can't be emptied or made.
pub(crate) fn empty_log_directory(root: &Path, name: &str) -> Result<PathBuf> {
    let logs = root.join("target/logs").join(name);
    if logs.exists() {
        fs::remove_dir_all(&logs).with_context(|| format!("removing the old logs in {}", logs.display()))?;
    }
    fs::create_dir_all(&logs).with_context(|| format!("creating {}", logs.display()))?;
    Ok(logs)
}

/// The command as a person would type it.
fn show(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
}

/// What a step's name becomes in a file name.
fn file_name(name: &str) -> String {
    let name: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).collect();
    name.split('-').filter(|word| !word.is_empty()).collect::<Vec<_>>().join("-")
}

/// A spinner with the step's name and time. On anything but a terminal the name is printed once instead.
fn spinner(name: &str) -> ProgressBar {
    let bar = ProgressBar::new_spinner();
    if bar.is_hidden() {
        println!("  ..   {name}");
        return bar;
    }
    let style = ProgressStyle::with_template("  {spinner}    {msg} ({elapsed})").expect("the template is valid");
    bar.set_style(style);
    bar.set_message(name.to_owned());
    bar.enable_steady_tick(Duration::from_millis(120));
    bar
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_step_says_which_why_and_where_its_log_is() {
        let root = std::env::temp_dir().join(format!("xtask-steps-{}", std::process::id()));
        let mut steps = Steps::new(&root, "test").expect("the folder can be made");
        let failed = steps
            .run("Break something", |log| log.run(Command::new("sh").args(["-c", "echo the reason; exit 3"])))
            .expect_err("the command fails");
        let text = format!("{failed:#}");
        assert!(text.contains("Break something") && text.contains("01-break-something.log"), "{text}");
        assert!(text.contains("the reason") && text.contains("exit status: 3"), "{text}");
        fs::remove_dir_all(&root).expect("the folder can be removed");
    }
}
