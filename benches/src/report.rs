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
             ## CREATE, DELETE, GET\n{}\n## GET_TABLE\n{}\n## Leases and batches\n{}\n\
             ## Where the driver's instructions are\n{}\n{}",
            list(&missed),
            if missed.is_empty() { String::new() } else { self.cause() },
            list(&met),
            self.operations(presets::ASCII_MARKDOWN),
            self.tables(presets::ASCII_MARKDOWN),
            self.beyond(presets::ASCII_MARKDOWN),
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
            operation: it.case.operation.title().to_owned(),
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
            "Contract in C: instr.",
            "Driver: instr.",
            "Driver / C",
            "Driver / contract in C",
            "C: calls",
            "Contract in C: calls",
            "Driver: calls",
            "Allocations",
            "NetIO's model: instr.",
            "Model: us",
            "C: us",
            "Driver: us",
        ]);
        for it in self.figures.iter().filter(|it| it.case.operation.is_plain()) {
            let (model, c, driver) = (it.of(Subject::Model), it.of(Subject::PassThrough), it.of(Subject::Driver));
            let checked = it.of(Subject::Checked);
            table.add_row([
                it.case.operation.title().to_owned(),
                it.case.present.to_string(),
                number(c.cost.instructions),
                number(checked.cost.instructions),
                number(driver.cost.instructions),
                format!("{:.2}", driver.cost.instructions / c.cost.instructions),
                format!("{:.2}", driver.cost.instructions / checked.cost.instructions),
                number(c.cost.calls),
                number(checked.cost.calls),
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

    /// Why goals are missed: what the contract in C takes.
    fn cause(&self) -> String {
        let mut shares = Vec::new();
        for it in self.figures.iter().filter(|it| it.case.operation.is_plain() && it.case.present == 0) {
            let (c, checked) = (it.instructions(Subject::PassThrough), it.instructions(Subject::Checked));
            let name = it.case.operation.title();
            shares.push(format!("{:.2} x for {name}", checked / c));
        }
        format!(
            "The pass-through driver is one switch and two calls. What the contract demands beyond that (lengths and flags, the \
             address and the interface, NetIO's row without what a caller left in it, the IRQL, the status, counters and \
             generation, no stale byte in the output, and for CREATE the row as resolved, with another call of NetIO) takes a \
             driver in C that does it by hand, `benches/checked.c`, {} the pass-through driver's instructions. Whatever is \
             missed against the one is to be read beside the other. Neither driver in C knows leases, orders requests for one \
             address, or tells whoever waits of a change, as the driver does on the same way.\n\n",
            shares.join(", ")
        )
    }

    /// The profiles, a column for each operation.
    fn places(&self, style: TableStyle) -> Table {
        let mut table = Table::new();
        let mut header = vec!["File"];
        header.extend(self.profiles.iter().map(|(case, _)| case.operation.title()));
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

impl Report {
    /// What NetIO has no counterpart of.
    fn beyond(&self, style: TableStyle) -> Table {
        let mut table = Table::new();
        let header =
            ["Operation", "Present", "Driver: instr.", "Driver: calls", "Allocations", "Model: us", "Driver: us"];
        table.load_style(style).set_header(header);
        let beyond = |it: &&Figures| !(it.case.operation.is_plain() || it.case.operation == OperationName::GetTable);
        for it in self.figures.iter().filter(beyond) {
            let (model, driver) = (it.of(Subject::Model), it.of(Subject::Driver));
            table.add_row([
                it.case.operation.title().to_owned(),
                it.case.present.to_string(),
                number(driver.cost.instructions),
                number(driver.cost.calls),
                number(driver.cost.allocations),
                microseconds(model.nanoseconds),
                microseconds(driver.nanoseconds),
            ]);
        }
        aligned(table)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let style = presets::UTF8_BORDERS_ONLY;
        let tables = (self.operations(style), self.tables(style), self.beyond(style));
        writeln!(formatter, "{}\n\nGET_TABLE\n{}\n\nLeases and batches\n{}\n", tables.0, tables.1, tables.2)?;
        goals::goals(&self.figures).iter().try_for_each(|goal| writeln!(formatter, "{goal}"))
    }
}

/// How the figures came about.
fn explanation() -> String {
    format!(
        "## What the figures are\n\
         Every figure is per operation. *C* is `benches/pass_through.c`, built with the kit by clang 19 at `-O2`: it hands the \
         row in the system buffer to NetIO and NetIO's status to the caller, and nothing else. *Contract in C* is `benches/checked.c`, \
         built alike: it does by hand what the contract demands of CREATE, DELETE and GET. *Driver* is the shipped image. \
         All run in the simulated kernel over the same model of NetIO.\n\n\
         **Instructions** are counted by callgrind: those at addresses of the image, and those of `memcpy` and `memset` where \
         the image imports them. NetIO's and the simulator's are not in them, nor is what the I/O manager does. *NetIO's \
         model* is what the model itself takes when it is called without a driver; the genuine NetIO was not measured.\n\n\
         **Calls** are those of imported functions. CREATE through the driver calls NetIO twice, since it returns the row as \
         resolved: Create, then Get. The others call it once; the rest is the IRQL and the completion.\n\n\
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
