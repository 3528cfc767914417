//! The page around the sections.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::Run;
use super::section::{Section, Verdict};

/// Light and dark; nothing is loaded from elsewhere, and nothing is a script.
const STYLE: &str = include_str!("style.css");

pub(super) fn page(run: &Run<'_>, sections: &[Section]) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { "netio-anycast: verification" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header {
                    h1 { "netio-anycast: what was verified" }
                    (banner(sections))
                    dl {
                        dt { "Image" } dd { code { (run.image.display()) } }
                        dt { "When" } dd { (run.began) ", in " (run.seconds) " s" }
                        dt { "Effort" } dd { (run.effort) }
                        dt { "Not shown here" } dd { "what only Windows can: see docs/verification.md" }
                    }
                }
                nav.tiles { @for section in sections { (tile(section)) } }
                main { @for section in sections { (part(section)) } }
            }
        }
    }
}

/// The verdict on everything.
fn banner(sections: &[Section]) -> Markup {
    let titles = |wanted: fn(&Verdict) -> bool| {
        let found = sections.iter().filter(|section| wanted(&section.verdict)).map(|section| section.title);
        found.collect::<Vec<_>>().join(", ")
    };
    let failed = titles(|verdict| matches!(verdict, Verdict::Fails(_)));
    let not_run = titles(|verdict| matches!(verdict, Verdict::NotRun(_)));
    html! {
        @if failed.is_empty() {
            p.banner.holds { "Everything that was run holds." @if !not_run.is_empty() { " Not run: " (not_run) "." } }
        } @else {
            p.banner.fails { "Something does not hold: " (failed) "." @if !not_run.is_empty() { " Not run: " (not_run) "." } }
        }
    }
}

fn tile(section: &Section) -> Markup {
    html! {
        a class={ "tile " (section.verdict.class()) } href={ "#" (section.id) } {
            strong { (section.title) }
            @match section.figures.first() {
                Some(figure) => { span.figure { (figure.value) } span.quiet { (figure.label) } }
                None => { span.quiet { "not run" } }
            }
        }
    }
}

fn part(section: &Section) -> Markup {
    html! {
        section id=(section.id) {
            h2 { (section.title) }
            p class={ "verdict " (section.verdict.class()) } { (section.verdict) }
            @if !section.figures.is_empty() {
                ul.figures { @for figure in &section.figures {
                    li { span.figure { (figure.value) } " " span.quiet { (figure.label) } }
                } }
            }
            (section.body)
        }
    }
}
