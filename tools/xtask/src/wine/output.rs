//! Running a program with its output going to files: Wine's services keep a pipe open long after the program has ended.

use std::fs::File;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

/// How often it is looked whether the program has ended.
const INTERVAL: Duration = Duration::from_millis(5);

/// Runs a program to its end, or kills it after `limit`. Both files may be the same.
///
/// # Errors
/// It can't be started, or takes too long.
pub(crate) fn run_to_file(command: &mut Command, output: &Path, errors: &Path, limit: Duration) -> Result<ExitStatus> {
    let name = command.get_program().to_string_lossy().into_owned();
    let arguments: Vec<_> = command.get_args().map(|argument| argument.to_string_lossy().into_owned()).collect();
    let shown = format!("{name} {}", arguments.join(" "));
    let create = |path: &Path| File::create(path).with_context(|| format!("cannot create {}", path.display()));
    let output_file = create(output)?;
    let errors_file = if output == errors { output_file.try_clone()? } else { create(errors)? };
    command.stdin(Stdio::null()).stdout(output_file).stderr(errors_file);
    let mut child = command.spawn().with_context(|| format!("cannot run `{shown}`"))?;
    let started = Instant::now();
    loop {
        if let Some(status) = child.try_wait().with_context(|| format!("cannot wait for `{shown}`"))? {
            return Ok(status);
        }
        if started.elapsed() > limit {
            child.kill().and_then(|()| child.wait()).with_context(|| format!("cannot end `{shown}`"))?;
            bail!(
                "`{shown}` did not end within {} s and was killed; its output is in {}",
                limit.as_secs(),
                output.display()
            );
        }
        sleep(INTERVAL);
    }
}
