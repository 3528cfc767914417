//! Malformed requests: refused with the status that the contract names, before NetIO is asked for anything.

use netio_anycast_engine::{Completion, SystemBuffer};
use netio_anycast_protocol::apply::ApplyRequest;
use netio_anycast_protocol::create::{CreateRequest, DeleteRequest};
use netio_anycast_protocol::lease::LeaseFilter;
use netio_anycast_protocol::operation::{OPERATIONS, Operation};
use netio_anycast_protocol::request::Request;
use netio_anycast_protocol::row::Row;
use netio_anycast_protocol::status::NtStatus;
use netio_anycast_protocol::table::{TableFilter, TableHeader};
use netio_anycast_protocol::wait::Generation;
use proptest::prelude::*;
use zerocopy::IntoBytes;

use crate::system::{Reply, System, on_ethernet};

/// A request that would be served, so that what is changed about it is the only fault.
fn well_formed(operation: Operation) -> Vec<u8> {
    let row = on_ethernet("192.0.2.1");
    match operation {
        Operation::Create => CreateRequest { row, lifetime: 0, flags: 0 }.as_bytes().into(),
        Operation::Delete => DeleteRequest { row, flags: 0, reserved: 0 }.as_bytes().into(),
        Operation::Get => row.as_bytes().into(),
        Operation::GetTable => TableFilter::ALL.as_bytes().into(),
        Operation::Apply => ApplyRequest { flags: 0, count: 0 }.as_bytes().into(),
        // Not the generation that there is: it is over at once.
        Operation::WaitChange => Generation(u64::MAX).as_bytes().into(),
        Operation::ListLeases => LeaseFilter { table: TableFilter::ALL, process_id: 0, reserved: 0 }.as_bytes().into(),
        Operation::QueryVersion | Operation::QueryStatistics => Vec::new(),
    }
}

fn refused(system: &System, control_code: u32, input: &[u8], output_length: usize, status: NtStatus) {
    let calls = system.netio_calls();
    let reply = system.call_code(control_code, input, output_length);
    assert_eq!(reply, Reply { status, bytes: Vec::new() }, "code {control_code:#X}, {} bytes", input.len());
    assert_eq!(system.netio_calls(), calls, "NetIO was called for a malformed request");
}

#[test]
fn input_of_any_wrong_length_is_a_length_mismatch() {
    let system = System::new();
    for definition in &OPERATIONS {
        let input = well_formed(definition.operation);
        let wrong = [0, 1, input.len().saturating_sub(1), input.len() + 1, input.len() * 2, 1 << 20];
        for length in wrong.into_iter().filter(|length| *length != input.len()) {
            let mut resized = input.clone();
            resized.resize(length, 0);
            // Before the output is looked at: room for it or not, the status is the same.
            for output_length in [0, definition.output.fixed, 1 << 16] {
                let code = definition.control_code();
                refused(&system, code, &resized, output_length, NtStatus::INFO_LENGTH_MISMATCH);
            }
        }
    }
}

#[test]
fn output_without_room_for_the_fixed_part_is_too_small() {
    let system = System::new();
    for definition in OPERATIONS.iter().filter(|definition| definition.output.fixed > 0) {
        for output_length in [0, 1, definition.output.fixed - 1] {
            let input = well_formed(definition.operation);
            refused(&system, definition.control_code(), &input, output_length, NtStatus::BUFFER_TOO_SMALL);
        }
    }
}

#[test]
fn more_room_than_the_output_needs_is_no_fault() {
    for definition in &OPERATIONS {
        let system = System::new();
        if matches!(definition.operation, Operation::Delete | Operation::Get) {
            system.create(on_ethernet("192.0.2.1")).expect("created");
        }
        let reply = system.call(definition.operation, &well_formed(definition.operation), 1 << 16);
        assert_eq!(reply.status, NtStatus::SUCCESS, "{}", definition.name);
        assert_eq!(reply.bytes.len(), definition.output.fixed, "{}", definition.name);
    }
}

#[test]
fn another_method_access_or_device_makes_another_code() {
    let system = System::new();
    for definition in &OPERATIONS {
        let code = definition.control_code();
        let input = well_formed(definition.operation);
        for other in (0..32).map(|bit| code ^ (1 << bit)).filter(|other| Operation::from_control_code(*other).is_none())
        {
            refused(&system, other, &input, 1 << 16, NtStatus::INVALID_DEVICE_REQUEST);
        }
        for method in 1..4 {
            refused(&system, code | method, &input, 1 << 16, NtStatus::INVALID_DEVICE_REQUEST);
        }
    }
}

