//! Whatever NetIO answers, documented or not, comes out as the status map says, and never as success.

use netio_anycast_protocol::address::AddressFamily;
use netio_anycast_protocol::status::NtStatus;
use netio_anycast_protocol::table::TableFilter;
use netio_model::{Fault, Function, Settings};

use crate::bench::{Bench, ETHERNET, failure, on};

/// What NetIO says, and what the caller must hear: NTSTATUS and GetLastError.
const ANSWERS: &[(u32, NtStatus, u32)] = &[
    (0xC000_000D, NtStatus::INVALID_PARAMETER, 87),
    (0xC000_0225, NtStatus::NOT_FOUND, 1168),
    (0xC000_00BB, NtStatus::NOT_SUPPORTED, 50),
    // All the ways in which "already exists" is known to be said.
    (0x0000_1392, NtStatus::OBJECTID_EXISTS, 5010),
    (0xC000_022A, NtStatus::OBJECTID_EXISTS, 5010),
    (0xC000_022B, NtStatus::OBJECTID_EXISTS, 5010),
    (0xC007_1392, NtStatus::OBJECTID_EXISTS, 5010),
    (0xC000_0035, NtStatus::OBJECTID_EXISTS, 5010),
    // Out of memory, in both words for it.
    (0xC000_0017, NtStatus::INSUFFICIENT_RESOURCES, 1450),
    (0xC000_009A, NtStatus::INSUFFICIENT_RESOURCES, 1450),
    (0xC000_0022, NtStatus::ACCESS_DENIED, 5),
    // Positive, informational and warning values are no success.
    (0x0000_0103, NtStatus::UNSUCCESSFUL, 31),
    (0x0000_0001, NtStatus::UNSUCCESSFUL, 31),
    (0x4000_0000, NtStatus::UNSUCCESSFUL, 31),
    (0x8000_0005, NtStatus::UNSUCCESSFUL, 31),
    // What the contract itself uses for malformed requests is not passed on.
    (0xC000_0004, NtStatus::UNSUCCESSFUL, 31),
];

#[test]
fn create_get_and_delete_pass_on_what_netio_answers_as_the_map_says() {
    let bench = Bench::new();
    let row = on(ETHERNET, "192.0.2.1");
    for &(raw, status, win32) in ANSWERS {
        let raw = NtStatus::from_bits(raw);
        let expected = failure(status, win32);
        bench.model.plan(Fault::next(Function::Create, raw)).expect("the model takes a fault");
        assert_eq!(bench.driver.create(row).map(drop), Err(expected), "CREATE, when NetIO says {raw}");
        bench.model.plan(Fault::next(Function::Get, raw)).expect("the model takes a fault");
        assert_eq!(bench.driver.get(row).map(drop), Err(expected), "GET, when NetIO says {raw}");
        bench.model.plan(Fault::next(Function::Delete, raw)).expect("the model takes a fault");
        assert_eq!(bench.driver.delete(row), Err(expected), "DELETE, when NetIO says {raw}");
    }
    assert_eq!(bench.addresses(), []);
    assert_eq!(bench.model.state().expect("the model tells its state").remaining_faults, 0, "every fault struck");
}

#[test]
fn get_table_passes_on_what_netio_answers_except_that_nothing_found_is_an_empty_table() {
    let bench = Bench::new();
    for &(raw, status, win32) in ANSWERS {
        let raw = NtStatus::from_bits(raw);
        bench.model.plan(Fault::next(Function::Table, raw)).expect("the model takes a fault");
        let expected = if raw == NtStatus::NOT_FOUND { Ok(vec![]) } else { Err(failure(status, win32)) };
        assert_eq!(bench.driver.table(TableFilter::ALL), expected, "when NetIO says {raw}");
    }
}

#[test]
fn an_empty_table_is_success_whichever_way_netio_puts_it() {
    let bench = Bench::new();
    for empty_table in [NtStatus::NOT_FOUND, NtStatus::SUCCESS] {
        bench.model.configure(Settings { empty_table, ..Settings::default() }).expect("the model is configurable");
        for family in [AddressFamily::UNSPECIFIED, AddressFamily::IPV4, AddressFamily::IPV6] {
            let (header, rows, more) =
                bench.driver.table_page(crate::bench::all_of(family), 0).expect("an empty table is no failure");
            assert_eq!((header.count, header.total, rows.len(), more), (0, 0, 0, false));
        }
    }
}

#[test]
fn an_address_that_was_created_stays_so_though_netio_can_t_tell_its_scope() {
    let bench = Bench::new();
    bench.model.plan(Fault::next(Function::Get, NtStatus::NO_MEMORY)).expect("the model takes a fault");
    let row = bench.driver.create(on(ETHERNET, "192.0.2.1")).expect("the address was created");
    assert_eq!((row.luid, row.index, row.scope_id), (ETHERNET.luid, ETHERNET.index, 0));
    assert_eq!(bench.addresses().len(), 1);
}
