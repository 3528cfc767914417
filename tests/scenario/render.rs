//! How a transcript shows what came back: every byte of it, decoded where that says more.

use std::fmt::Write as _;

use netio_anycast_protocol::operation::Operation;
use netio_anycast_protocol::row::Row;
use netio_anycast_protocol::status::NtStatus;
use netio_anycast_protocol::table::TableHeader;
use zerocopy::FromBytes as _;

use super::Reply;

/// A status by name and number.
pub(super) fn status(status: NtStatus) -> String {
    status.to_string()
}

/// A reply in one line, and one more for each row of a table.
pub(super) fn reply(operation: Option<Operation>, reply: &Reply) -> Vec<String> {
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
                let TableHeader { count, total, generation } = header;
                let _ = write!(first, ", {count} of {total} rows, generation {generation}");
                let mut rows = rest.chunks_exact(size_of::<Row>());
                lines.extend(
                    rows.by_ref().filter_map(|bytes| Row::read_from_bytes(bytes).ok()).map(|row| self::row(&row)),
                );
                if !rows.remainder().is_empty() {
                    lines.push(format!("part of a row{}", words(rows.remainder())));
                }
            }
            Err(_) => first.push_str(&words(&reply.output)),
        },
        _ => first.push_str(&words(&reply.output)),
    }
    lines.insert(0, first);
    lines
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
