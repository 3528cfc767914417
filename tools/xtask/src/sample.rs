//! The C sample: the contract as a C program meets it.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use crate::lane::Lane;
use crate::step::Log;

/// How long one run may take.
const LIMIT: Duration = Duration::from_mins(1);

/// Builds `samples/user-c` with mingw-w64 and runs it on the running driver: once to create an address, once to be told by
/// Windows' own code that it exists.
///
/// # Errors
/// The compiler warns, or the program does not end as it should.
pub(crate) fn check(root: &Path, lane: &mut Lane, log: &Log) -> Result<()> {
    let directory = root.join("target/samples");
    std::fs::create_dir_all(&directory).with_context(|| format!("cannot create {}", directory.display()))?;
    let program = directory.join("anycast.exe");
    let mut compiler = Command::new("x86_64-w64-mingw32-gcc-win32");
    compiler.args([
        "-std=c11",
        "-Wall",
        "-Wextra",
        "-Werror",
        "-D_WIN32_WINNT=0x0A00",
        "samples/user-c/anycast.c",
        "-o",
    ]);
    log.run(compiler.arg(&program).arg("-lws2_32").current_dir(root))?;

    lane.model_control(&["reset"])?;
    for (code, expected) in [(0, "created on interface 12"), (1, "error 5010")] {
        let finished = lane.host.run(&program, &["192.0.2.77", "12"], LIMIT)?;
        let said = format!("{}{}", finished.output, finished.errors);
        log.append(&said)?;
        ensure!(finished.code == code, "the sample ended with {} instead of {code}: {said}", finished.code);
        ensure!(said.contains(expected), "the sample said {said:?} instead of {expected:?}");
    }
    Ok(())
}
