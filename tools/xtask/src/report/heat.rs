//! Matrices of counts, the more the darker.

use maud::{Markup, html};

use super::section::{compact, grouped};

/// One cell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Heat {
    /// How often.
    pub(crate) times: u64,
    /// How often it was as it must not be.
    pub(crate) broken: u64,
}

/// A cell of the matrix: its count, coloured by the count's magnitude in that of `most`; nothing if there is none.
pub(crate) fn cell(heat: Heat, most: u64, what: &str) -> Markup {
    let Heat { times, broken } = heat;
    if broken > 0 {
        return html! {
            td.broken title={ (what) ": broken " (grouped(broken)) " times, judged " (grouped(times)) " times" } {
                "\u{2717}" (compact(broken))
            }
        };
    }
    if times == 0 {
        return html! { td.none { "\u{b7}" } };
    }
    html! {
        td.heat style={ "--level:" (share(times, most)) "%" } title={ (what) ": " (grouped(times)) } { (compact(times)) }
    }
}

/// How dark a count is, in percent.
fn share(times: u64, most: u64) -> u32 {
    // The digits of a binary number are its magnitude.
    let magnitude = |count: u64| u64::BITS - count.leading_zeros();
    12 + 63 * magnitude(times) / magnitude(most).max(1)
}

/// The head of a matrix: what the rows are, and a name for each column.
pub(crate) fn head<'a>(rows: &str, before: &[&str], columns: impl Iterator<Item = &'a str>) -> Markup {
    html! {
        thead { tr {
            th scope="col" { (rows) }
            @for name in before { th scope="col" { (name) } }
            @for name in columns { th.turned scope="col" { span { (name) } } }
        } }
    }
}
