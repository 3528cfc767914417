//! Names for places in the driver, from the PDB that was linked with it.

use std::fs::File;
use std::path::Path;

use pdb_addr2line::{ContextPdbData, pdb};

/// The functions at an offset of the image, the innermost first, with their source lines. `None` if there is no PDB, it can't
/// be read, or it does not know the place: a report without names is better than none.
pub(super) fn describe(pdb: &Path, offset: usize) -> Option<String> {
    let data = ContextPdbData::try_from_pdb(pdb::PDB::open(File::open(pdb).ok()?).ok()?).ok()?;
    let context = data.make_context().ok()?;
    let place = context.find_frames(u32::try_from(offset).ok()?).ok()??;
    let names: Vec<String> = place
        .frames
        .into_iter()
        .map(|frame| {
            let function = frame.function.unwrap_or_else(|| "?".to_owned());
            match (frame.file, frame.line) {
                (Some(file), Some(line)) => format!("{function} ({}:{line})", short(&file)),
                _ => function,
            }
        })
        .collect();
    (!names.is_empty()).then(|| names.join(" in "))
}

/// The last two components of a path: enough to find the file, short enough for a line.
fn short(path: &str) -> String {
    let components: Vec<&str> = path.split(['/', '\\']).collect();
    components[components.len().saturating_sub(2)..].join("/")
}
