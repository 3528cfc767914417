//! `cargo xtask fuzz-image`: the fuzzer of the driver's image, for as long as one likes.

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, bail};
use clap::Args;

use crate::host;
use crate::lane;
use crate::step::Steps;

/// How long, and from where.
#[derive(Clone, Args)]
pub(crate) struct Fuzzing {
    /// How long; a fraction will do
    #[arg(long, value_name = "N", default_value = "1", value_parser = hours)]
    hours: Duration,
    /// The seed of what is made; another each time if it is not given
    #[arg(long, value_name = "SEED")]
    seed: Option<u64>,
}

fn hours(text: &str) -> Result<Duration, String> {
    const SECONDS: f64 = 3_600.0;
    let hours: f64 = text.parse().map_err(|error| format!("{error}"))?;
    Duration::try_from_secs_f64(hours * SECONDS).map_err(|error| error.to_string())
}

/// Builds the driver and fuzzes it. What reaches something new is added to the corpus, which is committed; what finds something is
/// written beside it, shortened, and ends the run.
///
/// # Errors
/// Something is found, or can't be built.
pub(crate) fn run(root: &Path, fuzzing: &Fuzzing) -> Result<()> {
    let image = lane::build_driver(root, &mut Steps::new(root, "fuzz-image")?)?;
    let folder = root.join("target/fuzz-image");
    fs::create_dir_all(&folder).with_context(|| format!("creating {}", folder.display()))?;
    let running = folder.join("running.jsonl");
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let seed = fuzzing.seed.unwrap_or(now.as_secs());
    println!(
        "Fuzzing for {} s with seed {seed}. It may be stopped at any time: what was learnt is kept.",
        fuzzing.hours.as_secs()
    );
    let mut command = host::driver_test(root, "simulated", &image);
    command
        .args(["--quiet", "--", "--exact", "fuzzing::at_length::for_as_long_as_one_likes", "--ignored", "--nocapture"])
        .env("KERNEL_SIM_SECONDS", fuzzing.hours.as_secs().to_string())
        .env("KERNEL_SIM_SEED", seed.to_string())
        .env("KERNEL_SIM_FOLDER", &folder);
    let status = command.status().context("starting the fuzzer")?;
    if status.success() {
        return Ok(());
    }
    bail!(
        "the fuzzer ended with {status}. If it says that the driver did what it must not, the steps are in tests/simulated/fuzzing/regressions, \
         and every test run replays them; commit them when the driver is mended. If it says nothing, the simulated kernel itself has crashed, \
         and what it was at is in {}: KERNEL_SIM_REPLAY={} cargo test -p netio-anycast-tests --test simulated -- --exact \
         fuzzing::a_sequence_from_a_file --ignored --nocapture",
        running.display(),
        running.display()
    );
}
