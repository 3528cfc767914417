//! What the tests beside it share: the scenario that every kernel host runs, the driver that tells them in which order it is
//! sent what, the facts that they write for the report, and what reads the events that the driver writes.

#![forbid(unsafe_code)]

pub mod facts;
pub mod partner;
pub mod scenario;
pub mod trace_logging;
