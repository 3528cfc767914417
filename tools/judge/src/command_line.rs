//! The command line.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result};
use clap::Parser;

use crate::judge::Judge;
use crate::worker;

/// Run drivers' images in the simulated kernel, each in a process of its own, and tell what is wrong with them.
///
/// Each is loaded, its devices are opened, sent device controls and closed, and it is unloaded. The exit code is 0 if all are clean,
/// 1 if one is not.
#[derive(Parser)]
#[command(bin_name = "cargo xtask judge")]
struct Arguments {
    /// Drivers' images; a PDB beside one under its name gives the names of places in it
    #[arg(value_name = "IMAGE", required = true)]
    images: Vec<PathBuf>,
    /// How long judging one image may take
    #[arg(long, value_name = "N", default_value = "10", value_parser = seconds)]
    seconds: Duration,
    /// How long one call of the driver may run, and one IRP may pend; a fifth of the above if it is not given
    #[arg(long, value_name = "N", value_parser = seconds)]
    call_seconds: Option<Duration>,
    /// A control code to send, besides those that the image's code suggests
    #[arg(long = "code", value_name = "CODE", value_parser = control_code)]
    codes: Vec<u32>,
    /// Print a line of JSON for each image
    #[arg(long)]
    json: bool,
}

/// Into how many parts the time for an image is divided: one is for each call of the driver, so that several may take too long
/// before the time is over.
const PARTS: u32 = 5;

/// The argument that makes this program the process that runs the drivers.
pub(crate) const WORKER: &str = "--worker";

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().map_err(|error| format!("{error}"))?;
    match Duration::try_from_secs_f64(seconds) {
        Ok(duration) if duration.is_zero() => Err("nothing can be judged in no time".to_owned()),
        Ok(duration) => Ok(duration),
        Err(error) => Err(error.to_string()),
    }
}

fn control_code(text: &str) -> Result<u32, String> {
    let parsed = text.strip_prefix("0x").map_or_else(|| text.parse(), |digits| u32::from_str_radix(digits, 16));
    parsed.map_err(|error| format!("{error}: a control code is a number like 0x222000"))
}

/// Judges the images that the command line names, and prints a verdict on each.
///
/// # Errors
/// The worker can't be started, or a verdict can't be printed.
pub(crate) fn main() -> Result<ExitCode> {
    if std::env::args_os().nth(1).is_some_and(|argument| argument == WORKER) {
        worker::serve()?;
        return Ok(ExitCode::SUCCESS);
    }
    let Arguments { images, seconds, call_seconds, codes, json } = Arguments::parse();
    let mut judge = Judge::new(seconds, call_seconds.unwrap_or(seconds / PARTS), codes)?;
    let mut all_clean = true;
    for image in &images {
        let report = judge.judge(image)?;
        all_clean &= report.verdict.is_clean();
        if json {
            println!("{}", serde_json::to_string(&report).context("writing the verdict")?);
        } else {
            println!("{report}");
        }
    }
    Ok(if all_clean { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
