//! What a run finds out, in numbers: the lanes write it, and `cargo xtask verify` makes its report of it.
//!
//! [`FOLDER`] names a folder. A lane that is run with it writes its facts there by [`write()`], each as the file
//! `KIND.NAME.json`; without it, nothing is written. The report reads the folder by [`read()`]: a kind that nobody wrote is shown
//! as not run. A test writes its facts before it asserts anything of them, so that the report has them when it fails, too.

mod coverage;
mod faults;
mod rules;
mod schedules;
mod speed;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

pub use coverage::{Coverage, Function, Fuzzing, Growth, Sent};
pub use faults::{CallSite, Failure, Pairs, Sites};
pub use rules::{Cell, Control, Judgements, Rule};
pub use schedules::{Distinct, Overlap, Race};
pub use speed::{Case, Goal, Speed, Taken};

/// The environment variable that names the folder of the facts.
pub const FOLDER: &str = "NETIO_ANYCAST_FACTS";

/// What can be a file of facts.
pub trait Fact: Serialize + DeserializeOwned {
    /// The first part of the file's name.
    const KIND: &'static str;
}

/// What the two kernels' transcripts of one scenario have shown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, serde::Deserialize)]
pub struct Agreement {
    /// The lines that were compared.
    pub lines: usize,
    /// The lines that differ as the scenario lists it: what was asked, the two answers, and the reason.
    pub listed: Vec<[String; 4]>,
    /// What differs and is not listed, or is listed and does not differ, in words.
    pub wrong: Vec<String>,
}

impl Fact for Agreement {
    const KIND: &'static str = "agreement";
}

/// Writes a fact to the folder that [`FOLDER`] names, over what was there under its kind and `name`. Does nothing without a folder.
///
/// # Panics
/// If the file can't be written: a report without what was found out would be wrong.
pub fn write<F: Fact>(name: &str, fact: &F) {
    if let Some(folder) = std::env::var_os(FOLDER) {
        let folder = PathBuf::from(folder);
        write_to(&folder, name, fact).unwrap_or_else(|error| {
            panic!("cannot write facts to {}, which {FOLDER} names: {error}", folder.display());
        });
    }
}

/// Writes a fact to `folder`.
///
/// # Errors
/// The file can't be written.
pub fn write_to<F: Fact>(folder: &Path, name: &str, fact: &F) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let path = folder.join(format!("{}.{name}.json", F::KIND));
    // Whoever reads sees all of it or what was there before.
    let new = path.with_extension(format!("new-{}", std::process::id()));
    fs::write(&new, serde_json::to_vec(fact)?)?;
    fs::rename(new, path)
}

/// Every fact of one kind in `folder`, by name; none if the folder does not exist.
///
/// # Errors
/// A file can't be read or is none of this kind; the error names it.
pub fn read<F: Fact>(folder: &Path) -> io::Result<BTreeMap<String, F>> {
    let mut facts = BTreeMap::new();
    if !folder.exists() {
        return Ok(facts);
    }
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let name = name.strip_prefix(F::KIND).and_then(|name| name.strip_prefix('.')?.strip_suffix(".json"));
        let Some(name) = name.map(str::to_owned) else { continue };
        let fact = fs::read(&path).and_then(|bytes| Ok(serde_json::from_slice(&bytes)?));
        let fact = fact.map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))?;
        facts.insert(name, fact);
    }
    Ok(facts)
}
