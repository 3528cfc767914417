//! The report of `cargo xtask verify`: what the facts of a run show, as a page and as a table on the terminal.
//!
//! Every part of the report is a [`Section`], made of the facts alone by a module of its own; the page and the table show the
//! same sections. What was not run is said to be so, with the reason.

mod agreement;
mod faults;
mod fuzzing;
mod heat;
mod page;
mod plot;
mod rules;
mod schedules;
mod section;
mod speed;
mod statements;
mod terminal;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use netio_anycast_tests::facts::{Agreement, Control, Coverage, Fuzzing, Judgements, Pairs, Race, Sites, Speed, read};

pub(crate) use section::{Section, Verdict};
pub(crate) use statements::Part;
pub(crate) use terminal::summary;

/// Everything that a run has found out.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    judgements: BTreeMap<String, Judgements>,
    controls: BTreeMap<String, Control>,
    sites: BTreeMap<String, Sites>,
    pairs: BTreeMap<String, Pairs>,
    races: BTreeMap<String, Race>,
    fuzzing: BTreeMap<String, Fuzzing>,
    coverage: BTreeMap<String, Coverage>,
    speed: BTreeMap<String, Speed>,
    agreement: BTreeMap<String, Agreement>,
}

impl Facts {
    /// Reads what the lanes have written to `folder`.
    ///
    /// # Errors
    /// A file can't be read or is none.
    pub(crate) fn read(folder: &Path) -> io::Result<Self> {
        Ok(Self {
            judgements: read(folder)?,
            controls: read(folder)?,
            sites: read(folder)?,
            pairs: read(folder)?,
            races: read(folder)?,
            fuzzing: read(folder)?,
            coverage: read(folder)?,
            speed: read(folder)?,
            agreement: read(folder)?,
        })
    }
}

/// What the page says of the run as a whole.
#[derive(Debug)]
pub(crate) struct Run<'a> {
    /// The image.
    pub(crate) image: &'a Path,
    /// How much was done.
    pub(crate) effort: String,
    /// When it began.
    pub(crate) began: String,
    /// How long it took.
    pub(crate) seconds: u64,
    /// Why lanes were not run, by the identifier of their section.
    pub(crate) missing: BTreeMap<&'static str, String>,
}

impl Run<'_> {
    /// Why the section has nothing to show.
    fn why_missing(&self, section: &'static str) -> Verdict {
        let reason = self.missing.get(section).cloned();
        Verdict::NotRun(reason.unwrap_or_else(|| "the lane that shows this has written nothing".to_owned()))
    }
}

/// Every section, in the order of the page.
pub(crate) fn sections(run: &Run<'_>, facts: &Facts, parts: &[Part]) -> Vec<Section> {
    vec![
        statements::section(parts),
        rules::section(run, facts),
        faults::section(run, facts),
        schedules::section(run, facts),
        fuzzing::section(run, facts),
        fuzzing::coverage(run, facts),
        speed::section(run, facts),
        agreement::section(run, facts),
    ]
}

/// Writes the page to `target/verification/report.html`, and returns its path.
///
/// # Errors
/// The file can't be written.
pub(crate) fn write(root: &Path, run: &Run<'_>, sections: &[Section]) -> Result<PathBuf> {
    let path = folder(root).join("report.html");
    fs::create_dir_all(folder(root)).with_context(|| format!("creating {}", folder(root).display()))?;
    fs::write(&path, page::page(run, sections).into_string()).with_context(|| format!("writing {}", path.display()))?;
    Ok(path)
}

/// Where the report and its facts are.
pub(crate) fn folder(root: &Path) -> PathBuf {
    root.join("target/verification")
}
