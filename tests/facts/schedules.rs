//! Threads that took turns.

use serde::{Deserialize, Serialize};

use super::Fact;

/// What one test of a race has run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Race {
    /// What it shows, as a sentence.
    pub shows: String,
    /// The seeds that were run.
    pub schedules: u64,
    /// The different orders in which services were called by the threads, as they were found.
    pub distinct: Vec<Distinct>,
    /// What was going on while something else was.
    pub overlaps: Vec<Overlap>,
}

impl Fact for Race {
    const KIND: &'static str = "race";
}

/// A point of a curve.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Distinct {
    /// After so many schedules
    pub schedules: u64,
    /// there were so many different orders.
    pub orders: u64,
}

/// A service was called for one operation by one thread while another thread was in the middle of another.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overlap {
    /// The operation in the middle.
    pub open: String,
    /// The operation that called a service.
    pub calling: String,
    /// How often, over all schedules.
    pub times: u64,
}
