//! What operations cost: instructions and time, beside a pass-through driver in C and the model of NetIO.

use maud::{Markup, html};
use netio_anycast_tests::facts::{Case, Goal, Speed, Taken};

use super::plot::{self, Axis, Bar, Line, Scale, short};
use super::section::{Section, Verdict, figure};
use super::{Facts, Run};

const ID: &str = "speed";
const TITLE: &str = "What operations cost";

pub(super) fn section(run: &Run<'_>, facts: &Facts) -> Section {
    let Some(speed) = facts.speed.values().next() else {
        return Section::not_run(ID, TITLE, run.why_missing(ID));
    };
    let missed = speed.goals.iter().filter(|goal| !goal.met).count();
    Section {
        id: ID,
        title: TITLE,
        verdict: if missed == 0 {
            Verdict::Holds
        } else {
            Verdict::Remark(format!("{missed} of {} goals are missed", speed.goals.len()))
        },
        figures: vec![
            figure(speed.cases.len() as u64, "cases measured"),
            figure((speed.goals.len() - missed) as u64, "goals met"),
            figure(missed as u64, "goals missed"),
        ],
        body: html! {
            p {
                "Instructions are counted by callgrind, and only those of the image and its copying. Time is the median of several runs \
                 and includes the simulator, which is most of it. docs/benchmarks.md says more of how the figures come about."
            }
            (bars(speed))
            (curves(speed))
            (goals(&speed.goals))
            (table(&speed.cases))
        },
    }
}

/// The colour of a subject, the same in every plot.
fn colour(speed: &Speed, subject: &str) -> usize {
    let mut names: Vec<&str> = speed.cases.iter().flat_map(|case| &case.taken).map(|it| it.subject.as_str()).collect();
    let mut seen = Vec::new();
    names.retain(|name| {
        !seen.contains(name) && {
            seen.push(*name);
            true
        }
    });
    1 + names.iter().position(|name| *name == subject).unwrap_or(0)
}

/// Operations that take about as long whatever there is; the others are curves.
fn is_measured_at(speed: &Speed, case: &Case) -> usize {
    speed.cases.iter().filter(|other| other.operation == case.operation).count()
}

/// A chart for each operation of which there are few cases.
fn bars(speed: &Speed) -> Markup {
    let few = speed.cases.iter().filter(|case| is_measured_at(speed, case) <= 2);
    html! {
        h3 { "Instructions per operation" }
        div.cards { @for case in few {
            article.card {
                (plot::bars(&format!("{}, {} addresses there", case.operation, short(case.present.into())), &case.taken.iter().map(|taken| Bar {
                    name: taken.subject.clone(),
                    colour: colour(speed, &taken.subject),
                    value: taken.instructions,
                    text: short(taken.instructions),
                }).collect::<Vec<_>>(), None))
            }
        } }
    }
}

/// A chart for each operation of which there are many cases: its cost over the number of rows.
fn curves(speed: &Speed) -> Markup {
    let mut operations: Vec<&str> =
        speed.cases.iter().filter(|case| is_measured_at(speed, case) > 2).map(|case| case.operation.as_str()).collect();
    operations.dedup();
    let across = Axis { label: "rows", scale: Scale::Logarithmic };
    let axis = |label| Axis { label, scale: Scale::Logarithmic };
    html! { @for operation in operations {
        h3 { (operation) " by rows" }
        div.cards {
            article.card { (plot::lines(operation, across, axis("instructions"), &over_rows(speed, operation, |it| it.instructions))) }
            article.card { (plot::lines(operation, across, axis("microseconds"), &over_rows(speed, operation, |it| it.nanoseconds / 1e3))) }
        }
    } }
}

fn over_rows(speed: &Speed, operation: &str, value: fn(&Taken) -> f64) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    for case in speed.cases.iter().filter(|case| case.operation == operation) {
        for taken in &case.taken {
            let point = (f64::from(case.present), value(taken));
            if let Some(line) = lines.iter_mut().find(|line| line.name == taken.subject) {
                line.points.push(point);
            } else {
                let (name, colour) = (taken.subject.clone(), colour(speed, &taken.subject));
                lines.push(Line { name, colour, points: vec![point] });
            }
        }
    }
    lines
}

fn goals(goals: &[Goal]) -> Markup {
    html! {
        h3 { "Goals" }
        div.scroll { table {
            thead { tr { th {} th { "Goal" } th.number { "Measured" } } }
            tbody { @for goal in goals {
                tr {
                    td { @if goal.met { span.holds { "\u{2713}" } } @else { span.remark { "\u{2717} missed" } } }
                    td { (goal.text) }
                    td.number { (goal.measured) }
                }
            } }
        } }
    }
}

fn table(cases: &[Case]) -> Markup {
    html! {
        details {
            summary { "All figures" }
            div.scroll { table {
                thead { tr {
                    th { "Operation" } th.number { "Addresses" } th { "By" }
                    th.number { "Instructions" } th.number { "Calls" } th.number { "Allocations" } th.number { "Microseconds" }
                } }
                tbody { @for case in cases { @for taken in &case.taken {
                    tr {
                        td { (case.operation) } td.number { (case.present) } td { (taken.subject) }
                        td.number { (one_digit(taken.instructions)) } td.number { (one_digit(taken.calls)) }
                        td.number { (one_digit(taken.allocations)) } td.number { (one_digit(taken.nanoseconds / 1e3)) }
                    }
                } } }
            } }
        }
    }
}

fn one_digit(value: f64) -> String {
    if value.fract().abs() < 0.05 { format!("{value:.0}") } else { format!("{value:.1}") }
}
