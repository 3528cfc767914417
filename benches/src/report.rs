//! The results as tables: for a terminal, and as Markdown.

use std::collections::BTreeSet;
use std::fmt;

use comfy_table::{CellAlignment, Table, TableStyle, presets};
use netio_anycast_tests::facts::{self, Speed, Taken};

use crate::callgrind::per_round;
use crate::goals::{self, Goal};
use crate::measurement::{Figures, Measured, REPETITIONS};
use crate::subject::Subject;
use crate::workload::{Case, OperationName};

/// The command that makes docs/benchmarks.md.
const COMMAND: &str = "cargo xtask bench";

/// The files that check a row and make it anew.
const ROW_FILES: [&str; 4] = ["/rows.rs", "/validate.rs", "/address.rs", "/row.rs"];

/// All results.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) figures: Vec<Figures>,
    /// The driver's instructions by source file, for all rounds of a case.
    pub(crate) profiles: Vec<(Case, Vec<(String, u64)>)>,
}

impl Report {
    /// The page in docs.
    pub(crate) fn markdown(&self) -> String {
        let goals = goals::goals(&self.figures);
        let (met, missed): (Vec<&Goal>, Vec<&Goal>) = goals.iter().partition(|goal| goal.met);
        let list = |goals: &[&Goal]| -> String {
            if goals.is_empty() {
                return "None.\n".to_owned();
            }
            let lines: Vec<String> =
                goals.iter().map(|goal| format!("- {}: **{}**\n", goal.text, goal.measured)).collect();
            lines.concat()
        };
        format!(
            "# What the driver costs\n\n\
             Results of the last run of `{COMMAND}`, which writes this page: don't edit it.\n\n\
             ## Goals missed\n{}\n{}## Goals met\n{}\n\
             ## CREATE, DELETE, GET\n{}\n## GET_TABLE\n{}\n\
             ## Where the driver's instructions are\n{}\n{}",
            list(&missed),
            if missed.is_empty() { String::new() } else { self.cause() },
            list(&met),
            self.operations(presets::ASCII_MARKDOWN),
            self.tables(presets::ASCII_MARKDOWN),
            self.places(presets::ASCII_MARKDOWN),
            explanation(),
        )
    }

    /// The results for the report of `cargo xtask verify`.
    pub(crate) fn facts(&self) -> Speed {
        let taken = |(subject, measured): (&Subject, &Measured)| Taken {
            subject: subject.to_string(),
            instructions: measured.cost.instructions,
            calls: measured.cost.calls,
            allocations: measured.cost.allocations,
            nanoseconds: measured.nanoseconds,
        };
        let case = |it: &Figures| facts::Case {
            operation: it.case.operation.operation().definition().name.to_owned(),
            present: it.case.present,
            taken: it.measured.iter().map(taken).collect(),
        };
        let goals = goals::goals(&self.figures).into_iter();
        Speed {
            cases: self.figures.iter().map(case).collect(),
            goals: goals.map(|Goal { text, measured, met }| facts::Goal { text, measured, met }).collect(),
        }
    }

    fn operations(&self, style: TableStyle) -> Table {
        let mut table = Table::new();
        table.load_style(style).set_header([
            "Operation",
            "Addresses",
            "C: instr.",
            "Driver: instr.",
            "Ratio",
            "C: calls",
            "Driver: calls",
            "Allocations",
            "NetIO's model: instr.",
            "Model: us",
            "C: us",
            "Driver: us",
        ]);
        for it in self.figures.iter().filter(|it| it.case.operation != OperationName::GetTable) {
            let (model, c, driver) = (it.of(Subject::Model), it.of(Subject::PassThrough), it.of(Subject::Driver));
            table.add_row([
                it.case.operation.operation().definition().name.to_owned(),
                it.case.present.to_string(),
                number(c.cost.instructions),
                number(driver.cost.instructions),
                format!("{:.2}", driver.cost.instructions / c.cost.instructions),
                number(c.cost.calls),
                number(driver.cost.calls),
                number(driver.cost.allocations),
                number(model.cost.instructions),
                microseconds(model.nanoseconds),
                microseconds(c.nanoseconds),
                microseconds(driver.nanoseconds),
            ]);
        }
        aligned(table)
    }

