//! The simulated kernel and Wine's on one scenario.

use maud::html;
use netio_anycast_tests::facts::Agreement;

use super::section::{Section, Verdict, count, figure};
use super::{Facts, Run};

const ID: &str = "agreement";
const TITLE: &str = "Agreement with Wine\u{2019}s kernel";

pub(super) fn section(run: &Run<'_>, facts: &Facts) -> Section {
    let Some(Agreement { lines, listed, wrong }) = facts.agreement.values().next() else {
        return Section::not_run(ID, TITLE, run.why_missing(ID));
    };
    Section {
        id: ID,
        title: TITLE,
        verdict: if wrong.is_empty() && *lines > 0 {
            Verdict::Holds
        } else {
            Verdict::Fails(format!("{} not listed", count(wrong.len(), "difference")))
        },
        figures: vec![
            figure(*lines as u64, "lines compared"),
            figure(listed.len() as u64, "differences listed with their reason"),
            figure(wrong.len() as u64, "differences that are not"),
        ],
        body: html! {
            p {
                "The simulated kernel and Wine\u{2019}s, which nobody here wrote, ran the same image by the same scenario, "
                code { "tests/scenario/agreement.toml" } ", and their transcripts were compared line by line."
            }
            @if !wrong.is_empty() { h3 { "Wrong" } @for it in wrong { pre.fails { (it) } } }
            @if !listed.is_empty() {
                h3 { "Listed differences" }
                div.scroll { table {
                    thead { tr { th { "Asked" } th { "Simulated" } th { "Wine" } th { "Why" } } }
                    tbody { @for [asked, simulated, wine, reason] in listed {
                        tr { td { code { (asked) } } td { (simulated) } td { (wine) } td.reason { (reason) } }
                    } }
                } }
            }
        },
    }
}
