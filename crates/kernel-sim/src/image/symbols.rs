//! Names for places in the driver, from the PDB that was linked with it.

use std::fmt;
use std::fs::File;
use std::path::Path;

use pdb_addr2line::{ContextPdbData, Frame, pdb};

/// A place in a driver's source.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The function.
    pub function: String,
    /// The last two components of its file's path, if it is known.
    pub file: Option<String>,
    /// The line.
    pub line: Option<u32>,
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.file, self.line) {
            (Some(file), Some(line)) => write!(formatter, "{} ({file}:{line})", self.function),
            _ => formatter.write_str(&self.function),
        }
    }
}

/// The functions at each of the offsets of the image, the innermost first, with their source lines. Empty if there is no PDB,
/// it can't be read, or it does not know the place: a report without names is better than none.
pub(super) fn places(pdb: &Path, offsets: &[usize]) -> Vec<Vec<Place>> {
    read(pdb, offsets).unwrap_or_else(|| vec![Vec::new(); offsets.len()])
}

fn read(pdb: &Path, offsets: &[usize]) -> Option<Vec<Vec<Place>>> {
    let data = ContextPdbData::try_from_pdb(pdb::PDB::open(File::open(pdb).ok()?).ok()?).ok()?;
    let context = data.make_context().ok()?;
    let at = |offset: &usize| -> Option<Vec<Place>> {
        let frames = context.find_frames(u32::try_from(*offset).ok()?).ok()??.frames;
        let place = |frame: Frame<'_>| Place {
            function: frame.function.unwrap_or_else(|| "?".to_owned()),
            file: frame.file.map(|file| short(&file)),
            line: frame.line,
        };
        Some(frames.into_iter().map(place).collect())
    };
    Some(offsets.iter().map(|offset| at(offset).unwrap_or_default()).collect())
}

/// The same of one offset in words.
pub(super) fn describe(pdb: &Path, offset: usize) -> Option<String> {
    let names: Vec<String> = places(pdb, &[offset]).first()?.iter().map(ToString::to_string).collect();
    (!names.is_empty()).then(|| names.join(" in "))
}

/// The last two components of a path: enough to find the file, short enough for a line.
fn short(path: &str) -> String {
    let components: Vec<&str> = path.split(['/', '\\']).collect();
    components[components.len().saturating_sub(2)..].join("/")
}
