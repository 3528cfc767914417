//! How a transcript shows what came back: every byte of it, decoded where that says more.

use std::fmt::Write as _;

use netio_anycast_protocol::apply::{ApplyReply, ItemOutcome};
use netio_anycast_protocol::lease::LeaseRow;
use netio_anycast_protocol::operation::Operation;
use netio_anycast_protocol::row::Row;
use netio_anycast_protocol::status::NtStatus;
use netio_anycast_protocol::table::TableHeader;
use netio_anycast_protocol::wait::Generation;
use zerocopy::FromBytes;

use super::Reply;
use crate::partner::{self, Entry};

/// A status by name and number.
pub(super) fn status(status: NtStatus) -> String {
    status.to_string()
}

/// A reply in one line, and one more for each row of a table. `process` names a process by its id.
pub(super) fn reply(operation: Option<Operation>, reply: &Reply, process: &dyn Fn(u32) -> String) -> Vec<String> {
    let mut first = status(reply.status);
    if let Some(information) = reply.information.filter(|_| !reply.status.is_error()) {
        let _ = write!(first, ", Information {information}");
    }
    let mut lines = Vec::new();
    match operation {
        Some(Operation::Create | Operation::Get) => match Row::read_from_bytes(&reply.output) {
            Ok(row) => first.extend([", ", &self::row(&row)]),
            Err(_) => first.push_str(&words(&reply.output)),
        },
        Some(Operation::GetTable) => match TableHeader::read_from_prefix(&reply.output) {
            Ok((header, rest)) => {
                let _ = write!(first, ", {}, generation {}", counts(header), header.generation);
                lines.extend(rows(rest, "row", row));
            }
            Err(_) => first.push_str(&words(&reply.output)),
        },
        Some(Operation::ListLeases) => match TableHeader::read_from_prefix(&reply.output) {
            Ok((header, rest)) => {
                let _ = write!(first, ", {}, generation {}", counts(header), header.generation);
                lines.extend(rows(rest, "row", |lease| self::lease(lease, process)));
            }
            Err(_) => first.push_str(&words(&reply.output)),
        },
        Some(Operation::Apply) => match ApplyReply::read_from_prefix(&reply.output) {
            Ok((ApplyReply { count, not_applied }, rest)) => {
                let _ = write!(first, ", {count} outcomes, {not_applied} not applied");
                lines.extend(rows(rest, "outcome", outcome));
            }
            Err(_) => first.push_str(&words(&reply.output)),
        },
        Some(Operation::WaitChange) => match Generation::read_from_bytes(&reply.output) {
            Ok(Generation(generation)) => {
                let _ = write!(first, ", generation {generation}");
            }
            Err(_) => first.push_str(&words(&reply.output)),
        },
        _ => first.push_str(&words(&reply.output)),
    }
    lines.insert(0, first);
    lines
}

/// The generation that a reply tells.
pub(super) fn generation(operation: Option<Operation>, reply: &Reply) -> Option<Generation> {
    match operation? {
        Operation::GetTable | Operation::ListLeases => {
            TableHeader::read_from_prefix(&reply.output).ok().map(|(header, _)| Generation(header.generation))
        }
        Operation::WaitChange => Generation::read_from_bytes(&reply.output).ok(),
        _ => None,
    }
}

fn counts(TableHeader { count, total, .. }: TableHeader) -> String {
    format!("{count} of {total} rows")
}

/// What follows the fixed part of an output: each in one line, and what is left over.
fn rows<T: FromBytes>(bytes: &[u8], noun: &str, show: impl Fn(&T) -> String) -> Vec<String> {
    let mut chunks = bytes.chunks_exact(size_of::<T>());
    let whole = chunks.by_ref().filter_map(|bytes| T::read_from_bytes(bytes).ok());
    let mut lines: Vec<String> = whole.map(|row| show(&row)).collect();
    if !chunks.remainder().is_empty() {
        lines.push(format!(
            "part of a{} {noun}{}",
            if noun == "outcome" { "n" } else { "" },
            words(chunks.remainder())
        ));
    }
    lines
}

/// A lease. Its age depends on the clock, and is told if it is more than a scenario takes.
fn lease(lease: &LeaseRow, process: &dyn Fn(u32) -> String) -> String {
    const OLD: u64 = 120_000;
    let LeaseRow { row, lifetime, flags, holders, process_id, age } = lease;
    let age = if *age < OLD { String::new() } else { format!(", {age} ms old") };
    let row = self::row(row);
    format!("{row}, lifetime {lifetime}, flags {flags:#x}, {holders} holders, by {}{age}", process(*process_id))
}

/// What became of an item of a batch.
fn outcome(outcome: &ItemOutcome) -> String {
    let ItemOutcome { status, netio_status, win32, field, state, reserved } = outcome;
    format!("{status}, NetIO {netio_status}, Win32 {win32}, field {field}, state {state}, reserved {reserved}")
}

/// The partner's journal: file objects are numbered in the order in which they appear. One that is created is a new one, also where
/// another was before.
pub(super) fn journal(entries: &[Entry]) -> Vec<String> {
    let mut files: Vec<u64> = Vec::new();
    let mut line = |entry: &Entry| {
        let known = files.iter().rposition(|file| *file == entry.file).filter(|_| entry.event != partner::CREATE);
        let file = known.unwrap_or_else(|| {
            files.push(entry.file);
            files.len() - 1
        });
        let mode = if entry.detail == 0 { "kernel mode" } else { "user mode" };
        let event = match entry.event {
            partner::CREATE => format!("IRP_MJ_CREATE from {mode}"),
            partner::CLEANUP => format!("IRP_MJ_CLEANUP from {mode}"),
            partner::CLOSE => format!("IRP_MJ_CLOSE from {mode}"),
            partner::PENDED => format!("a request from {mode} pends"),
            partner::CANCELLED => "a request is cancelled".to_owned(),
            partner::COMPLETED => format!("a request is completed with {}", NtStatus::from_bits(entry.detail)),
            other => format!("event {other:#x}"),
        };
        format!("file {}: {event}", file + 1)
    };
    entries.iter().map(&mut line).collect()
}

/// A row: address and interface in words, and what is in the bytes that those don't show, unless it is zero.
pub(super) fn row(row: &Row) -> String {
    let address = row.address.ip().map_or_else(|| format!("{:?}", row.address.family), |ip| ip.to_string());
    let mut text = format!("{address} luid {} index {} scope {:#x}", row.luid, row.index, row.scope_id);
    let shown = row.address.ip().map(netio_anycast_protocol::address::SocketAddress::new);
    if shown != Some(row.address) || row.padding != [0; 4] {
        let _ =
            write!(text, " port {:02x?} data {:02x?} padding {:02x?}", row.address.port, row.address.data, row.padding);
    }
    text
}

/// The length and the 32-bit words that are not zero, with their offsets; nothing if there are no bytes.
fn words(bytes: &[u8]) -> String {
    if bytes.is_empty() {
        return String::new();
    }
    let mut text = format!(", {} bytes:", bytes.len());
    for (number, word) in bytes.chunks(4).enumerate().filter(|(_, word)| word.iter().any(|byte| *byte != 0)) {
        let _ = write!(text, " +{:#x}={}", number * 4, hexadecimal(word));
    }
    text
}

/// The bytes of a little-endian number, as people write it.
fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().rev().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
