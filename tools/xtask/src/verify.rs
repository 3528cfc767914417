//! `cargo xtask verify`: the image in the simulated kernel, for as long as one likes, with a report to read.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use clap::{Args, ValueEnum};
use netio_anycast_tests::facts;
use time::OffsetDateTime;
use time::macros::format_description;

use crate::lane;
use crate::report::{self, Facts, Part, Run, Verdict};
use crate::step::{Log, Steps};
use crate::{agreement, bench, host, samples, wine_tests};

/// How much is done.
#[derive(Clone, Args)]
pub(crate) struct Effort {
    /// The requests that the image is fuzzed with
    #[arg(long, value_name = "N", default_value_t = 1_000_000)]
    requests: u64,
    /// The interleavings that each test of races runs
    #[arg(long, value_name = "N", default_value_t = 2_500)]
    schedules: u64,
    /// What to leave out; the report says so
    #[arg(long, value_name = "WHAT")]
    without: Vec<Optional>,
}

/// What can be left out: it takes long, or needs more than this project.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Optional {
    /// The benchmark, which needs valgrind
    Speed,
    /// The comparison with Wine's kernel
    Agreement,
}

/// Runs everything that the simulated kernel can show, and writes `target/verification/report.html`.
///
/// # Errors
/// Something does not hold; the report is written all the same, and has it.
pub(crate) fn run(root: &Path, effort: &Effort) -> Result<()> {
    let began = now()?;
    let mut steps = Steps::new(root, "verify")?;
    let folder = empty_facts(root)?;
    let image = lane::build_driver(root, &mut steps)?;
    samples::build_drivers(root, &mut steps)?;
    let mut run = Verification { steps: &mut steps, parts: Vec::new(), failures: Vec::new(), missing: BTreeMap::new() };

    run.tests("The image itself", |log| host::test_image(root, &image, log))?;
    run.tests("The simulated kernel itself", |log| host::test_simulated_kernel(root, log))?;
    run.tests("The image in the simulated kernel", |log| {
        host::test_simulated(root, &image, effort.requests, Some(effort.schedules), Some(&folder), log)
    })?;
    run.optional(effort, Optional::Speed, "speed", |steps| {
        steps
            .run("Measure instructions and time", |log| {
                bench::measure(root, &image, |command| command.env(facts::FOLDER, &folder), log)
            })
            .map(drop)
    });
    run.optional(effort, Optional::Agreement, "agreement", |steps| {
        let mut lane = wine_tests::start(root, &image, steps)?;
        let compared = steps
            .run("The scenario in both kernels", |log| agreement::compare_kernels(root, &image, &mut lane, log))?;
        facts::write_to(&folder, "wine", &compared).context("writing what was compared")?;
        wine_tests::end(lane, steps)
    });

    let Verification { parts, failures, missing, .. } = run;
    let sections = {
        let facts = Facts::read(&folder).context("reading what was found out")?;
        let seconds = steps.elapsed().as_secs();
        let run = Run { image: &image, effort: effort.to_string(), began, seconds, missing };
        let sections = report::sections(&run, &facts, &parts);
        let path = report::write(root, &run, &sections).context("writing the report")?;
        println!("{}\nThe report is {}", report::summary(&sections), path.display());
        sections
    };
    if let Some(failure) = failures.into_iter().next() {
        return Err(failure);
    }
    let wrong = sections.iter().find(|section| matches!(section.verdict, Verdict::Fails(_)));
    wrong.map_or(Ok(()), |section| bail!("{}: {}", section.title, section.verdict))
}

/// A run that goes on whatever fails in it.
struct Verification<'a> {
    steps: &'a mut Steps,
    parts: Vec<Part>,
    failures: Vec<anyhow::Error>,
    missing: BTreeMap<&'static str, String>,
}

impl Verification<'_> {
    /// Runs tests, and reads what each said.
    ///
    /// # Errors
    /// Their log can't be read.
    fn tests(&mut self, name: &'static str, tests: impl FnOnce(&Log) -> Result<()>) -> Result<()> {
        let result = self.steps.run(name, tests);
        self.parts.push(Part::read(name, &self.steps.last_log()?));
        self.failures.extend(result.err());
        Ok(())
    }

    /// Runs what may be left out. That it can't be run is a failure, too: who does not want it says so.
    fn optional(
        &mut self,
        effort: &Effort,
        what: Optional,
        section: &'static str,
        lane: impl FnOnce(&mut Steps) -> Result<()>,
    ) {
        if effort.without.contains(&what) {
            self.missing.insert(section, format!("left out, by --without {section}"));
        } else if let Err(error) = lane(self.steps) {
            let reason = format!("{error:#}");
            self.missing.insert(section, reason.lines().next().unwrap_or_default().to_owned());
            self.failures.push(error);
        }
    }
}

/// The folder that the facts go to, without those of an earlier run.
fn empty_facts(root: &Path) -> Result<std::path::PathBuf> {
    let folder = report::folder(root).join("facts");
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("removing the old {}", folder.display()))?;
    }
    fs::create_dir_all(&folder).with_context(|| format!("creating {}", folder.display()))?;
    Ok(folder)
}

fn now() -> Result<String> {
    let format = format_description!("[year]-[month]-[day] [hour]:[minute] UTC");
    OffsetDateTime::now_utc().format(format).context("writing the time")
}

impl std::fmt::Display for Effort {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} fuzzed requests, {} interleavings per race", self.requests, self.schedules)
    }
}
