//! How people read what the commands tell. The text has ANSI colours; who prints it drops them where they don't show.

use anstyle::{AnsiColor, Style};
use comfy_table::{Table, presets};

pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
pub(crate) const BAD: Style = AnsiColor::Red.on_default();
pub(crate) const NOTE: Style = AnsiColor::Yellow.on_default();
pub(crate) const ERROR: Style = AnsiColor::Red.on_default().bold();
pub(crate) const LABEL: Style = Style::new().bold();

/// A table with a heading over each column.
pub(crate) fn table<const N: usize>(headings: [&str; N], rows: impl IntoIterator<Item = [String; N]>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(headings);
    table.add_rows(rows);
    // Without the blanks around it.
    let lines: Vec<String> = table.lines().map(|line| line.trim().to_owned() + "\n").collect();
    lines.concat()
}

/// Labels and values, one pair a line.
pub(crate) fn list(pairs: &[(&str, String)]) -> String {
    let width = pairs.iter().map(|(label, _)| label.len()).max().unwrap_or_default();
    let lines: Vec<String> =
        pairs.iter().map(|(label, value)| format!("{LABEL}{label:width$}{LABEL:#}  {value}\n")).collect();
    lines.concat()
}
