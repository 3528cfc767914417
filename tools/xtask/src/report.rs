//! The report of `cargo xtask verify`: a page that tells by sentences what was shown.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use maud::{DOCTYPE, Markup, PreEscaped, html};

/// The module of the tests that are deliberately broken drivers.
const CONTROLS: &str = "controls";

/// How one test ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Passed,
    Failed,
    NotRun,
}

/// The tests of one program, by module.
#[derive(Debug)]
pub(crate) struct Part {
    name: &'static str,
    modules: BTreeMap<String, Vec<(String, Outcome)>>,
}

/// Everything that the page tells.
pub(crate) struct Report<'a> {
    pub(crate) image: &'a Path,
    pub(crate) effort: String,
    pub(crate) parts: &'a [Part],
    pub(crate) seconds: u64,
}

impl Part {
    /// Reads what libtest has written: `test MODULE::NAME ... ok`.
    pub(crate) fn read(name: &'static str, log: &str) -> Self {
        let mut modules: BTreeMap<String, Vec<(String, Outcome)>> = BTreeMap::new();
        for line in log.lines() {
            let Some((test, ending)) = line.strip_prefix("test ").and_then(|test| test.split_once(" ... ")) else {
                continue;
            };
            let outcome = match ending.split([' ', ',']).next() {
                Some("ok") => Outcome::Passed,
                Some("ignored") => Outcome::NotRun,
                _ => Outcome::Failed,
            };
            let (module, sentence) = test.rsplit_once("::").unwrap_or(("", test));
            modules.entry(module.to_owned()).or_default().push((sentence.replace('_', " "), outcome));
        }
        Self { name, modules }
    }

    fn count(&self, outcome: Outcome) -> usize {
        self.modules.values().flatten().filter(|(_, ended)| *ended == outcome).count()
    }

    /// Nothing failed, and something was run.
    fn holds(&self) -> bool {
        self.count(Outcome::Failed) == 0 && self.count(Outcome::Passed) > 0
    }
}

impl fmt::Display for Part {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = if self.holds() { "holds" } else { "FAILS" };
        let (passed, failed) = (self.count(Outcome::Passed), self.count(Outcome::Failed));
        write!(formatter, "{:36} {verdict}: {passed} statements shown, {failed} failed", self.name)
    }
}

/// Writes the page to `target/verification/report.html`, and returns its path.
///
/// # Errors
/// The file can't be written.
pub(crate) fn write(root: &Path, report: &Report<'_>) -> Result<PathBuf> {
    let directory = root.join("target/verification");
    fs::create_dir_all(&directory).with_context(|| format!("creating {}", directory.display()))?;
    let path = directory.join("report.html");
    fs::write(&path, page(report).into_string()).with_context(|| format!("writing {}", path.display()))?;
    Ok(path)
}

const STYLE: &str = "
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #222 }
h1, h2, h3 { line-height: 1.2 } h2 { border-bottom: 1px solid #ccc; margin-top: 2.5rem }
li { list-style: none } ul { padding-left: 0 } li::before { display: inline-block; width: 1.5rem }
li.passed::before { content: '\u{2713}'; color: #187a30 } li.failed::before { content: '\u{2717}'; color: #b00020 }
li.failed { color: #b00020; font-weight: 600 } li.not-run::before { content: '\u{2013}'; color: #777 }
.verdict { font-size: 1.25rem; padding: .75rem 1rem; border-radius: .5rem; background: #e7f4ea }
.verdict.failed { background: #fbe6e9 } .columns { columns: 3; font-size: .95rem } dt { float: left; width: 9rem; color: #555 }
";

fn page(report: &Report<'_>) -> Markup {
    let holds = report.parts.iter().all(Part::holds);
    let shown: usize = report.parts.iter().map(|part| part.count(Outcome::Passed)).sum();
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                title { "netio-anycast: verification" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                h1 { "netio-anycast: what was verified" }
                p class=(if holds { "verdict" } else { "verdict failed" }) {
                    @if holds { "Every one of " (shown) " statements held." } @else { "Some statements do not hold." }
                }
                dl {
                    dt { "Image" } dd { (report.image.display()) }
                    dt { "Effort" } dd { (report.effort) ", in " (report.seconds) " s" }
                    dt { "Not shown here" } dd { "What only Wine or Windows can: docs/verification.md" }
                }
                @for part in report.parts { (section(part)) }
            }
        }
    }
}

fn section(part: &Part) -> Markup {
    html! {
        h2 { (part.name) }
        @for (module, tests) in part.modules.iter().filter(|(module, _)| *module != CONTROLS) {
            @if !module.is_empty() { h3 { (module.replace('_', " ")) } }
            ul { @for test in tests { (item(test)) } }
        }
        @if let Some(controls) = part.modules.get(CONTROLS) {
            h3 { "controls" }
            p { "Drivers that break one rule each on purpose. A tick says that exactly this rule was reported." }
            ul.columns { @for test in controls { (item(test)) } }
        }
    }
}

fn item((sentence, outcome): &(String, Outcome)) -> Markup {
    let class = match outcome {
        Outcome::Passed => "passed",
        Outcome::Failed => "failed",
        Outcome::NotRun => "not-run",
    };
    html! { li class=(class) { (sentence) } }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = "running 3 tests\ntest loading::it_loads ... ok\ntest controls::pool_leak ... FAILED\n\
                       test irql::slow ... ignored, takes hours\n\ntest result: FAILED. 1 passed; 1 failed";

    #[test]
    fn a_part_has_every_test_with_its_outcome() {
        let part = Part::read("the image", LOG);
        assert_eq!(part.modules["loading"], [("it loads".to_owned(), Outcome::Passed)]);
        assert_eq!(part.modules["controls"], [("pool leak".to_owned(), Outcome::Failed)]);
        assert_eq!(part.modules["irql"], [("slow".to_owned(), Outcome::NotRun)]);
        assert!(!part.holds());
    }

    #[test]
    fn a_part_without_tests_shows_nothing() {
        assert!(!Part::read("the image", "error: could not compile").holds());
    }

    #[test]
    fn a_failure_is_on_the_page_and_in_its_verdict() {
        let parts = [Part::read("the image", LOG)];
        let report = Report { image: Path::new("a.sys"), effort: "little".to_owned(), parts: &parts, seconds: 1 };
        let page = page(&report).into_string();
        assert!(page.contains("Some statements do not hold") && page.contains("class=\"failed\">pool leak"), "{page}");
    }
}
