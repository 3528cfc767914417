//! Rules and operations: how often each rule was judged during each operation, and which control breaks it.

use std::collections::BTreeMap;

use maud::{Markup, html};
use netio_anycast_protocol::operation::OPERATIONS;
use netio_anycast_tests::facts::{Cell, Control, Rule};

use super::heat::{self, Heat};
use super::section::{Section, Verdict, count, figure};
use super::{Facts, Run};

const ID: &str = "rules";
const TITLE: &str = "Rules and operations";
/// What comes before and after the operations.
const BEFORE: [&str; 2] = ["DriverEntry", "IRP_MJ_CREATE"];
const AFTER: [&str; 5] = ["other control codes", "IRP_MJ_CLEANUP", "IRP_MJ_CLOSE", "work items", "DriverUnload"];

pub(super) fn section(run: &Run<'_>, facts: &Facts) -> Section {
    let rules: Vec<&Rule> = facts.judgements.values().next().map(|it| it.rules.iter().collect()).unwrap_or_default();
    if rules.is_empty() {
        return Section::not_run(ID, TITLE, run.why_missing(ID));
    }
    let cells: Vec<&Cell> = facts.judgements.values().flat_map(|it| &it.cells).collect();
    let judged: u64 = cells.iter().map(|cell| cell.judged).sum();
    let broken: u64 = cells.iter().map(|cell| cell.broken).sum();
    let never = rules.iter().filter(|rule| !cells.iter().any(|cell| cell.rule == rule.name)).count();
    Section {
        id: ID,
        title: TITLE,
        verdict: verdict(&cells, &facts.controls, &rules),
        figures: vec![
            figure(rules.len() as u64, "rules"),
            figure(judged, "judgements"),
            figure(broken, "broken"),
            figure(never as u64, "never judged for want of an occasion"),
            figure(facts.controls.len() as u64, "controls"),
        ],
        body: body(&rules, &cells, &facts.controls),
    }
}

/// Whether a control is caught by the rule that it breaks, and by that alone.
fn is_caught(control: &Control) -> bool {
    control.reported == [control.rule.as_str()]
}

fn verdict(cells: &[&Cell], controls: &BTreeMap<String, Control>, rules: &[&Rule]) -> Verdict {
    let broken: Vec<String> = cells
        .iter()
        .filter(|cell| cell.broken > 0)
        .map(|cell| format!("{} during {}", cell.rule, cell.operation))
        .collect();
    let escaped: Vec<&str> = controls.iter().filter(|it| !is_caught(it.1)).map(|it| it.0.as_str()).collect();
    let without: Vec<&str> = rules
        .iter()
        .map(|rule| rule.name.as_str())
        .filter(|rule| !controls.values().any(|control| control.rule == *rule))
        .collect();
    if !broken.is_empty() {
        Verdict::Fails(format!("broken: {}", broken.join(", ")))
    } else if !escaped.is_empty() {
        Verdict::Fails(format!("controls that are not caught by their rule alone: {}", escaped.join(", ")))
    } else if !without.is_empty() {
        Verdict::Fails(format!("rules without a control: {}", without.join(", ")))
    } else {
        Verdict::Holds
    }
}

/// The columns that have anything, in an order that follows a driver's life.
fn columns(cells: &[&Cell]) -> Vec<String> {
    let operations = OPERATIONS.iter().map(|definition| definition.name);
    let known: Vec<&str> = BEFORE.into_iter().chain(operations).chain(AFTER).collect();
    let mut columns: Vec<String> = cells.iter().map(|cell| cell.operation.clone()).collect();
    columns.sort_by_key(|name| (known.iter().position(|other| other == name).unwrap_or(known.len()), name.clone()));
    columns.dedup();
    columns
}

fn body(rules: &[&Rule], cells: &[&Cell], controls: &BTreeMap<String, Control>) -> Markup {
    let columns = columns(cells);
    let most = cells.iter().map(|cell| cell.judged).max().unwrap_or(1);
    let heat = |rule: &Rule, column: &str| {
        cells.iter().filter(|cell| cell.rule == rule.name && cell.operation == column).fold(
            Heat::default(),
            |sum, cell| Heat { times: sum.times + cell.judged, broken: sum.broken + cell.broken },
        )
    };
    html! {
        p {
            "A cell says how often, while the driver served that operation, something happened at which the simulated kernel \
             judges that rule: every call of a service for the IRQL, every free for the rules of pool, every end of the driver for what \
             is left. Point at a rule to read on which occasions it is judged. All tests of the image are counted together. "
            "A dot says that there was no occasion, and so nothing was shown; a cross that the rule was broken, and how often."
        }
        div.scroll { table.matrix {
            (heat::head("Rule", &["Control"], columns.iter().map(String::as_str)))
            tbody { @for rule in rules {
                tr {
                    th scope="row" title={ "judged at: " (rule.occasion) } {
                        a href=(rule.page) { (rule.title) } " " code { (rule.name) }
                    }
                    td.controls { (controls_of(rule, controls)) }
                    @for column in &columns {
                        (heat::cell(heat(rule, column), most, &format!("{}, {column}", rule.name)))
                    }
                }
            } }
        } }
    }
}

/// The drivers that break the rule on purpose.
fn controls_of(rule: &Rule, controls: &BTreeMap<String, Control>) -> Markup {
    let own: Vec<_> = controls.iter().filter(|(_, control)| control.rule == rule.name).collect();
    let caught = own.iter().filter(|(_, control)| is_caught(control)).count();
    let names: Vec<&str> = own.iter().map(|(name, _)| name.as_str()).collect();
    let title = format!("{}: {}", count(own.len(), "driver"), names.join(", "));
    html! {
        @if own.is_empty() { span.fails title="no control breaks this rule" { "none" } }
        @else if caught == own.len() { span.holds title=(title) { "\u{2713}" (caught) } }
        @else { span.fails title=(title) { "\u{2717} " (caught) " of " (own.len()) } }
    }
}
