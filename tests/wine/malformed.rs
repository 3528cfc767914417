//! Requests that are not well-formed: each refused with the status that docs/protocol.md names, and NetIO is not asked.

use netio_anycast_protocol::address::{AddressFamily, Luid};
use netio_anycast_protocol::apply::{ApplyAction, ApplyItem, ApplyRequest};
use netio_anycast_protocol::create::{CreateRequest, DeleteFlags, DeleteRequest, Lifetime};
use netio_anycast_protocol::lease::LeaseFilter;
use netio_anycast_protocol::operation::{Definition, OPERATIONS, Operation};
use netio_anycast_protocol::row::Row;
use netio_anycast_protocol::status::NtStatus;
use netio_anycast_protocol::table::TableFilter;
use netio_anycast_protocol::version::Features;
use netio_anycast_protocol::wait::Generation;
use zerocopy::IntoBytes;

use crate::bench::{Bench, ETHERNET, address, failure, on};

/// Longer than any request, and longer than a page.
const HUGE: usize = 1 << 20;

/// The operations that the driver says it has.
fn offered(bench: &Bench) -> Vec<&'static Definition> {
    let features = Features::from_bits_truncate(bench.driver.version().features);
    OPERATIONS.iter().filter(|definition| features.contains(definition.feature)).collect()
}

/// A request that would be served.
fn well_formed(operation: Operation) -> Vec<u8> {
    let row = on(ETHERNET, "192.0.2.1");
    match operation {
        Operation::Create => CreateRequest { row, lifetime: 0, flags: 0 }.as_bytes().to_vec(),
        Operation::Delete => DeleteRequest { row, flags: 0, reserved: 0 }.as_bytes().to_vec(),
        Operation::Get => row.as_bytes().to_vec(),
        Operation::GetTable => TableFilter::ALL.as_bytes().to_vec(),
        Operation::Apply => {
            let item = ApplyItem { row, action: ApplyAction::Create as u32, lifetime: 0, flags: 0, reserved: 0 };
            [ApplyRequest { flags: 0, count: 1 }.as_bytes(), item.as_bytes()].concat()
        }
        Operation::WaitChange => Generation(u64::MAX).as_bytes().to_vec(),
        Operation::ListLeases => {
            LeaseFilter { table: TableFilter::ALL, process_id: 0, reserved: 0 }.as_bytes().to_vec()
        }
        Operation::QueryVersion | Operation::QueryStatistics => Vec::new(),
    }
}

/// Runs `requests`, in which NetIO must not be called.
fn without_netio<T>(bench: &Bench, requests: impl FnOnce() -> T) -> T {
    let before = bench.netio_calls();
    let result = requests();
    assert_eq!(bench.netio_calls(), before, "NetIO was called");
    result
}

#[test]
fn input_of_the_wrong_length_is_an_info_length_mismatch() {
    let bench = Bench::new();
    without_netio(&bench, || {
        for definition in offered(&bench) {
            let good = well_formed(definition.operation);
            let mut output = vec![0; definition.output.fixed];
            for length in [0, good.len().saturating_sub(1), good.len() + 1, good.len() + 8, HUGE] {
                if definition.input.accepts(length) {
                    continue;
                }
                let mut input = good.clone();
                input.resize(length, 0);
                assert_eq!(
                    bench.driver.control(definition.control_code(), &input, &mut output),
                    Err(failure(NtStatus::INFO_LENGTH_MISMATCH, 24)),
                    "{} with {length} bytes of input",
                    definition.name
                );
            }
        }
    });
}

#[test]
fn output_too_small_for_its_fixed_part_is_a_buffer_too_small() {
    let bench = Bench::new();
    without_netio(&bench, || {
        for definition in offered(&bench).into_iter().filter(|definition| definition.output.fixed > 0) {
            // An outcome of a batch that does not fit would be lost.
            let with_one_outcome = definition.output.fixed + definition.output.row - 1;
            let too_small = match definition.operation {
                Operation::Apply => vec![0, definition.output.fixed, with_one_outcome],
                _ => vec![0, definition.output.fixed - 1],
            };
            for length in too_small {
                let mut output = vec![0; length];
                assert_eq!(
                    bench.driver.control(definition.control_code(), &well_formed(definition.operation), &mut output),
                    Err(failure(NtStatus::BUFFER_TOO_SMALL, 122)),
                    "{} with room for {length} bytes of output",
                    definition.name
                );
            }
        }
    });
    assert_eq!(bench.addresses(), [], "CREATE was refused before it did anything");
}

#[test]
fn output_longer_than_needed_is_fine_and_no_byte_beyond_the_reply_is_touched() {
    let bench = Bench::new();
    bench.driver.create(on(ETHERNET, "192.0.2.1")).expect("the address is new");
    for operation in [Operation::QueryVersion, Operation::Get, Operation::GetTable, Operation::QueryStatistics] {
        let definition = operation.definition();
        let mut output = vec![0xEE; HUGE];
        let length = bench
            .driver
            .control(definition.control_code(), &well_formed(operation), &mut output)
            .expect("the request is well-formed");
        assert!(length < HUGE && output[length..].iter().all(|byte| *byte == 0xEE), "{operation:?}");
    }
}

