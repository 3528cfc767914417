//! What the tests beside it share: the scenario that every kernel host runs, and the facts that they write for the report.

#![forbid(unsafe_code)]

pub mod facts;
pub mod scenario;
