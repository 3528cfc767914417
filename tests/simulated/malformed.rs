//! Requests that are none: refused, with nothing done.

use netio_anycast_protocol::create::CreateRequest;
use netio_anycast_protocol::operation::{OPERATIONS, Operation};
use netio_anycast_protocol::status::NtStatus;
use netio_anycast_protocol::table::TableFilter;
use netio_anycast_protocol::version::Features;
use zerocopy::IntoBytes as _;

use crate::bench::{Bench, ETHERNET, on};

/// The operations that this driver has.
fn offered() -> impl Iterator<Item = &'static netio_anycast_protocol::operation::Definition> {
    let features = Features::ANYCAST | Features::STATISTICS;
    OPERATIONS.iter().filter(move |definition| features.contains(definition.feature))
}

#[test]
fn an_input_of_the_wrong_length_is_refused() {
    let bench = Bench::new();
    for definition in offered() {
        for length in (0..=definition.input.fixed + 9).filter(|length| !definition.input.accepts(*length)) {
            let reply = bench.handle.control(definition.control_code(), &vec![0; length], 4096);
            assert_eq!(reply.status, NtStatus::INFO_LENGTH_MISMATCH, "{} with {length} bytes", definition.name);
            assert_eq!((reply.information, reply.output.len()), (0, 0));
        }
    }
    assert_eq!(bench.netio_calls(), 0);
}

#[test]
fn an_output_buffer_that_is_too_small_is_refused() {
    let bench = Bench::new();
    for definition in offered() {
        let input = vec![0; definition.input.fixed];
        for length in 0..definition.output.fixed {
            let reply = bench.handle.control(definition.control_code(), &input, length);
            assert_eq!(reply.status, NtStatus::BUFFER_TOO_SMALL, "{} with {length} bytes", definition.name);
        }
    }
    assert_eq!(bench.netio_calls(), 0);
}

#[test]
fn a_code_with_any_other_bit_is_unknown() {
    let bench = Bench::new();
    for definition in offered() {
        for bit in 0..32 {
            let code = definition.control_code() ^ 1 << bit;
            if OPERATIONS.iter().any(|other| other.control_code() == code) {
                continue;
            }
            let reply = bench.handle.control(code, &[0; 56], 64);
            assert_eq!(reply.status, NtStatus::INVALID_DEVICE_REQUEST, "code {code:#010x}");
        }
    }
}

#[test]
fn reserved_fields_and_unknown_flags_are_refused() {
    let bench = Bench::new();
    let row = on(ETHERNET, "192.0.2.1");
    for request in [CreateRequest { row, lifetime: 2, flags: 0 }, CreateRequest { row, lifetime: 0, flags: 1 << 31 }] {
        assert_eq!(bench.send(Operation::Create, request.as_bytes(), 48).status, NtStatus::INVALID_PARAMETER);
    }
    let filter = TableFilter { reserved: 1, ..TableFilter::ALL };
    assert_eq!(bench.send(Operation::GetTable, filter.as_bytes(), 64).status, NtStatus::INVALID_PARAMETER);
    assert_eq!(bench.netio_calls(), 0);
}

#[test]
fn addresses_that_can_t_be_anycast_are_refused() {
    let bench = Bench::new();
    for text in ["0.0.0.0", "224.0.0.1", "255.255.255.255", "::", "ff02::1"] {
        assert_eq!(bench.create(on(ETHERNET, text)), Err(NtStatus::INVALID_PARAMETER), "{text}");
    }
    assert_eq!(bench.netio_calls(), 0);
}
