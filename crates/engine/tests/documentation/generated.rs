//! Sections of a document between `<!-- generated: NAME -->` and `<!-- end -->`.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::{env, fs};

const END: &str = "<!-- end -->";

/// Held from reading a document to writing it: its sections are checked by tests that run at the same time.
static DOCUMENTS: Mutex<()> = Mutex::new(());

/// Checks that the section `name` of `docs/file` is `expected`, or makes it so when asked to.
pub(crate) fn check(file: &str, name: &str, expected: &str) {
    let _held = DOCUMENTS.lock().unwrap_or_else(PoisonError::into_inner);
    let path = path(file);
    let document = read(&path);
    let current = with_section(&document, name, expected)
        .unwrap_or_else(|| panic!("{file} has no section `{}` that ends with `{END}`", start(name)));
    if env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, &current).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    } else {
        let command = "UPDATE_DOCS=1 cargo test -p netio-anycast-engine --test documentation";
        assert!(document == current, "docs/{file}, section `{name}`, is not what the code does. Run: {command}");
    }
}

/// The text of `docs/file`.
pub(crate) fn read_document(file: &str) -> String {
    let _held = DOCUMENTS.lock().unwrap_or_else(PoisonError::into_inner);
    read(&path(file))
}

/// A Markdown table.
pub(crate) fn table<const COLUMNS: usize>(
    head: [&str; COLUMNS],
    rows: impl IntoIterator<Item = [String; COLUMNS]>,
) -> String {
    let line = |cells: [&str; COLUMNS]| format!("| {} |\n", cells.join(" | "));
    let rows = rows.into_iter().map(|row| line(row.each_ref().map(String::as_str)));
    [line(head), format!("|{}\n", "---|".repeat(COLUMNS))].into_iter().chain(rows).collect()
}

fn path(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(file)
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn start(name: &str) -> String {
    format!("<!-- generated: {name} -->")
}

/// The document with that text in the section, or `None` if it has no such section.
fn with_section(document: &str, name: &str, section: &str) -> Option<String> {
    let (before, rest) = document.split_once(&start(name))?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{}\n{section}{END}{after}", start(name)))
}

#[test]
fn a_section_that_differs_is_noticed() {
    let document = "text\n<!-- generated: one -->\nold\n<!-- end -->\nmore\n";
    assert_eq!(with_section(document, "one", "old\n").as_deref(), Some(document));
    assert_ne!(with_section(document, "one", "new\n").as_deref(), Some(document));
    assert_eq!(with_section(document, "two", "old\n"), None);
}