    /// Where most instructions are of operations that miss their goal.
    fn cause(&self) -> String {
        let mut shares = Vec::new();
        for (case, costs) in self.profiles.iter().filter(|(case, _)| case.operation != OperationName::GetTable) {
            let sum = |ours: fn(&str) -> bool| -> f64 {
                per_round(costs.iter().filter(|(file, _)| ours(file)).map(|(_, cost)| cost).sum(), *case)
            };
            let (row, all) = (sum(|file| ROW_FILES.iter().any(|end| file.ends_with(end))), sum(|_| true));
            let name = case.operation.operation().definition().name;
            shares.push(format!("{row:.0} of {all:.0} for {name}"));
        }
        format!(
            "The pass-through driver is one switch and two calls. The driver decodes and checks, makes NetIO's row anew, asks for \
             the IRQL before each call of NetIO, maps the status and counts the outcome; CREATE calls NetIO twice more for the \
             row as resolved. Checking the row and making it anew takes {} instructions; the rest is spread \
             (see *Where the driver's instructions are*). Nothing was made faster yet.\n\n",
            shares.join(", ")
        )
    }

    /// The profiles, a column for each operation.
    fn places(&self, style: TableStyle) -> Table {
        let mut table = Table::new();
        let mut header = vec!["File"];
        header.extend(self.profiles.iter().map(|(case, _)| case.operation.operation().definition().name));
        table.load_style(style).set_header(header);
        let files: BTreeSet<&String> =
            self.profiles.iter().flat_map(|(_, files)| files.iter().map(|it| &it.0)).collect();
        for file in files {
            let mut row = vec![file.clone()];
            for (case, costs) in &self.profiles {
                let cost = costs.iter().find(|it| it.0 == *file).map_or(0, |it| it.1);
                row.push(number(per_round(cost, *case)));
            }
            table.add_row(row);
        }
        aligned(table)
    }

    fn tables(&self, style: TableStyle) -> Table {
        let mut table = Table::new();
        table.load_style(style).set_header([
            "Rows",
            "Copy: instr.",
            "Copy and sort: instr.",
            "C: instr.",
            "Driver: instr.",
            "Driver / copy and sort",
            "Driver but sort, per row",
            "Model: us",
            "C: us",
            "Driver: us",
        ]);
        for it in self.figures.iter().filter(|it| it.case.operation == OperationName::GetTable) {
            let (ours, sorted) = (it.instructions(Subject::Driver), it.instructions(Subject::CopyAndSort));
            let per_row = (ours - it.sorting()) / f64::from(it.case.present.max(1));
            table.add_row([
                it.case.present.to_string(),
                number(it.instructions(Subject::Copy)),
                number(sorted),
                number(it.instructions(Subject::PassThrough)),
                number(ours),
                format!("{:.2}", ours / sorted),
                number(per_row),
                microseconds(it.of(Subject::Model).nanoseconds),
                microseconds(it.of(Subject::PassThrough).nanoseconds),
                microseconds(it.of(Subject::Driver).nanoseconds),
            ]);
        }
        aligned(table)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let style = presets::UTF8_BORDERS_ONLY;
        writeln!(formatter, "{}\n\nGET_TABLE\n{}\n", self.operations(style), self.tables(style))?;
        goals::goals(&self.figures).iter().try_for_each(|goal| writeln!(formatter, "{goal}"))
    }
}

/// How the figures came about.
fn explanation() -> String {
    format!(
        "## What the figures are\n\
         Every figure is per operation. *C* is `benches/pass_through.c`, built with the kit by clang 19 at `-O2`: it hands the \
         row in the system buffer to NetIO and NetIO's status to the caller, and nothing else. *Driver* is the shipped image. \
         Both run in the simulated kernel over the same model of NetIO.\n\n\
         **Instructions** are counted by callgrind: those at addresses of the image, and those of `memcpy` and `memset` where \
         the image imports them. NetIO's and the simulator's are not in them, nor is what the I/O manager does. *NetIO's \
         model* is what the model itself takes when it is called without a driver; the genuine NetIO was not measured.\n\n\
         **Calls** are those of imported functions. CREATE through the driver calls NetIO three times, since it returns the row \
         as resolved: Create, the index of the LUID, Get.\n\n\
         **Time** is the median of {REPETITIONS} repetitions in the same run, in microseconds, and includes the simulator: it \
         allocates each IRP and buffer beside a guard page and gives it back afterwards, which is most of the time of C and \
         driver alike. Other programs on the machine show in it: a driver that seems faster than C is not.\n\n\
         **GET_TABLE** gets its rows in the reverse of its order, so it has to sort them all. *Copy and sort* is the driver's \
         own sort, compiled into the benchmark, and one copy of the rows. The sort is n log n, so the whole is not linear in \
         rows; whether the rest of it is linear was not measured apart. Callgrind counts each byte that `rep movsb` copies as an instruction, which is what \
         the copies here come to.\n"
    )
}

fn aligned(mut table: Table) -> Table {
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

/// Whole numbers without a fraction, averages with one digit.
fn number(value: f64) -> String {
    if value.fract().abs() < 0.05 { format!("{value:.0}") } else { format!("{value:.1}") }
}

fn microseconds(nanoseconds: f64) -> String {
    format!("{:.1}", nanoseconds / 1e3)
}
