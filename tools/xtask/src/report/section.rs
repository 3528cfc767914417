//! A part of the report: what it says, and what that comes to.

use std::fmt;

use maud::{Markup, html};

/// What a section comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Everything is as it must be.
    Holds,
    /// Something is as it should not be, and nobody is harmed: a goal of speed is missed.
    Remark(String),
    /// Something is as it must not be.
    Fails(String),
    /// Nothing was run that could tell.
    NotRun(String),
}

impl Verdict {
    /// The verdict as a class of the page's style.
    pub(crate) const fn class(&self) -> &'static str {
        match self {
            Self::Holds => "holds",
            Self::Remark(_) => "remark",
            Self::Fails(_) => "fails",
            Self::NotRun(_) => "not-run",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Holds => formatter.write_str("holds"),
            Self::Remark(what) => write!(formatter, "remark: {what}"),
            Self::Fails(what) => write!(formatter, "FAILS: {what}"),
            Self::NotRun(why) => write!(formatter, "not run: {why}"),
        }
    }
}

/// A number that stands for a section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Figure {
    pub(crate) value: String,
    pub(crate) label: String,
}

/// A figure from a count.
pub(crate) fn figure(value: impl TryInto<u64>, label: &str) -> Figure {
    Figure { value: grouped(value.try_into().unwrap_or(u64::MAX)), label: label.to_owned() }
}

/// A part of the report.
#[derive(Debug)]
pub(crate) struct Section {
    /// Names it in addresses.
    pub(crate) id: &'static str,
    pub(crate) title: &'static str,
    pub(crate) verdict: Verdict,
    pub(crate) figures: Vec<Figure>,
    pub(crate) body: Markup,
}

impl Section {
    /// A section of which nothing was run.
    pub(crate) fn not_run(id: &'static str, title: &'static str, verdict: Verdict) -> Self {
        Self { id, title, verdict, figures: Vec::new(), body: html! {} }
    }
}

/// A count with its thousands set apart.
pub(crate) fn grouped(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::new();
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A count in at most four characters.
pub(crate) fn compact(value: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(1_000_000_000, "G"), (1_000_000, "M"), (1_000, "k")];
    match UNITS.into_iter().find(|(unit, _)| value >= *unit) {
        None => value.to_string(),
        Some((unit, name)) if value < 10 * unit => format!("{}.{}{name}", value / unit, value % unit * 10 / unit),
        Some((unit, name)) => format!("{}{name}", value / unit),
    }
}

/// A count and its noun, which has an s in the plural.
pub(crate) fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}
