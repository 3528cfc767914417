//! What the tests beside it share: the scenario that every kernel host runs.

#![forbid(unsafe_code)]

pub mod scenario;
