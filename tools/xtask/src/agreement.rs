//! The simulated kernel and Wine's agree on one scenario, line by line.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use netio_anycast_tests::facts::Agreement;
use netio_anycast_tests::scenario::{Difference, LINE_MARK, Scenario, compare};

use crate::lane::{self, Lane};
use crate::step::{Log, Steps};
use crate::{host, test_drivers, wine_tests};

/// How long Wine may take for the scenario.
const WINE_LIMIT: Duration = Duration::from_mins(2);

/// Builds what is needed, and does [`check`].
///
/// # Errors
/// Something can't be built or started, or the check fails.
pub(crate) fn run(root: &Path) -> Result<()> {
    let mut steps = Steps::new(root, "agreement")?;
    let image = lane::build_driver(root, &mut steps)?;
    let mut lane = wine_tests::start(root, &image, &mut steps)?;
    steps.run("The simulated kernel and Wine's agree", |log| check(root, &image, &mut lane, log))?;
    wine_tests::end(lane, &mut steps)
}

/// Runs the scenario in both kernels and compares the transcripts. The driver in Wine is started anew for it; the partner runs beside it.
///
/// # Errors
/// A transcript can't be made, or they differ in a way that the scenario does not list.
pub(crate) fn check(root: &Path, image: &Path, lane: &mut Lane, log: &Log) -> Result<()> {
    let compared = compare_kernels(root, image, lane, log)?;
    ensure!(
        compared.wrong.is_empty(),
        "the simulated kernel and Wine do not agree as tests/scenario/agreement.toml says. Either one of them is wrong, \
         or list the difference there with its reason:\n{}",
        compared.wrong.join("\n")
    );
    Ok(())
}

/// Does the same, and returns what was found, differences that are not listed included.
///
/// # Errors
/// A transcript can't be made.
pub(crate) fn compare_kernels(root: &Path, image: &Path, lane: &mut Lane, log: &Log) -> Result<Agreement> {
    let scenario = Scenario::agreement().context("reading tests/scenario/agreement.toml")?;
    let simulated = transcript(&run_in_simulated_kernel(root, image, log)?);
    let wine = transcript(&lane.run_scenario(&scenario.parameters, WINE_LIMIT, log)?);
    let wrong = compare(&simulated, &wine, &scenario.differences).err().unwrap_or_default();
    // Two programs that both said nothing would agree as well.
    ensure!(wine.len() > scenario.steps.len(), "the transcripts have {} lines, fewer than the steps", wine.len());
    if wrong.is_empty() {
        let unnoticed = unnoticed(&simulated, &wine, &scenario.differences);
        ensure!(unnoticed.is_empty(), "lines that are changed on purpose are not noticed: {unnoticed:#?}");
    }
    log.append(&format!("{} lines compared, {} differences listed\n", wine.len(), scenario.differences.len()))?;
    let listed = scenario.differences.into_iter().map(|it| [it.asked, it.simulated, it.wine, it.reason]);
    Ok(Agreement { lines: wine.len(), listed: listed.collect(), wrong })
}

/// The control: in transcripts that agree, the lines of Wine's that might be others without the comparison noticing.
fn unnoticed(simulated: &[String], wine: &[String], differences: &[Difference]) -> Vec<String> {
    let mut changed = wine.to_vec();
    let is_unnoticed = |number: &usize| {
        changed[*number].push('!');
        let agree = compare(simulated, &changed, differences).is_ok();
        changed[*number].pop();
        agree
    };
    (0..wine.len()).filter(is_unnoticed).map(|number| wine[number].clone()).collect()
}

/// Runs the scenario in the simulated kernel, and returns what the test program wrote.
fn run_in_simulated_kernel(root: &Path, image: &Path, log: &Log) -> Result<String> {
    let mut command = host::driver_test(root, "simulated", image);
    command.args(["--", "--exact", "agreement::the_scenario_runs_and_no_rule_is_broken", "--nocapture"]);
    command.env("NETIO_ANYCAST_PARTNER", test_drivers::partner(root));
    let output = log.output(&mut command)?;
    let output = String::from_utf8(output).context("reading what the test program wrote")?;
    log.append(&output)?;
    Ok(output)
}

/// The lines of the transcript among all that a test program wrote.
fn transcript(output: &str) -> Vec<String> {
    // libtest writes the test's name without a line end before the test's own output.
    let lines = output.lines().filter_map(|line| line.split_once(LINE_MARK));
    lines.map(|(_, line)| line.trim_end().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(lines: &[&str]) -> Vec<String> {
        lines.iter().map(|line| (*line).to_owned()).collect()
    }

    fn difference(reason: &str) -> Difference {
        let text = |text: &str| text.to_owned();
        Difference { asked: text("open x"), simulated: text("yes"), wine: text("no"), reason: text(reason) }
    }

    #[test]
    fn the_transcript_is_found_in_what_a_test_program_writes() {
        let output = format!("running 1 test\r\ntest a ... {LINE_MARK}one => 1\r\n{LINE_MARK}two => 2\r\nok\r\n");
        assert_eq!(transcript(&output), lines(&["one => 1", "two => 2"]));
    }

    #[test]
    fn equal_transcripts_agree_and_empty_ones_do_not() {
        let same = lines(&["open x => yes", "close x => closed"]);
        assert_eq!(compare(&same, &same, &[]), Ok(()));
        compare(&[], &[], &[]).expect_err("nothing was compared");
    }

    #[test]
    fn a_difference_that_is_not_listed_is_shown_with_its_line() {
        let one = lines(&["a => 1", "open x => yes"]);
        let other = lines(&["a => 1", "open x => no"]);
        let wrong = compare(&one, &other, &[]).expect_err("they differ");
        assert_eq!(wrong.len(), 1);
        for part in ["line 2", "open x => yes", "open x => no"] {
            assert!(wrong[0].contains(part), "{wrong:?}");
        }
    }

    #[test]
    fn a_listed_difference_allows_exactly_what_it_says() {
        let one = lines(&["a => 1", "open x => yes"]);
        assert_eq!(compare(&one, &lines(&["a => 1", "open x => no"]), &[difference("it is so")]), Ok(()));
        for other in [["a => 1", "open x => perhaps"], ["a => 1", "open y => no"], ["a => 2", "open x => no"]] {
            compare(&one, &lines(&other), &[difference("it is so")]).expect_err("something else differs");
        }
        let turned = compare(&lines(&["open x => no"]), &lines(&["open x => yes"]), &[difference("it is so")]);
        turned.expect_err("the difference is the other way round");
    }

    #[test]
    fn a_listed_difference_that_no_longer_occurs_or_has_no_reason_is_an_error() {
        let same = lines(&["open x => yes"]);
        let wrong = compare(&same, &same, &[difference("it was so")]).expect_err("the list is out of date");
        assert!(wrong[0].contains("has not occurred"), "{wrong:?}");
        compare(&same, &lines(&["open x => no"]), &[difference(" ")]).expect_err("nobody says why");
    }

    #[test]
    fn a_line_more_is_a_difference() {
        let one = lines(&["a => 1"]);
        compare(&one, &lines(&["a => 1", "b => 2"]), &[]).expect_err("Wine has more");
        compare(&lines(&["a => 1", "b => 2"]), &one, &[]).expect_err("Wine has less");
    }

    #[test]
    fn the_scenario_can_be_read_and_every_difference_has_a_reason() {
        let scenario = Scenario::agreement().expect("the file is a scenario");
        assert!(!scenario.steps.is_empty());
        assert!(scenario.differences.iter().all(|difference| !difference.reason.trim().is_empty()));
    }
}
