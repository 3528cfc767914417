//! The rules that the simulated kernel has judged by.

use serde::{Deserialize, Serialize};

use super::Fact;

/// How often each rule was judged during each operation, over all simulated kernels of one process.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judgements {
    /// Every rule there is, in the simulated kernel's order.
    pub rules: Vec<Rule>,
    /// Where a rule was judged at all; each pair of rule and operation at most once.
    pub cells: Vec<Cell>,
}

impl Fact for Judgements {
    const KIND: &'static str = "judgements";
}

/// A rule.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// Its name in `kernel_sim::Rule`.
    pub name: String,
    /// What it demands.
    pub title: String,
    /// The documentation that states it, as an address.
    pub page: String,
    /// On what occasions it is judged, in words.
    pub occasion: String,
}

/// A rule during an operation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cell {
    /// The rule's name.
    pub rule: String,
    /// What the driver was asked to do: an operation's name, IRP_MJ_*, DriverEntry, DriverUnload, ...
    pub operation: String,
    /// How often there was an occasion to break it.
    pub judged: u64,
    /// How often it was broken.
    pub broken: u64,
}

/// A driver that breaks one rule on purpose.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Control {
    /// The rule that it breaks.
    pub rule: String,
    /// The rules that were reported: the one, if the simulated kernel is right.
    pub reported: Vec<String>,
}

impl Fact for Control {
    const KIND: &'static str = "control";
}
