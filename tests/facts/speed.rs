//! What the benchmark has measured.

use serde::{Deserialize, Serialize};

use super::Fact;

/// One run of the benchmark.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Speed {
    /// What was measured.
    pub cases: Vec<Case>,
    /// What the driver is held to.
    pub goals: Vec<Goal>,
}

impl Fact for Speed {
    const KIND: &'static str = "speed";
}

/// One operation, with so many addresses there.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Case {
    /// The operation's name.
    pub operation: String,
    /// The addresses that were there before: the rows of a table.
    pub present: u32,
    /// What each of those who did it has taken.
    pub taken: Vec<Taken>,
}

/// What one who did the operation has taken, per operation.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Taken {
    /// Who: the driver, the pass-through driver in C, the model of NetIO, ...
    pub subject: String,
    /// Instructions, by callgrind.
    pub instructions: f64,
    /// Calls of imported functions.
    pub calls: f64,
    /// Allocations of pool.
    pub allocations: f64,
    /// The median of the times, in nanoseconds, the simulator's own included.
    pub nanoseconds: f64,
}

/// A goal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Goal {
    /// What was to be reached.
    pub text: String,
    /// What was measured.
    pub measured: String,
    /// Whether that is enough.
    pub met: bool,
}
