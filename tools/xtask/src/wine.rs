//! Wine as a kernel host: a prefix below target/, the project's kernel modules in it, the driver, and programs that use it.
//!
//! [`KernelHost::start`] gives a running one, and whatever becomes of it afterwards, nothing of it is left behind: it is taken
//! down when it goes out of scope, at Ctrl+C, and, should this process have been killed, by the next one that starts.

mod host;
mod image;
mod output;
mod prefix;
mod processes;
mod services;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

pub(crate) use host::{Finished, KernelHost, Modules};

/// How long a program that needs no kernel may take.
const PROGRAM_LIMIT: Duration = Duration::from_mins(1);

/// Runs a Windows program that needs no kernel host, and returns what it wrote to standard output. `prepare` completes the
/// command; what the program writes lies in `directory` afterwards.
///
/// # Errors
/// The prefix can't be made or is in use, or the program does not end with 0.
pub(crate) fn run_program(
    root: &Path,
    program: &Path,
    directory: &Path,
    prepare: impl FnOnce(&mut Command),
) -> Result<String> {
    let prefix = prefix::Prefix::prepare(root, directory)?;
    let mut command = prefix.command("wine");
    command.arg(program);
    prepare(&mut command);
    let (written, errors) = (directory.join("output.txt"), directory.join("errors.txt"));
    let finished = output::run_to_file(&mut command, &written, &errors, PROGRAM_LIMIT);
    prefix.end_processes()?;
    let finished = finished?;
    ensure!(finished.success(), "{} ended with {finished} in Wine; see {}", program.display(), errors.display());
    fs::read_to_string(&written).with_context(|| format!("cannot read {}", written.display()))
}
