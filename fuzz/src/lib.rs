//! What is fuzzed: one request to an engine over a NetIO that answers as the fuzzer likes.
//!
//! A [`Case`] is what the fuzzer's bytes mean; [`check()`] is what must hold for every one. The seeds in `corpus/decode` are
//! the requests that matter, kept by `tests/seeds.rs`.

#![forbid(unsafe_code)]

mod case;
mod check;
mod netio;

pub use case::Case;
pub use check::check;
