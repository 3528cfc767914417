//! The goals that the driver is held to, and whether it meets them.

use std::fmt;

use crate::measurement::Figures;
use crate::subject::Subject;
use crate::workload::OperationName;

/// CREATE, DELETE and GET: the most instructions, in those of the pass-through driver.
const MOST_OF_PASS_THROUGH: f64 = 1.5;
/// CREATE, DELETE and GET: the most instructions, in those of the driver in C that does what the contract demands.
const MOST_OF_CHECKED: f64 = 1.2;
/// GET_TABLE: the most instructions, in those of copying and sorting the rows.
const MOST_OF_COPY_AND_SORT: f64 = 2.0;
/// What two figures that ought to be the same may differ by.
const TOLERANCE: f64 = 1.1;
/// CREATE of a lease: what the cost among many leases may be of that among fewer.
const MOST_AMONG_LEASES: f64 = 1.3;
/// With fewer rows, GET_TABLE's cost is that of a request as such.
const MANY_ROWS: u32 = 1_000;

/// One goal for one case.
#[derive(Debug)]
pub(crate) struct Goal {
    pub(crate) text: String,
    /// What was measured, in the goal's terms.
    pub(crate) measured: String,
    pub(crate) met: bool,
}

impl fmt::Display for Goal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = if self.met { "met   " } else { "MISSED" };
        write!(formatter, "{verdict}  {}: {}", self.text, self.measured)
    }
}

/// Every goal.
pub(crate) fn goals(figures: &[Figures]) -> Vec<Goal> {
    let mut goals: Vec<Goal> = figures.iter().flat_map(of_one).collect();
    for figure in figures {
        let smaller = figures.iter().find(|other| {
            other.case.operation == figure.case.operation
                && other.case.present < figure.case.present
                && (other.case.present >= MANY_ROWS || other.case.operation != OperationName::GetTable)
        });
        if let Some(smaller) = smaller {
            goals.push(growth(smaller, figure));
        }
    }
    goals
}

fn of_one(figures: &Figures) -> Vec<Goal> {
    let ours = figures.instructions(Subject::Driver);
    if !(figures.case.operation.is_plain() || figures.case.operation == OperationName::GetTable) {
        return Vec::new();
    }
    if figures.case.operation == OperationName::GetTable {
        if figures.case.present < MANY_ROWS {
            return Vec::new();
        }
        let ratio = ours / figures.instructions(Subject::CopyAndSort);
        return vec![Goal {
            text: format!("{}: at most {MOST_OF_COPY_AND_SORT} x copying and sorting", figures.case),
            measured: format!("{ratio:.2} x"),
            met: ratio <= MOST_OF_COPY_AND_SORT,
        }];
    }
    let ratio = ours / figures.instructions(Subject::PassThrough);
    let checked = ours / figures.instructions(Subject::Checked);
    let allocations = figures.of(Subject::Driver).cost.allocations;
    vec![
        Goal {
            text: format!("{}: at most {MOST_OF_PASS_THROUGH} x the pass-through driver in C", figures.case),
            measured: format!("{ratio:.2} x"),
            met: ratio <= MOST_OF_PASS_THROUGH,
        },
        Goal {
            text: format!("{}: at most {MOST_OF_CHECKED} x the contract by hand in C", figures.case),
            measured: format!("{checked:.2} x"),
            met: checked <= MOST_OF_CHECKED,
        },
        Goal {
            text: format!("{}: no allocation", figures.case),
            measured: format!("{allocations} per operation"),
            met: allocations == 0.0,
        },
    ]
}

/// What does not depend on the number of addresses should not, and what does should grow with it evenly.
fn growth(smaller: &Figures, larger: &Figures) -> Goal {
    let (few, many) = (smaller.case.present, larger.case.present);
    let name = larger.case.operation.title();
    if larger.case.operation == OperationName::GetTable {
        // Sorting has a logarithm more than linear.
        let comparisons = |rows: u32| f64::from(rows) * f64::from(rows).log2();
        let allowed = comparisons(many) / comparisons(few);
        let growth = larger.instructions(Subject::Driver) / smaller.instructions(Subject::Driver);
        return Goal {
            text: format!("{name}: grows from {few} to {many} rows as n log n does, {allowed:.1} x"),
            measured: format!("{growth:.1} x"),
            met: growth <= allowed * TOLERANCE,
        };
    }
    let (what, most) =
        if larger.case.operation.is_among_leases() { ("leases", MOST_AMONG_LEASES) } else { ("addresses", TOLERANCE) };
    let (before, after) = (smaller.instructions(Subject::Driver), larger.instructions(Subject::Driver));
    Goal {
        text: format!("{name}: at most {most} x as slow with {many} {what} present as with {few}"),
        measured: format!("{:.2} x, {before:.1} and {after:.1} instructions", after / before),
        met: after <= before * most,
    }
}
