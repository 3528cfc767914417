//! Schedules: how many different orders there were, and what happened in the middle of what.

use maud::{Markup, html};
use netio_anycast_tests::facts::{Overlap, Race};

use super::heat::{self, Heat};
use super::plot::{self, Axis, Line, Scale};
use super::section::{Section, Verdict, figure, grouped};
use super::{Facts, Run};

const ID: &str = "schedules";
const TITLE: &str = "Threads that take turns";

pub(super) fn section(run: &Run<'_>, facts: &Facts) -> Section {
    let races: Vec<&Race> = facts.races.values().collect();
    if races.is_empty() {
        return Section::not_run(ID, TITLE, run.why_missing(ID));
    }
    let idle: Vec<&str> =
        races.iter().filter(|race| race.overlaps.is_empty()).map(|race| race.shows.as_str()).collect();
    let overlaps: u64 = races.iter().flat_map(|race| &race.overlaps).map(|overlap| overlap.times).sum();
    Section {
        id: ID,
        title: TITLE,
        verdict: if idle.is_empty() {
            Verdict::Holds
        } else {
            Verdict::Fails(format!("nothing raced with anything: {}", idle.join(", ")))
        },
        figures: vec![
            figure(races.len() as u64, "races"),
            figure(races.iter().map(|race| race.schedules).sum::<u64>(), "schedules"),
            figure(races.iter().map(|race| orders(race)).sum::<u64>(), "distinct orders"),
            figure(overlaps, "calls in the middle of another request"),
        ],
        body: html! {
            p {
                "The threads of a race take turns at every call of a service, in an order that follows from a seed. Two schedules are \
                 the same order if the threads call the same services in the same sequence. A curve that has become flat says that the \
                 race has hardly any other orders at this grain; one that still climbs, that more schedules would show more."
            }
            div.cards { @for race in races { (card(race)) } }
        },
    }
}

fn orders(race: &Race) -> u64 {
    race.distinct.last().map_or(0, |last| last.orders)
}

fn card(race: &Race) -> Markup {
    // Counts up to 2^52 are exact; a chart needs less.
    #[expect(clippy::cast_precision_loss, reason = "a chart is not exact")]
    let points = race.distinct.iter().map(|point| (point.schedules as f64, point.orders as f64));
    let line = Line {
        name: "distinct orders".to_owned(),
        colour: 1,
        points: std::iter::once((0.0, 0.0)).chain(points).collect(),
    };
    let axis = |label| Axis { label, scale: Scale::Linear };
    html! {
        article.card {
            h3 { (sentence(&race.shows)) }
            p.quiet { (grouped(orders(race))) " distinct orders in " (grouped(race.schedules)) " schedules" }
            (plot::lines(&race.shows, axis("schedules"), axis("distinct orders"), &[line]))
            (matrix(&race.overlaps))
        }
    }
}

/// What called services in the middle of what.
fn matrix(overlaps: &[Overlap]) -> Markup {
    let names = |name: fn(&Overlap) -> &String| {
        let mut names: Vec<&String> = overlaps.iter().map(name).collect();
        names.sort_unstable();
        names.dedup();
        names
    };
    let (open, calling) = (names(|overlap| &overlap.open), names(|overlap| &overlap.calling));
    let most = overlaps.iter().map(|overlap| overlap.times).max().unwrap_or(1);
    let heat = |row: &String, column: &String| {
        let same = overlaps.iter().filter(|overlap| overlap.open == *row && overlap.calling == *column);
        Heat { times: same.map(|overlap| overlap.times).sum(), broken: 0 }
    };
    html! {
        div.scroll { table.matrix.small {
            (heat::head("In the middle of \u{2193}, calls by \u{2192}", &[], calling.iter().map(|name| name.as_str())))
            tbody { @for row in open {
                tr {
                    th scope="row" { (row) }
                    @for column in &calling { (heat::cell(heat(row, column), most, &format!("{column} in the middle of {row}"))) }
                }
            } }
        } }
    }
}

/// With a capital letter.
fn sentence(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}
