//! `cargo xtask test`: every check there is.

use std::path::Path;
use std::time::Duration;

use anyhow::Result;

use crate::lane;
use crate::step::Steps;
use crate::{cross, fuzz, host, lint, parity, samples, wine_tests};

/// How long the fuzzer runs: in CI, and at a developer's desk.
const FUZZING_IN_CI: Duration = Duration::from_mins(1);
const FUZZING: Duration = Duration::from_secs(10);
/// The requests that the image is fuzzed with in the simulated kernel: in CI, and at a developer's desk.
const SIMULATED_REQUESTS_IN_CI: u64 = 1_000_000;
const SIMULATED_REQUESTS: u64 = 60_000;

/// Runs every check, the quick ones first.
///
/// # Errors
/// A check fails; the others after it are not run.
pub(crate) fn run(root: &Path) -> Result<()> {
    let mut steps = Steps::new(root, "test")?;
    let work_tree = host::work_tree(root)?;
    let in_ci = std::env::var_os("CI").is_some();
    lint::host(root, &mut steps)?;
    steps.run("Tests on the host", |log| host::test(root, log))?;
    steps.run("Tests of the C header", |log| host::test_header(root, log))?;

    let image = lane::build_driver(root, &mut steps)?;
    samples::build_drivers(root, &mut steps)?;
    steps.run("Tests of the driver's image", |log| host::test_image(root, &image, log))?;
    let requests = if in_ci { SIMULATED_REQUESTS_IN_CI } else { SIMULATED_REQUESTS };
    steps.run("Tests of the driver in the simulated kernel", |log| {
        host::test_simulated(root, &image, requests, None, None, log)
    })?;
    lint::cross(root, &mut steps)?;

    steps.run("Clippy and tests of the port of wdk-build", |log| cross::check_wdk_build_port(root, log))?;
    steps.run("The port of wdk-build answers as the original does", |log| parity::check(root, log))?;

    wine_tests::check(root, &image, &mut steps)?;

    let time = if in_ci { FUZZING_IN_CI } else { FUZZING };
    steps.run("Install the fuzzer", |log| fuzz::install(root, log))?;
    steps.run(&format!("Fuzz the request decoder for {} s", time.as_secs()), |log| fuzz::run(root, time, log))?;

    steps.run("The work tree is as it was", |log| host::check_work_tree(root, &work_tree, log))?;

    println!("All checks passed in {:.0} s.", steps.elapsed().as_secs_f64());
    println!("{} passed, 0 failed", passed(&steps.logs()?));
    Ok(())
}

/// The tests that passed, by what libtest says at the end of each program.
fn passed(logs: &[String]) -> u64 {
    let results = logs.iter().flat_map(|log| log.lines()).filter_map(|line| line.strip_prefix("test result: ok. "));
    results.filter_map(|result| result.split(' ').next()?.parse::<u64>().ok()).sum()
}

#[cfg(test)]
mod tests {
    #[test]
    fn passed_tests_are_counted_over_all_logs() {
        let logs = ["test result: ok. 3 passed; 0 failed\nelse", "x\ntest result: ok. 40 passed; 0 failed; 1 ignored"];
        assert_eq!(super::passed(&logs.map(str::to_owned)), 43);
    }
}
