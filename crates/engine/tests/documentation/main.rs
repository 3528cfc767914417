//! `docs/protocol.md`, `docs/status-mapping.md` and `docs/kernel-clients.md` say what the code does.
//!
//! Their tables stand between markers and are generated from the operation table, the structs and the status map.
//! `UPDATE_DOCS=1 cargo test -p netio-anycast-engine --test documentation` writes them anew.

mod generated;
mod kernel_clients;
mod operations;
mod statuses;
mod structs;
mod values;
