//! Failures on demand, and what the model finds wrong with its caller.

use core::net::{IpAddr, Ipv4Addr};

use netio_anycast_protocol::address::{AddressFamily, Luid};
use netio_anycast_protocol::row::Row;
use netio_anycast_protocol::status::NtStatus;
use netio_model::{Families, Fault, Function, Interface, Model, TableMisuse};

const FIRST: Luid = Luid::new(6, 1);
const SECOND: Luid = Luid::new(6, 2);

fn system() -> Model {
    let mut model = Model::new();
    for (luid, index) in [(FIRST, 1), (SECOND, 2)] {
        let interface = Interface { luid, index, families: Families::all(), scope_id: 0 };
        model.add_interface(interface).expect("LUID and index are free");
    }
    model
}

fn row(luid: Luid, host: u32) -> Row {
    Row::on_luid(IpAddr::V4(Ipv4Addr::from_bits(0x0A00_0000 + host)), luid)
}

#[test]
fn a_fault_takes_the_place_of_one_call() {
    for bits in [0x0000_1392, 0xC000_022A, 0xC000_0017, 0x0000_0103, 0x1234_5678] {
        let status = NtStatus::from_bits(bits);
        let mut model = system();
        model.plan(Fault::next(Function::Create, status));
        assert_eq!(model.create(&row(FIRST, 1)), status);
        assert_eq!(model.entry_count(), 0, "a call that fails does nothing");
        assert_eq!(model.create(&row(FIRST, 1)), NtStatus::SUCCESS);
        assert_eq!(model.calls(Function::Create), 2);
    }
}

#[test]
fn a_fault_strikes_its_function_only() {
    let mut model = system();
    for function in Function::ALL.into_iter().filter(|function| *function != Function::FreeTable) {
        model.plan(Fault::next(function, NtStatus::NO_MEMORY));
        let results = [
            (Function::Create, model.create(&row(FIRST, 1))),
            (Function::Get, model.get(&mut row(FIRST, 1))),
            (Function::Table, model.table(AddressFamily::IPV4).err().unwrap_or(NtStatus::SUCCESS)),
            (Function::Delete, model.delete(&row(FIRST, 1))),
            (Function::LuidFromIndex, model.luid_from_index(1).err().unwrap_or(NtStatus::SUCCESS)),
            (Function::IndexFromLuid, model.index_from_luid(FIRST).err().unwrap_or(NtStatus::SUCCESS)),
        ];
        for (called, status) in results {
            assert_eq!(status == NtStatus::NO_MEMORY, called == function, "{function} planned, {called} gave {status}");
        }
        model.remove(&row(FIRST, 1)).ok();
        assert_eq!(model.remaining_faults(), 0);
    }
}

#[test]
fn a_fault_may_be_for_one_interface_by_luid_or_by_index() {
    let mut model = system();
    model.plan(Fault::next(Function::Create, NtStatus::NO_MEMORY).on(SECOND).times(2));
    assert_eq!(model.create(&row(FIRST, 1)), NtStatus::SUCCESS);
    assert_eq!(model.create(&row(SECOND, 1)), NtStatus::NO_MEMORY);
    assert_eq!(model.create(&Row { luid: Luid::UNSET, index: 2, ..row(SECOND, 1) }), NtStatus::NO_MEMORY);
    assert_eq!(model.create(&row(SECOND, 1)), NtStatus::SUCCESS);
}

#[test]
fn a_fault_may_come_later_and_more_than_once() {
    let mut model = system();
    model.plan(Fault::next(Function::Create, NtStatus::NO_MEMORY).after(1).times(2));
    let statuses = [1, 2, 3, 4].map(|host| model.create(&row(FIRST, host)));
    assert_eq!(statuses, [NtStatus::SUCCESS, NtStatus::NO_MEMORY, NtStatus::NO_MEMORY, NtStatus::SUCCESS]);
}

#[test]
fn faults_strike_in_the_order_in_which_they_were_planned() {
    let mut model = system();
    model.plan(Fault::next(Function::Delete, NtStatus::NO_MEMORY));
    model.plan(Fault::next(Function::Delete, NtStatus::ACCESS_DENIED));
    assert_eq!(model.delete(&row(FIRST, 1)), NtStatus::NO_MEMORY);
    assert_eq!(model.delete(&row(FIRST, 1)), NtStatus::ACCESS_DENIED);
    assert_eq!(model.delete(&row(FIRST, 1)), NtStatus::NOT_FOUND);
}

#[test]
fn a_fault_of_success_is_an_empty_table_or_a_lie() {
    let mut model = system();
    for function in [Function::Create, Function::Table, Function::LuidFromIndex, Function::IndexFromLuid] {
        model.plan(Fault::next(function, NtStatus::SUCCESS));
    }
    assert_eq!(model.create(&row(FIRST, 1)), NtStatus::SUCCESS);
    assert_eq!(model.entry_count(), 0);
    assert_eq!(model.table(AddressFamily::UNSPECIFIED), Ok(Vec::new()));
    assert_eq!(model.luid_from_index(1), Ok(Luid::UNSET));
    assert_eq!(model.index_from_luid(FIRST), Ok(0));
}

#[test]
fn faults_can_be_taken_back() {
    let mut model = system();
    model.plan(Fault::next(Function::Create, NtStatus::NO_MEMORY).times(5));
    assert_eq!(model.remaining_faults(), 5);
    model.clear_faults();
    assert_eq!(model.create(&row(FIRST, 1)), NtStatus::SUCCESS);
}

#[test]
fn every_table_is_accounted_for() {
    let mut model = system();
    model.table_allocated(0x1000);
    model.table_allocated(0x2000);
    assert_eq!(model.tables().outstanding(), 2);
    assert_eq!(model.free_table(0x1000), Ok(()));
    assert_eq!(model.free_table(0x1000), Err(TableMisuse::DoubleFree));
    assert_eq!(model.free_table(0x3000), Err(TableMisuse::NeverAllocated));
    assert_eq!(model.free_table(0), Err(TableMisuse::NeverAllocated));
    assert_eq!(model.tables().outstanding(), 1);
    assert_eq!((model.tables().double_frees(), model.tables().unknown_frees()), (1, 2));
    assert_eq!(model.calls(Function::FreeTable), 4);

    model.table_allocated(0x1000);
    assert_eq!(model.free_table(0x1000), Ok(()), "an address may be used again");
}

#[test]
fn a_reset_forgets_everything_but_outstanding_tables() {
    let mut model = system();
    assert_eq!(model.create(&row(FIRST, 1)), NtStatus::SUCCESS);
    model.plan(Fault::next(Function::Create, NtStatus::NO_MEMORY));
    model.table_allocated(0x1000);
    assert_eq!(model.free_table(0), Err(TableMisuse::NeverAllocated));
    model.reset();
    assert_eq!((model.entry_count(), model.interface_count(), model.remaining_faults()), (0, 0, 0));
    assert_eq!((model.calls(Function::Create), model.tables().unknown_frees()), (0, 0));
    assert_eq!(model.tables().outstanding(), 1);
    assert_eq!(model.free_table(0x1000), Ok(()));
}
