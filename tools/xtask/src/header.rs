//! `include/netio_anycast.h`: the contract for C and C++, written from crates/protocol.
//!
//! cbindgen reads the structs and enumerations from the crate's source, with their documentation; [`c_text`] puts what it writes
//! into the names and types of Windows headers. Control codes, flags and layouts are not in the source's syntax but in the crate's
//! values, so they are written from those.

mod assertions;
mod c_text;
mod constants;
mod operations;
mod structs;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use similar::TextDiff;

use crate::step::Log;

/// What stands before and around the generated parts.
const TEMPLATE: &str = include_str!("header/template.h");

/// Writes the header anew, and returns its path.
///
/// # Errors
/// The crate's source can't be read, or the file can't be written.
pub(crate) fn write(root: &Path) -> Result<PathBuf> {
    let path = path(root);
    fs::write(&path, generate(root)?).with_context(|| format!("writing {}", path.display()))?;
    Ok(path)
}

/// The header in the work tree is what the crate says.
///
/// # Errors
/// It is not: the difference is in the log.
pub(crate) fn check(root: &Path, log: &Log) -> Result<()> {
    let path = path(root);
    let present = fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
    let current = generate(root)?;
    log.append(&difference(&present, &current))?;
    ensure!(present == current, "{} is not what crates/protocol says. Run: cargo xtask header", path.display());
    Ok(())
}

fn path(root: &Path) -> PathBuf {
    root.join("include/netio_anycast.h")
}

fn difference(present: &str, current: &str) -> String {
    TextDiff::from_lines(present, current).unified_diff().header("checked in", "generated").to_string()
}

fn generate(root: &Path) -> Result<String> {
    let sections = [
        ("constants", constants::text()),
        ("structs", structs::text(root, &structs::WIRE)?),
        ("assertions", assertions::wire()),
        ("operations", operations::text()),
        ("interface", structs::text(root, &structs::KERNEL)?),
        ("interface assertions", assertions::kernel()),
    ];
    let mut text = TEMPLATE.to_owned();
    for (name, section) in sections {
        let place = format!("@{name}@\n");
        ensure!(text.matches(&place).count() == 1, "the header's template has no place for the {name}");
        text = text.replace(&place, &section);
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root() -> PathBuf {
        crate::workspace_root()
    }

    #[test]
    fn the_header_has_no_rust_in_it() {
        let text = generate(&root()).expect("the crate can be read");
        for trace in ["::", "uint", "[`", "`]", "Netio said", "pub "] {
            let line = text.lines().find(|line| line.contains(trace));
            assert_eq!(line, None, "{trace:?}");
        }
        assert!(text.lines().all(|line| line.len() <= c_text::WIDTH), "no line is too long");
    }

    #[test]
    fn a_header_that_is_not_current_is_told_with_the_difference() {
        let text = generate(&root()).expect("the crate can be read");
        assert_eq!(difference(&text, &text), "");
        let older = text.replace("ULONG Lifetime;", "ULONG Duration;");
        let told = difference(&older, &text);
        assert!(told.contains("-  ULONG Duration;") && told.contains("+  ULONG Lifetime;"), "{told}");
    }
}
