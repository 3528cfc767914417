//! `docs/status-mapping.md`, and the statuses of malformed requests in `docs/protocol.md`.

use netio_anycast_engine::status_map::KNOWN;
use netio_anycast_protocol::explanation::EXPLANATIONS;
use netio_anycast_protocol::status::NtStatus;
use netio_anycast_protocol::win32::Win32Error;

use crate::generated::{check, table};

fn name(status: NtStatus) -> String {
    match (status.name(), status.bits()) {
        (Some(name), _) => name.to_owned(),
        (None, bits @ ..=0xFFFF) => format!("Win32 {bits}, as it is"),
        (None, bits) => format!("Win32 {}, by NTSTATUS_FROM_WIN32", bits & 0xFFFF),
    }
}

fn hex(status: NtStatus) -> String {
    format!("`{:#010X}`", status.bits())
}

fn win32(status: NtStatus) -> String {
    let code = Win32Error::from_status(status);
    match code.name() {
        Some(name) => format!("{} {name}", code.0),
        None => code.0.to_string(),
    }
}

#[test]
fn the_map_is_the_engines() {
    let rows = KNOWN.iter().map(|(raw, status)| [hex(*raw), name(*raw), name(*status)]);
    check("status-mapping.md", "map", &table(["NetIO returns", "which is", "The request ends with"], rows));
}

#[test]
fn the_explanations_are_the_protocols() {
    let rows = EXPLANATIONS.iter().map(|explanation| {
        let status = explanation.status;
        // A backslash escapes what follows it in Markdown.
        let [meaning, action] = [explanation.meaning, explanation.action].map(|text| text.replace('\\', r"\\"));
        [name(status), hex(status), win32(status), meaning, action]
    });
    let head = ["Status", "Value", "GetLastError", "Meaning", "What to do"];
    check("status-mapping.md", "statuses", &table(head, rows));
}

#[test]
fn malformed_requests_end_as_documented() {
    let rules = [
        (NtStatus::OBJECT_NAME_INVALID, "opening: the name goes on below the device, as in `\\\\.\\NetioAnycast\\x`"),
        (NtStatus::ACCESS_DENIED, "the handle was not opened for the access that the code needs (I/O manager)"),
        (NtStatus::INVALID_DEVICE_REQUEST, "the control code is no operation's"),
        (NtStatus::INFO_LENGTH_MISMATCH, "the input does not have exactly the operation's length"),
        (
            NtStatus::BUFFER_TOO_SMALL,
            "the output buffer can't hold the fixed part of the output, or not every outcome of a batch",
        ),
        (
            NtStatus::INVALID_PARAMETER,
            "something reserved is not zero, a flag or a lifetime is unknown, a count is wrong",
        ),
    ];
    let rows = rules.map(|(status, rule)| [rule.to_owned(), name(status), hex(status), win32(status)]);
    check("protocol.md", "malformed", &table(["What is wrong", "Status", "Value", "GetLastError"], rows));
}

#[test]
fn refused_requests_for_the_interface_end_as_documented() {
    let rules = [
        (
            NtStatus::INVALID_DEVICE_REQUEST,
            "it did not come with IRP_MJ_INTERNAL_DEVICE_CONTROL, or comes from user mode",
        ),
        (NtStatus::INFO_LENGTH_MISMATCH, "the input does not have exactly its length"),
        (NtStatus::INVALID_PARAMETER, "`reserved` is not zero"),
        (NtStatus::REVISION_MISMATCH, "the driver does not know the version"),
        (NtStatus::INVALID_PARAMETER, "the size is not that version's"),
        (NtStatus::BUFFER_TOO_SMALL, "the table does not fit into the output buffer"),
        (NtStatus::INVALID_PARAMETER, "the IRP has no file object"),
        (NtStatus::INSUFFICIENT_RESOURCES, "there is no memory for a context"),
    ];
    let rows = rules.map(|(status, rule)| [rule.to_owned(), name(status), hex(status)]);
    check("protocol.md", "refused interface", &table(["What is wrong", "Status", "Value"], rows));
}
