//! Requests that nobody thought of, and what they reached.

use serde::{Deserialize, Serialize};

use super::Fact;

/// What a fuzzer of the image has sent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fuzzing {
    /// The first seed.
    pub seed: u64,
    /// How often the driver was loaded.
    pub loads: u64,
    /// The IRPs that were sent.
    pub irps: u64,
    /// By operation and status.
    pub sent: Vec<Sent>,
}

impl Fact for Fuzzing {
    const KIND: &'static str = "fuzzing";
}

/// Requests of one operation that ended alike.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    /// The operation's name, or what else it was.
    pub operation: String,
    /// The status.
    pub status: String,
    /// How many.
    pub times: u64,
}

/// What of the image's code was executed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    /// By what, in words.
    pub by: String,
    /// The functions, in the order of the image.
    pub functions: Vec<Function>,
    /// How the executed blocks grew.
    pub growth: Vec<Growth>,
    /// The inputs that are kept for what they reached.
    pub corpus: usize,
}

impl Fact for Coverage {
    const KIND: &'static str = "coverage";
}

/// A function of the image.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Function {
    /// Its name, or its offset if nothing tells the name.
    pub name: String,
    /// Its basic blocks.
    pub blocks: usize,
    /// Those of them that were executed.
    pub covered: usize,
    /// Why the others can't be, if that is known.
    pub reason: Option<String>,
}

/// A point of a curve.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Growth {
    /// After so many IRPs
    pub irps: u64,
    /// so many blocks were executed.
    pub blocks: usize,
}
