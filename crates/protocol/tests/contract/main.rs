//! The contract, held to the figures that callers in other languages rely on.

mod decoding;
mod golden;
mod interface;
mod layout;
mod operations;
mod samples;
mod statuses;