#[test]
fn reserved_bits_and_unknown_flags_are_invalid() {
    let system = System::new();
    let row = on_ethernet("192.0.2.1");
    for bit in (0..32).map(|bit| 1_u32 << bit) {
        invalid(&system, Operation::Create, CreateRequest { row, lifetime: 0, flags: bit }.as_bytes());
        if bit != 1 {
            invalid(&system, Operation::Create, CreateRequest { row, lifetime: bit, flags: 0 }.as_bytes());
            invalid(&system, Operation::Create, CreateRequest { row, lifetime: 1, flags: bit }.as_bytes());
        }
        let filter = LeaseFilter { table: TableFilter::ALL, process_id: 0, reserved: bit };
        invalid(&system, Operation::ListLeases, filter.as_bytes());
        invalid(&system, Operation::Delete, DeleteRequest { row, flags: 0, reserved: bit }.as_bytes());
        if bit != 1 {
            invalid(&system, Operation::Delete, DeleteRequest { row, flags: bit, reserved: 0 }.as_bytes());
        }
    }
    for bit in 0..16 {
        let table = TableFilter { reserved: 1 << bit, ..TableFilter::ALL };
        invalid(&system, Operation::GetTable, table.as_bytes());
        invalid(&system, Operation::ListLeases, LeaseFilter { table, process_id: 0, reserved: 0 }.as_bytes());
    }
    assert_eq!(system.entries(), []);
}

fn invalid(system: &System, operation: Operation, input: &[u8]) {
    refused(system, operation.definition().control_code(), input, 1 << 16, NtStatus::INVALID_PARAMETER);
}

/// With no lease to override, FORCE changes nothing.
#[test]
fn force_deletes_what_nobody_leases() {
    let system = System::new();
    let row = on_ethernet("192.0.2.1");
    system.create(row).expect("created");
    let request = DeleteRequest { row, flags: 1, reserved: 0 };
    assert_eq!(system.call(Operation::Delete, request.as_bytes(), 0).status, NtStatus::SUCCESS);
}

#[test]
fn a_request_is_counted_as_malformed_before_anything_else() {
    let system = System::new();
    let _ = system.call(Operation::GetTable, &[0; 15], size_of::<TableHeader>());
    let _ = system.call(Operation::GetTable, &[0; 16], size_of::<TableHeader>() - 1);
    let counters = system.counters(Operation::GetTable);
    assert_eq!((counters.malformed, counters.invalid, counters.failed), (2, 0, 0));
}

/// The I/O manager never does that; a kernel caller who builds the IRP by hand might.
#[test]
fn lengths_that_the_buffer_does_not_have_promise_nothing() {
    let system = System::new();
    let code = Operation::Get.definition().control_code();
    let row = on_ethernet("192.0.2.1");
    let mut bytes = [row.as_bytes(), row.as_bytes()].concat();
    let long_input = SystemBuffer { bytes: &mut bytes[..47], input_length: 48, output_length: 47 };
    assert_eq!(system.serve(code, long_input), Completion::bare(NtStatus::INFO_LENGTH_MISMATCH));

    let code = Operation::QueryVersion.definition().control_code();
    let long_output = SystemBuffer { bytes: &mut bytes[..39], input_length: 0, output_length: 40 };
    assert_eq!(system.serve(code, long_output), Completion::bare(NtStatus::BUFFER_TOO_SMALL));
    let no_buffer = SystemBuffer { bytes: &mut [], input_length: 0, output_length: usize::MAX };
    assert_eq!(system.serve(code, no_buffer), Completion::bare(NtStatus::BUFFER_TOO_SMALL));
    assert_eq!(bytes, [row.as_bytes(), row.as_bytes()].concat());
}

/// Control codes: those of the table, their neighbours, and any.
fn control_code() -> impl Strategy<Value = u32> {
    let of_the_table = (0..OPERATIONS.len()).prop_map(|position| OPERATIONS[position].control_code());
    let neighbour = (of_the_table.clone(), 0_u32..32).prop_map(|(code, bit)| code ^ (1 << bit));
    prop_oneof![6 => of_the_table, 1 => neighbour, 1 => any::<u32>()]
}

/// Input: any bytes, of any length or of one that an operation takes, with a family that makes an address of them or not.
fn input() -> impl Strategy<Value = Vec<u8>> {
    let exact = prop::sample::select(vec![0, size_of::<TableFilter>(), size_of::<Row>(), size_of::<CreateRequest>()]);
    let length = prop_oneof![3 => exact, 1 => 0_usize..200];
    let family = prop::option::of(prop::sample::select(vec![0_u8, 2, 23]));
    (length.prop_flat_map(|length| prop::collection::vec(prop_oneof![Just(0), any::<u8>()], length)), family).prop_map(
        |(mut bytes, family)| {
            if let (Some(family), [low, high, ..]) = (family, bytes.as_mut_slice()) {
                [*low, *high] = [family, 0];
            }
            bytes
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// `System::call_code` checks that nothing is written but the output; here: that what is malformed reaches nobody.
    #[test]
    fn arbitrary_bytes_never_panic_and_never_reach_netio_malformed(
        code in control_code(), input in input(), output_length in 0_usize..3000,
    ) {
        let system = System::new();
        let reply = system.call_code(code, &input, output_length);
        let decoded = Operation::from_control_code(code)
            .ok_or(NtStatus::INVALID_DEVICE_REQUEST)
            .and_then(|operation| Request::decode(operation, &input, output_length));
        if let Err(status) = decoded {
            prop_assert_eq!(reply.status, status);
            prop_assert_eq!(system.netio_calls(), 0);
        }
    }
}
