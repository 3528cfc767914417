//! Fuzzing: what was sent, how it ended, and what of the image it reached.

use std::collections::BTreeMap;

use maud::{Markup, html};
use netio_anycast_tests::facts::{Coverage, Function, Fuzzing};

use super::heat::{self, Heat};
use super::plot::{self, Axis, Line, Scale};
use super::section::{Section, Verdict, figure, grouped};
use super::{Facts, Run};

const ID: &str = "fuzzing";
const TITLE: &str = "Requests that nobody thought of";
const COVERAGE: &str = "coverage";
const COVERAGE_TITLE: &str = "Code that was reached";

pub(super) fn section(run: &Run<'_>, facts: &Facts) -> Section {
    let irps: u64 = facts.fuzzing.values().map(|fuzzing| fuzzing.irps).sum();
    if irps == 0 {
        return Section::not_run(ID, TITLE, run.why_missing(ID));
    }
    let loads: u64 = facts.fuzzing.values().map(|fuzzing| fuzzing.loads).sum();
    let sent = sent(&facts.fuzzing);
    let statuses = distinct(&sent, |(_, status)| status);
    Section {
        id: ID,
        title: TITLE,
        verdict: Verdict::Holds,
        figures: vec![
            figure(irps, "IRPs"),
            figure(loads, "loads of the driver"),
            figure(statuses.len() as u64, "different statuses"),
        ],
        body: html! {
            p {
                "Control codes, lengths, contents, IRQLs and handles are spoilt while interfaces come and go and NetIO fails. Whatever \
                 is sent, no rule may be broken: see the rules above. Here is how the requests ended."
            }
            (matrix(&sent, &statuses))
            p.quiet {
                "First seeds: "
                (facts.fuzzing.iter().map(|(name, it)| format!("{} ({name})", it.seed)).collect::<Vec<_>>().join(", "))
            }
        },
    }
}

/// How often requests of an operation ended with a status.
type Outcomes<'a> = BTreeMap<(&'a str, &'a str), u64>;

fn sent(fuzzing: &BTreeMap<String, Fuzzing>) -> Outcomes<'_> {
    let mut outcomes = Outcomes::new();
    for sent in fuzzing.values().flat_map(|fuzzing| &fuzzing.sent) {
        *outcomes.entry((&sent.operation, &sent.status)).or_default() += sent.times;
    }
    outcomes
}

fn distinct<'a>(sent: &Outcomes<'a>, part: fn((&'a str, &'a str)) -> &'a str) -> Vec<&'a str> {
    let mut names: Vec<&str> = sent.keys().map(|key| part(*key)).collect();
    names.sort_unstable();
    names.dedup();
    names
}

fn matrix(sent: &Outcomes<'_>, statuses: &[&str]) -> Markup {
    let operations = distinct(sent, |(operation, _)| operation);
    let most = sent.values().copied().max().unwrap_or(1);
    html! {
        div.scroll { table.matrix {
            (heat::head("Status", &[], operations.iter().copied()))
            tbody { @for status in statuses {
                tr {
                    th scope="row" { code { (status.split(' ').next().unwrap_or(status)) } }
                    @for operation in &operations {
                        (heat::cell(
                            Heat { times: sent.get(&(*operation, *status)).copied().unwrap_or(0), broken: 0 },
                            most,
                            &format!("{operation}, {status}"),
                        ))
                    }
                }
            } }
        } }
    }
}

pub(super) fn coverage(run: &Run<'_>, facts: &Facts) -> Section {
    let functions: Vec<&Function> = facts.coverage.values().flat_map(|it| &it.functions).collect();
    if functions.is_empty() {
        return Section::not_run(COVERAGE, COVERAGE_TITLE, run.why_missing(COVERAGE));
    }
    let blocks: usize = functions.iter().map(|function| function.blocks).sum();
    let covered: usize = functions.iter().map(|function| function.covered).sum();
    let corpus: usize = facts.coverage.values().map(|it| it.corpus).sum();
    Section {
        id: COVERAGE,
        title: COVERAGE_TITLE,
        verdict: Verdict::Holds,
        figures: vec![
            figure(covered as u64, "basic blocks executed"),
            figure(blocks as u64, "basic blocks of the image"),
            figure(functions.iter().filter(|it| it.covered > 0).count() as u64, "functions entered"),
            figure(corpus as u64, "inputs kept"),
        ],
        body: html! {
            @for (name, coverage) in &facts.coverage {
                p { "By " (coverage.by) "." }
                @if coverage.growth.len() > 1 { div.cards { article.card { (growth(name, coverage)) } } }
            }
            (functions_of(&functions))
        },
    }
}

fn growth(name: &str, coverage: &Coverage) -> Markup {
    #[expect(clippy::cast_precision_loss, reason = "a chart is not exact")]
    let points = coverage.growth.iter().map(|point| (point.irps as f64, point.blocks as f64)).collect();
    let line = Line { name: name.to_owned(), colour: 1, points };
    let across = Axis { label: "IRPs", scale: Scale::Logarithmic };
    let up = Axis { label: "basic blocks executed", scale: Scale::Linear };
    plot::lines("Basic blocks executed over IRPs", across, up, &[line])
}

fn functions_of(functions: &[&Function]) -> Markup {
    let mut functions = functions.to_vec();
    functions.sort_by_key(|function| (function.blocks - function.covered.min(function.blocks), function.name.clone()));
    functions.reverse();
    html! {
        div.scroll.tall { table {
            thead { tr { th { "Function" } th { "Executed" } th.number { "Blocks" } th { "Why not all" } } }
            tbody { @for function in functions {
                tr {
                    td { code { (function.name) } }
                    td { progress value=(function.covered) max=(function.blocks.max(1)) { } }
                    td.number { (grouped(function.covered as u64)) " of " (grouped(function.blocks as u64)) }
                    td.reason { (function.reason.as_deref().unwrap_or_default()) }
                }
            } }
        } }
    }
}
