//! What holds for every request and every answer of NetIO's.

use netio_anycast_engine::{Completion, Engine, SystemBuffer};
use netio_anycast_protocol::operation::Operation;
use netio_anycast_protocol::request::Request;
use netio_anycast_protocol::row::Row;
use netio_anycast_protocol::status::NtStatus;
use netio_anycast_protocol::table::TableHeader;
use zerocopy::FromBytes;

use crate::case::Case;
use crate::netio::ScriptedNetio;

/// What the buffer holds before the request, so that a byte written by mistake is seen.
const UNTOUCHED: u8 = 0xA5;

/// Serves the request of `case`.
///
/// # Panics
/// A promise of the contract was broken: something malformed reached NetIO, a failure of NetIO's was taken for success, more
/// was written than was said, or a table is out of order.
pub fn check(case: &Case) {
    let output_length = usize::from(case.output_length);
    let mut buffer = vec![UNTOUCHED; case.input.len().max(output_length)];
    buffer[..case.input.len()].copy_from_slice(&case.input);
    let before = buffer.clone();

    let netio = ScriptedNetio::new(case.netio_status, &case.rows);
    let request = SystemBuffer { bytes: &mut buffer, input_length: case.input.len(), output_length };
    let completion = Engine::new(&netio).serve(case.control_code, request);

    let Completion { status, information } = completion;
    assert!(information <= output_length, "more output than room");
    assert!(!status.is_error() || information == 0, "an error returned output");
    assert_eq!(buffer[information..], before[information..], "written behind the output");

    let operation = Operation::from_control_code(case.control_code);
    let decoded = operation
        .ok_or(NtStatus::INVALID_DEVICE_REQUEST)
        .and_then(|operation| Request::decode(operation, &case.input, output_length));
    match decoded {
        Err(malformed) => {
            assert_eq!(status, malformed);
            assert_eq!(netio.calls(), 0, "a malformed request reached NetIO");
        }
        Ok(request) => check_answer(&request, case, &netio, completion, &buffer[..information]),
    }
}

fn check_answer(request: &Request, case: &Case, netio: &ScriptedNetio<'_>, completion: Completion, output: &[u8]) {
    let status = completion.status;
    let says_empty = matches!(request, Request::GetTable { .. }) && case.netio_status == NtStatus::NOT_FOUND;
    let netio_failed = netio.calls() > 0 && case.netio_status != NtStatus::SUCCESS;
    if netio_failed && !says_empty {
        assert!(status.is_error(), "{} was taken for {status}", case.netio_status);
    }
    match request {
        Request::GetTable { .. } if !status.is_error() => check_table(status, output),
        Request::Create { .. } | Request::Get { .. } if status == NtStatus::SUCCESS => {
            check_clean(&rows_of(output));
        }
        _ => assert_ne!(status, NtStatus::BUFFER_OVERFLOW, "only tables overflow"),
    }
}

fn check_table(status: NtStatus, output: &[u8]) {
    let (header, rows) = TableHeader::read_from_prefix(output).expect("a header");
    assert_eq!(rows.len(), header.count as usize * size_of::<Row>());
    assert_eq!(status == NtStatus::BUFFER_OVERFLOW, header.count < header.total);
    let rows = rows_of(rows);
    check_clean(&rows);
    assert!(rows.is_sorted_by(|one, next| one.table_order(next).is_le()), "a table is out of order");
}

fn rows_of(bytes: &[u8]) -> Vec<Row> {
    bytes.chunks(size_of::<Row>()).map(|row| Row::read_from_bytes(row).expect("whole rows")).collect()
}

/// Whatever NetIO left in the bytes that mean nothing, they are zero going out.
fn check_clean(rows: &[Row]) {
    for row in rows {
        let meant = row.address.ip().map(|address| Row::on_luid(address, row.luid));
        let meant = meant.map(|meant| Row { index: row.index, scope_id: row.scope_id, ..meant });
        let clean = meant.is_none_or(|meant| meant == *row) && row.padding == [0; 4] && row.address.port == [0; 2];
        assert!(clean, "stale bytes in {row:?}");
    }
}
