//! The program among the samples: the contract as a C programmer meets it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use crate::lane::Lane;
use crate::step::Log;

/// How long one run may take.
const LIMIT: Duration = Duration::from_mins(1);
/// An interface of the simulated NetIO, and addresses for it.
const ARGUMENTS: [&str; 4] = ["12", "192.0.2.77", "192.0.2.78", "2001:db8::77"];
/// What it says when all went well, in this order.
const SAID: [&str; 9] = [
    "protocol 1",
    "leased 192.0.2.77 on interface 12",
    "item 1: state 1, error 0",
    "item 2: state 1, error 0",
    "changed: yes",
    "held 192.0.2.77 on interface 12",
    "held 192.0.2.78 on interface 12",
    "held 2001:db8::77 on interface 12",
    "released 192.0.2.77 on interface 12",
];

/// Builds `samples/user-c` with mingw-w64 and runs it on the running driver: twice, since nothing is left of the first time, and
/// once to be told by Windows' own code that an address exists.
///
/// # Errors
/// The compiler warns, or the program does not end as it should.
pub(super) fn check(root: &Path, lane: &mut Lane, log: &Log) -> Result<()> {
    let program = build(root, log)?;
    lane.model_control(&["reset"])?;
    run_program(lane, &program, 0, &SAID, log)?;
    run_program(lane, &program, 0, &SAID, log)?;
    let [interface, address, ..] = ARGUMENTS;
    let added = lane.anycastctl(&["add", address, "--interface", interface])?;
    ensure!(added.code == 0, "anycastctl can't add {address}: {}", added.errors);
    run_program(lane, &program, 1, &["cannot lease the address: error 5010"], log)
}

/// Builds it into `target/samples`.
///
/// # Errors
/// The compiler warns.
pub(super) fn build(root: &Path, log: &Log) -> Result<PathBuf> {
    let directory = root.join("target/samples");
    std::fs::create_dir_all(&directory).with_context(|| format!("cannot create {}", directory.display()))?;
    let program = directory.join("anycast.exe");
    let mut compiler = Command::new("x86_64-w64-mingw32-gcc-win32");
    compiler.args(["-std=c11", "-Wall", "-Wextra", "-Werror", "-D_WIN32_WINNT=0x0A00", "-Iinclude"]);
    compiler.arg("samples/user-c/anycast.c").arg("-o").arg(&program).arg("-lws2_32");
    log.run(compiler.current_dir(root))?;
    Ok(program)
}

/// Runs the program, which must end with `code` and say all of this in this order.
fn run_program(lane: &mut Lane, program: &Path, code: i32, expected: &[&str], log: &Log) -> Result<()> {
    let finished = lane.host.run(program, &ARGUMENTS, LIMIT)?;
    let said = format!("{}{}", finished.output, finished.errors);
    log.append(&said)?;
    ensure!(finished.code == code, "the sample ended with {} instead of {code}: {said}", finished.code);
    let mut rest = said.as_str();
    for part in expected {
        let (_, after) =
            rest.split_once(part).with_context(|| format!("the sample said {said:?}, where {part:?} is missing"))?;
        rest = after;
    }
    Ok(())
}