#[test]
fn unknown_codes_are_no_device_requests() {
    let bench = Bench::new();
    let unknown = Err(failure(NtStatus::INVALID_DEVICE_REQUEST, 1));
    without_netio(&bench, || {
        let create = Operation::Create.definition().control_code();
        let mut codes = vec![
            (create & 0xFFFF) | 0x0022_0000, // another device type
            create | 0x0100_0000,
            create | 0x7FC, // another function
        ];
        for definition in OPERATIONS {
            let code = definition.control_code();
            codes.extend((1..4).map(|method| code | method));
            // FILE_ANY_ACCESS, and both accesses at once.
            codes.extend([code & !0xC000, code | 0xC000]);
        }
        for code in codes {
            let mut output = vec![0; 4096];
            for input in [vec![], vec![0; 56], vec![0; 4096]] {
                assert_eq!(bench.driver.control(code, &input, &mut output), unknown, "code {code:#x}");
                assert_eq!(bench.driver.control(code, &input, &mut []), unknown, "code {code:#x} without output");
            }
        }
    });
}

#[test]
fn operations_of_features_that_the_driver_does_not_show_are_unknown() {
    let bench = Bench::new();
    let features = Features::from_bits_truncate(bench.driver.version().features);
    for definition in OPERATIONS.iter().filter(|definition| !features.contains(definition.feature)) {
        let input = vec![0; definition.input.fixed];
        let mut output = vec![0; 4096];
        let answer = bench.driver.control(definition.control_code(), &input, &mut output);
        assert_eq!(answer, Err(failure(NtStatus::INVALID_DEVICE_REQUEST, 1)), "{}", definition.name);
    }
}

#[test]
fn reserved_bits_and_unknown_flags_are_invalid() {
    let bench = Bench::new();
    let invalid = Err(failure(NtStatus::INVALID_PARAMETER, 87));
    let row = on(ETHERNET, "192.0.2.1");
    let create = |lifetime, flags| {
        let request = CreateRequest { row, lifetime, flags };
        bench.driver.control(Operation::Create.definition().control_code(), request.as_bytes(), &mut [0; 48])
    };
    let delete = |flags, reserved| {
        let request = DeleteRequest { row, flags, reserved };
        bench.driver.control(Operation::Delete.definition().control_code(), request.as_bytes(), &mut [])
    };
    without_netio(&bench, || {
        for bit in (0..32).map(|shift| 1_u32 << shift) {
            assert_eq!(create(0, bit), invalid, "CREATE with flag {bit:#x}");
            if Lifetime::from_wire(bit).is_none() {
                assert_eq!(create(bit, 0), invalid, "CREATE with lifetime {bit:#x}");
            }
            assert_eq!(delete(0, bit), invalid, "DELETE with reserved bit {bit:#x}");
            if DeleteFlags::from_bits(bit).is_none() {
                assert_eq!(delete(bit, 0), invalid, "DELETE with flag {bit:#x}");
            }
        }
        for bit in (0..16).map(|shift| 1_u16 << shift) {
            let filter = TableFilter { reserved: bit, ..TableFilter::ALL };
            assert_eq!(bench.driver.table(filter), Err(failure(NtStatus::INVALID_PARAMETER, 87)));
        }
    });
}

#[test]
fn a_batch_has_as_many_items_as_it_says_and_no_unknown_flag() {
    let bench = Bench::new();
    let code = Operation::Apply.definition().control_code();
    let good = well_formed(Operation::Apply);
    let mut output = [0; 64];
    without_netio(&bench, || {
        for request in [
            ApplyRequest { flags: 0, count: 0 },
            ApplyRequest { flags: 0, count: 2 },
            ApplyRequest { flags: 0, count: u32::MAX },
            ApplyRequest { flags: 2, count: 1 },
            ApplyRequest { flags: 1 << 31, count: 1 },
        ] {
            let mut input = good.clone();
            input[..8].copy_from_slice(request.as_bytes());
            let answer = bench.driver.control(code, &input, &mut output);
            assert_eq!(answer, Err(failure(NtStatus::INVALID_PARAMETER, 87)), "{request:?}");
        }
    });
}

#[test]
fn addresses_that_are_not_unicast_are_invalid() {
    let bench = Bench::new();
    let unicast_only = ["0.0.0.0", "::", "224.0.0.1", "239.255.255.255", "ff00::", "ff02::1", "255.255.255.255"];
    let mut rows: Vec<Row> = unicast_only.into_iter().map(|text| on(ETHERNET, text)).collect();
    for family in [0, 1, 3, 24, u16::MAX] {
        let mut row = on(ETHERNET, "192.0.2.1");
        row.address.family = AddressFamily(family);
        rows.push(row);
    }
    // Neither LUID nor index.
    rows.push(Row::on_luid(address("192.0.2.1"), Luid::UNSET));
    let invalid = failure(NtStatus::INVALID_PARAMETER, 87);
    without_netio(&bench, || {
        for row in rows {
            assert_eq!(bench.driver.create(row), Err(invalid), "CREATE of {row:?}");
            assert_eq!(bench.driver.get(row), Err(invalid), "GET of {row:?}");
            assert_eq!(bench.driver.delete(row), Err(invalid), "DELETE of {row:?}");
        }
    });
}
