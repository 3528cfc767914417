//! Call sites: where the image calls services that may fail, and what came of each failure.

use std::collections::BTreeMap;

use maud::{Markup, html};
use netio_anycast_tests::facts::{CallSite, Pairs};

use super::section::{Section, Verdict, figure};
use super::{Facts, Run};

const ID: &str = "faults";
const TITLE: &str = "Failures of services";

pub(super) fn section(run: &Run<'_>, facts: &Facts) -> Section {
    let sites: Vec<&CallSite> = facts.sites.values().flat_map(|it| &it.sites).collect();
    if sites.is_empty() {
        return Section::not_run(ID, TITLE, run.why_missing(ID));
    }
    let failed = sites.iter().filter(|site| !site.failures.is_empty()).count();
    let unreachable = sites.iter().filter(|site| is_unreachable(site)).count();
    let never: Vec<String> = sites
        .iter()
        .filter(|site| site.failures.is_empty() && !is_unreachable(site))
        .map(|site| format!("{} at {:#x}", site.service, site.offset))
        .collect();
    let failures: usize = sites.iter().map(|site| site.failures.len()).sum();
    let pairs: usize = facts.pairs.values().flat_map(|it| &it.pairs).map(|pair| pair.2).sum();
    Section {
        id: ID,
        title: TITLE,
        verdict: if never.is_empty() {
            Verdict::Holds
        } else {
            Verdict::Fails(format!("never seen to fail, and no reason given: {}", never.join(", ")))
        },
        figures: vec![
            figure(sites.len() as u64, "call sites of services that may fail"),
            figure(failed as u64, "seen to fail"),
            figure(unreachable as u64, "unreachable, with a reason"),
            figure(failures as u64, "failures, one per call stack"),
            figure(pairs as u64, "pairs of failures"),
        ],
        body: html! {
            p {
                "Each row is a place in the image's code that calls a service which may fail, found by searching the code. The service \
                 was made to fail there once from every call stack, in every operation, and the status of the operation is beside it. \
                 The driver must leave nothing behind and break no rule; that is judged in every such run."
            }
            (table(&sites))
            @if !facts.pairs.is_empty() { (pairs_of(&facts.pairs)) }
        },
    }
}

const fn is_unreachable(site: &CallSite) -> bool {
    site.unreachable.is_some() && site.failures.is_empty()
}

/// The outcomes of a site's failures, alike ones together: operation, outcome, and from how many stacks.
fn outcomes(site: &CallSite) -> Vec<((&str, &str), usize)> {
    let mut outcomes: BTreeMap<(&str, &str), Vec<&[usize]>> = BTreeMap::new();
    for failure in &site.failures {
        outcomes.entry((&failure.operation, &failure.outcome)).or_default().push(&failure.stack);
    }
    let stacks = |mut stacks: Vec<&[usize]>| {
        stacks.sort_unstable();
        stacks.dedup();
        stacks.len()
    };
    outcomes.into_iter().map(|(key, found)| (key, stacks(found))).collect()
}

fn table(sites: &[&CallSite]) -> Markup {
    html! {
        div.scroll { table.sites {
            thead { tr { th { "Service" } th { "Called in" } th { "Failed in, and what came of it" } } }
            tbody { @for site in sites {
                tr {
                    td { code { (site.service) } }
                    td { (place(site)) }
                    td {
                        @if let Some(reason) = site.unreachable.as_ref().filter(|_| site.failures.is_empty()) {
                            span.chip.not-run { "unreachable" } " " (reason)
                        } @else if site.failures.is_empty() {
                            span.chip.fails { "never failed" }
                        }
                        @for ((operation, outcome), stacks) in outcomes(site) {
                            div.outcome {
                                span.chip { (operation) } " " (outcome)
                                @if stacks > 1 { span.quiet { " from " (stacks) " call stacks" } }
                            }
                        }
                    }
                }
            } }
        } }
    }
}

/// The function of the driver's own that makes the call, with the others on demand.
fn place(site: &CallSite) -> Markup {
    let frames: Vec<String> =
        site.symbol.as_deref().unwrap_or_default().split(" in ").filter(|it| !it.is_empty()).map(shortened).collect();
    html! {
        @match frames.as_slice() {
            [] => { "offset " (format!("{:#x}", site.offset)) }
            [one] => { code { (one) } }
            [first, .., last] => {
                details {
                    summary { code { (first) } @if first != last { span.quiet { " in " (last) } } }
                    ol { @for frame in &frames { li { code { (frame) } } } }
                }
            }
        }
    }
}

/// A function with its place, without the types of its parameters and the crates' names: `pool::allocate src/pool.rs:60`.
fn shortened(frame: &str) -> String {
    let (function, place) = frame.rsplit_once(" (").unwrap_or((frame, ""));
    let name = function.split_once('(').map_or(function, |(name, _)| name);
    let place = place.trim_end_matches(')');
    format!("{} {place}", name.replace("netio_anycast::", "").replace("netio_anycast_", "")).trim_end().to_owned()
}

fn pairs_of(pairs: &BTreeMap<String, Pairs>) -> Markup {
    html! {
        h3 { "Two failures in one run" }
        p { "After the first failure every service that is still called fails as well, once from every call stack." }
        div.scroll { table {
            thead { tr { th { "When" } th { "Failed first" } th { "Failed then" } th.number { "Ways" } } }
            tbody { @for (when, pairs) in pairs {
                @for (first, second, ways) in &pairs.pairs {
                    tr { td { (when) } td { code { (first) } } td { code { (second) } } td.number { (ways) } }
                }
                tr { td { (when) } td.quiet colspan="2" { "nothing was left to fail after the first" } td.number { (pairs.alone) } }
            } }
        } }
    }
}
