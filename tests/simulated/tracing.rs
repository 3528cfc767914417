//! What the driver tells by ETW, as whoever records it reads it.
//!
//! `docs/tracing.md` is the list of events that each one here is held to.

mod decoding;
mod events;
mod listener;
