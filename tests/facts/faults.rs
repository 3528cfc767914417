//! Services that were made to fail.

use serde::{Deserialize, Serialize};

use super::Fact;

/// Every place in the image's code that calls a service which may fail.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sites {
    /// In the order of the image.
    pub sites: Vec<CallSite>,
}

impl Fact for Sites {
    const KIND: &'static str = "sites";
}

/// One call in the image's code.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallSite {
    /// The service.
    pub service: String,
    /// The offset of the instruction in the image.
    pub offset: usize,
    /// The functions there, the innermost first, if the PDB tells.
    pub symbol: Option<String>,
    /// How the call has failed: once from each call stack, in each operation.
    pub failures: Vec<Failure>,
    /// Why it can't be reached, if it can't.
    pub unreachable: Option<String>,
}

/// One failure.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// What the driver was asked to do.
    pub operation: String,
    /// What came of it: a status, or in words.
    pub outcome: String,
    /// The calls that led there, the innermost first: offsets in the image.
    pub stack: Vec<usize>,
}

/// Runs in which two services failed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pairs {
    /// The runs in which a second service failed after the first: services and how many ways there are.
    pub pairs: Vec<(String, String, usize)>,
    /// The runs in which nothing was left to fail after the first.
    pub alone: usize,
}

impl Fact for Pairs {
    const KIND: &'static str = "pairs";
}
