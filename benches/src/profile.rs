//! Which source files the driver's instructions come from: the reason for what an operation takes.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};

/// The folders of this workspace whose code is in the image.
const FOLDERS: [&str; 3] = ["crates/engine/src/", "crates/protocol/src/", "src/"];
/// What is in none of them: Rust's library, thunks of imports.
const OTHER: &str = "elsewhere";

/// The instructions at offsets of the image, by the source file that they were written in, the most first.
///
/// Code of Rust's library that was inlined counts for the file that uses it.
///
/// # Errors
/// LLVM's symbolizer can't be run.
pub(crate) fn by_file(image: &Path, costs: &BTreeMap<usize, u64>, root: &Path) -> Result<Vec<(String, u64)>> {
    let mut symbolizer = Command::new("llvm-symbolizer-19")
        .arg(format!("--obj={}", image.display()))
        .args(["--relative-address", "--inlines"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot run llvm-symbolizer-19; Debian's package is called llvm-19")?;
    let addresses: String = costs.keys().map(|offset| format!("{offset:#x}\n")).collect::<Vec<_>>().concat();
    // What comes back may fill the pipe while this is written, so another thread writes.
    let mut input = symbolizer.stdin.take().context("it has a standard input")?;
    let writer = std::thread::spawn(move || input.write_all(addresses.as_bytes()));
    let output = symbolizer.wait_with_output().context("llvm-symbolizer-19 does not end")?;
    writer.join().expect("writing does not panic").context("llvm-symbolizer-19 takes no input")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let places: Vec<&str> = text.split_terminator("\n\n").collect();
    ensure!(places.len() == costs.len(), "llvm-symbolizer-19 has answered {} of {}", places.len(), costs.len());
    let mut files: BTreeMap<String, u64> = BTreeMap::new();
    for (place, cost) in places.into_iter().zip(costs.values()) {
        *files.entry(file(place, root)).or_default() += cost;
    }
    let mut files: Vec<_> = files.into_iter().collect();
    files.sort_by_key(|(_, cost)| std::cmp::Reverse(*cost));
    Ok(files)
}

/// The innermost of this workspace's files at a place. The symbolizer writes a line with a function and one with
/// `FILE:LINE:COLUMN` for each function inlined there, the innermost first.
fn file(place: &str, root: &Path) -> String {
    let lines = place.lines().skip(1).step_by(2);
    let ours = lines.filter_map(|line| {
        let path = line.rsplitn(3, ':').last()?;
        let path = Path::new(path);
        let path = path.strip_prefix(root).unwrap_or(path).to_str()?;
        FOLDERS.iter().any(|folder| path.starts_with(folder)).then(|| path.to_owned())
    });
    ours.into_iter().next().unwrap_or_else(|| OTHER.to_owned())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{OTHER, file};

    #[test]
    fn library_code_counts_for_the_file_that_uses_it() {
        let place = "core::copy\n/rust/library/core/src/ptr.rs:1:2\nreply::value\n/w/crates/engine/src/reply.rs:17:5\nrun\n/w/src/a.rs:1:1";
        assert_eq!(file(place, Path::new("/w")), "crates/engine/src/reply.rs");
        assert_eq!(file("core::copy\n/rust/library/core/src/ptr.rs:1:2", Path::new("/w")), OTHER);
    }
}
