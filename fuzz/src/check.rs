//! What holds for every request and every answer of NetIO's.

use netio_anycast_engine::host_kernel::HostKernel;
use netio_anycast_engine::{Completion, Engine, Limits, SystemBuffer};
use netio_anycast_protocol::apply::{ApplyReply, ItemOutcome, ItemState};
use netio_anycast_protocol::lease::LeaseRow;
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
    let kernel = HostKernel::new();
    let request = SystemBuffer { bytes: &mut buffer, input_length: case.input.len(), output_length };
    let engine = Engine::new(&netio, kernel.clone(), Limits::DEFAULT).expect("the host has memory");
    let handle = engine.open(4).expect("the host has memory");
    let served = engine.serve((), handle, case.control_code, request);
    let completion = served.pending().map_or(served, |wait| {
        assert!(!engine.is_over(wait), "a wait that is over pends");
        engine.cancel_wait()
    });

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
    // Whatever was leased goes with the handle, or is left to be withdrawn later if NetIO refuses.
    engine.close((), handle);
    let left = engine.shut_down(());
    assert!(left == 0 || case.netio_status != NtStatus::SUCCESS, "{left} addresses were left behind");
    drop(engine);
    assert_eq!(kernel.allocated_bytes(), 0, "memory was left behind");
}

fn check_answer(request: &Request, case: &Case, netio: &ScriptedNetio<'_>, completion: Completion, output: &[u8]) {
    let status = completion.status;
    let netio_failed = netio.calls() > 0 && case.netio_status != NtStatus::SUCCESS;
    match request {
        // The documentation's way to say that there are none.
        Request::GetTable { .. } if case.netio_status == NtStatus::NOT_FOUND => {}
        // What NetIO says is told item by item, or changes only what a row looks like.
        Request::Apply { .. } => {}
        _ if netio_failed => assert!(status.is_error(), "{} was taken for {status}", case.netio_status),
        _ => {}
    }
    match request {
        Request::GetTable { .. } if !status.is_error() => check_table(status, output),
        Request::ListLeases { .. } if !status.is_error() => {
            let (header, rows) = TableHeader::read_from_prefix(output).expect("a header");
            assert_eq!((header.count, header.total), (0, 0), "nothing is leased");
            assert_eq!(rows.len() % size_of::<LeaseRow>(), 0);
        }
        Request::Apply { count, .. } if status == NtStatus::SUCCESS => check_outcomes(*count, case, output),
        Request::Create { .. } | Request::Get { .. } if status == NtStatus::SUCCESS => {
            check_clean(&rows_of(output));
        }
        _ => assert_ne!(status, NtStatus::BUFFER_OVERFLOW, "only tables overflow"),
    }
}

fn check_outcomes(count: u32, case: &Case, output: &[u8]) {
    let (header, outcomes) = ApplyReply::read_from_prefix(output).expect("a header");
    let outcomes: Vec<_> = outcomes
        .chunks(size_of::<ItemOutcome>())
        .map(|bytes| ItemOutcome::read_from_bytes(bytes).expect("whole outcomes"))
        .collect();
    assert_eq!((header.count, outcomes.len()), (count, count as usize));
    let applied = |outcome: &&ItemOutcome| outcome.state == ItemState::Applied as u8;
    let number = outcomes.iter().filter(applied).count();
    assert_eq!(header.not_applied as usize, outcomes.len() - number);
    assert!(number == 0 || case.netio_status == NtStatus::SUCCESS, "{} was taken for success", case.netio_status);
    for outcome in outcomes {
        assert_eq!(outcome.reserved, 0);
        assert!((1..=5).contains(&outcome.state) && outcome.field <= 5, "{outcome:?}");
        assert!(outcome.status == NtStatus::SUCCESS || outcome.status.is_error(), "{outcome:?}");
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
