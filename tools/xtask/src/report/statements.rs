//! What the tests say: every test's name is a sentence.

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::section::{Section, Verdict, figure};

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

/// The tests of all programs.
pub(super) fn section(parts: &[Part]) -> Section {
    let count = |outcome| parts.iter().map(|part| part.count(outcome)).sum::<usize>() as u64;
    let wrong: Vec<&str> = parts.iter().filter(|part| !part.holds()).map(|part| part.name).collect();
    Section {
        id: "statements",
        title: "Statements",
        verdict: if wrong.is_empty() && !parts.is_empty() {
            Verdict::Holds
        } else {
            Verdict::Fails(format!("tests failed, or none were run: {}", wrong.join(", ")))
        },
        figures: vec![
            figure(count(Outcome::Passed), "tests passed"),
            figure(count(Outcome::Failed), "failed"),
            figure(count(Outcome::NotRun), "left out"),
        ],
        body: html! {
            p { "Each test is a statement. All of them are behind the names below." }
            @for part in parts { (one(part)) }
        },
    }
}

fn one(part: &Part) -> Markup {
    let failed = part.count(Outcome::Failed);
    html! {
        details open[!part.holds()] {
            summary {
                strong { (part.name) } span.quiet { ": " (part.count(Outcome::Passed)) " passed" }
                @if failed > 0 { span.fails { ", " (failed) " failed" } }
                @if part.modules.is_empty() { span.fails { ", nothing was run" } }
            }
            @for (module, tests) in &part.modules {
                @if !module.is_empty() { h3 { (module.replace('_', " ").replace("::", ": ")) } }
                ul.statements.columns[module == CONTROLS] { @for test in tests { (item(test)) } }
            }
        }
    }
}

fn item((sentence, outcome): &(String, Outcome)) -> Markup {
    let class = match outcome {
        Outcome::Passed => "passed",
        Outcome::Failed => "failed",
        Outcome::NotRun => "skipped",
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
        assert!(matches!(section(&[]).verdict, Verdict::Fails(_)));
    }

    #[test]
    fn a_failed_test_turns_the_verdict_and_is_on_the_page() {
        let section = section(&[Part::read("the image", LOG)]);
        assert!(matches!(&section.verdict, Verdict::Fails(why) if why.contains("the image")));
        assert!(section.body.into_string().contains("class=\"failed\">pool leak"));
    }
}
