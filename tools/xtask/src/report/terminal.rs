//! The report's summary on the terminal.

use comfy_table::{Table, presets};

use super::section::{Section, Verdict};

/// A table with a row for each section: what it comes to, and its figures.
pub(crate) fn summary(sections: &[Section]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_BORDERS_ONLY).set_header(["", "Verdict", "Figures"]);
    table.set_content_arrangement(comfy_table::ContentArrangement::Dynamic);
    for section in sections {
        let figures: Vec<String> =
            section.figures.iter().map(|figure| format!("{} {}", figure.value, figure.label)).collect();
        let verdict = match &section.verdict {
            Verdict::NotRun(_) => "not run".to_owned(),
            verdict => verdict.to_string(),
        };
        let figures = match &section.verdict {
            Verdict::NotRun(why) => why.clone(),
            _ => figures.join(", "),
        };
        table.add_row([section.title.to_owned(), verdict, figures]);
    }
    table
}
