//! Leases: addresses that go with the handle that created them.

use netio_anycast_engine::Limits;
use netio_anycast_protocol::address::AddressFamily;
use netio_anycast_protocol::create::{CreateFlags, Lifetime};
use netio_anycast_protocol::lease::{LeaseFilter, LeaseRow};
use netio_anycast_protocol::operation::Operation;
use netio_anycast_protocol::row::Row;
use netio_anycast_protocol::status::NtStatus;
use netio_anycast_protocol::table::TableFilter;
use netio_model::{Fault, Function};

use crate::system::{ETHERNET, ETHERNET_INDEX, PROCESS, SECOND, SECOND_INDEX, System, interface, ip, on_ethernet};

const ADDRESS: &str = "192.0.2.1";

fn row() -> Row {
    on_ethernet(ADDRESS)
}

fn filtered(system: &System, filter: LeaseFilter) -> Vec<Row> {
    system.leases_into(filter, 100).expect("a table").rows.iter().map(|lease| lease.row).collect()
}

const EVERYTHING: LeaseFilter = LeaseFilter { table: TableFilter::ALL, process_id: 0, reserved: 0 };

#[test]
fn a_lease_goes_with_its_handle_and_an_unowned_address_stays() {
    let system = System::new();
    let other = system.another(5);
    other.lease(row()).expect("leased");
    other.create(on_ethernet("192.0.2.2")).expect("created");
    assert_eq!(system.entries().len(), 2);
    drop(other);
    assert_eq!(system.entries().iter().map(|row| row.address.ip()).collect::<Vec<_>>(), [Some(ip("192.0.2.2"))]);
    assert_eq!(system.leases(), []);
}

#[test]
fn a_lease_is_listed_with_its_holders_and_its_age() {
    let system = System::new();
    let other = system.another(5);
    system.kernel().advance(1_000);
    let created = system.share(row()).expect("leased");
    other.share(row()).expect("joined");
    system.kernel().advance(2_500);
    let expected = LeaseRow {
        row: created,
        lifetime: Lifetime::Handle as u32,
        flags: CreateFlags::SHARED.bits(),
        holders: 2,
        process_id: PROCESS,
        age: 2_500,
    };
    assert_eq!(system.leases(), [expected]);
    assert_eq!(system.statistics().live_leases, 1);
}

#[test]
fn leases_are_listed_by_family_interface_and_process() {
    let system = System::new();
    let other = system.another(5);
    let (four, six) = (system.lease(row()).expect("leased"), system.lease(on_ethernet("2001:db8::1")).expect("leased"));
    let second = other.share(Row::on_luid(ip(ADDRESS), SECOND)).expect("leased");
    system.create(on_ethernet("192.0.2.99")).expect("unowned");
    assert_eq!(filtered(&system, EVERYTHING), [four, six, second]);
    let of = |table| LeaseFilter { table, ..EVERYTHING };
    assert_eq!(filtered(&system, of(TableFilter { family: AddressFamily::IPV6, ..TableFilter::ALL })), [six]);
    assert_eq!(filtered(&system, of(TableFilter { luid: ETHERNET, ..TableFilter::ALL })), [four, six]);
    assert_eq!(filtered(&system, of(TableFilter { index: SECOND_INDEX, ..TableFilter::ALL })), [second]);
    assert_eq!(filtered(&system, LeaseFilter { process_id: 5, ..EVERYTHING }), [second]);
    system.share(Row::on_luid(ip(ADDRESS), SECOND)).expect("joined");
    assert_eq!(filtered(&system, LeaseFilter { process_id: PROCESS, ..EVERYTHING }), [four, six, second]);
    assert_eq!(filtered(&system, LeaseFilter { process_id: 77, ..EVERYTHING }), []);
    let unknown = of(TableFilter { index: 99, ..TableFilter::ALL });
    assert_eq!(system.leases_into(unknown, 1).expect_err("no interface"), NtStatus::NOT_FOUND);
}

#[test]
fn a_list_that_does_not_fit_tells_how_many_leases_there_are() {
    let system = System::new();
    for number in 1..=40 {
        system.lease(on_ethernet(&format!("192.0.2.{number}"))).expect("leased");
    }
    let listing = system.leases_into(EVERYTHING, 17).expect("a warning");
    assert_eq!(listing.status, NtStatus::BUFFER_OVERFLOW);
    assert_eq!((listing.header.count, listing.header.total), (17, 40));
    assert!(listing.rows.is_sorted_by(|one, next| one.row.table_order(&next.row).is_lt()));
}

#[test]
fn who_holds_a_lease_may_delete_it_and_nobody_else_without_force() {
    let system = System::new();
    let other = system.another(5);
    system.lease(row()).expect("leased");
    assert_eq!(other.delete(row()), NtStatus::ACCESS_DENIED);
    assert_eq!(system.entries().len(), 1);
    assert_eq!(system.delete(row()), NtStatus::SUCCESS);
    assert_eq!((system.entries().len(), system.leases().len()), (0, 0));

    system.lease(row()).expect("leased again");
    assert_eq!(other.force(row()), NtStatus::SUCCESS);
    assert_eq!((system.entries().len(), system.leases().len()), (0, 0));
    other.create(row()).expect("free");
}

#[test]
fn only_shared_with_shared_gains_a_holder() {
    let system = System::new();
    let other = system.another(5);
    system.lease(row()).expect("leased");
    for result in [other.lease(row()), other.share(row()), other.create(row()), system.lease(row())] {
        assert_eq!(result, Err(NtStatus::OBJECTID_EXISTS));
    }
    assert_eq!(system.delete(row()), NtStatus::SUCCESS);
    let shared = system.share(row()).expect("shared");
    assert_eq!(other.lease(row()), Err(NtStatus::OBJECTID_EXISTS));
    assert_eq!(other.share(row()), Ok(shared));
    assert_eq!(other.share(row()), Err(NtStatus::OBJECTID_EXISTS), "a handle holds it once");
    assert_eq!(system.leases()[0].holders, 2);

    let unowned = on_ethernet("192.0.2.2");
    system.create(unowned).expect("unowned");
    assert_eq!(other.share(unowned), Err(NtStatus::OBJECTID_EXISTS), "the driver did not create it as a lease");
}

#[test]
fn the_last_holder_of_a_shared_lease_withdraws_it() {
    for last in 0..3 {
        let system = System::new();
        let mut holders: Vec<_> = (0..3).map(|number| system.another(number + 5)).collect();
        for holder in &holders {
            holder.share(row()).expect("shared");
        }
        let survivor = holders.remove(last);
        assert_eq!(holders[0].delete(row()), NtStatus::SUCCESS, "gives up its own share");
        assert_eq!(holders[0].delete(row()), NtStatus::ACCESS_DENIED, "which it has no more");
        drop(holders);
        assert_eq!(system.leases()[0].holders, 1);
        assert_eq!(system.entries().len(), 1);
        drop(survivor);
        assert_eq!((system.entries().len(), system.leases().len()), (0, 0));
    }
}

#[test]
fn a_handle_that_is_cleaned_up_may_lease_until_it_is_closed() {
    let system = System::new();
    let other = system.another(4);
    other.lease(row()).expect("leased");
    other.handle().clean_up();
    assert_eq!(system.entries(), []);
    other.lease(row()).expect("leased, as kernel callers do");
    drop(other);
    assert_eq!(system.entries(), []);
}

#[test]
fn a_withdrawal_that_netio_refuses_is_tried_again_and_counted() {
    let system = System::new();
    let other = system.another(5);
    other.lease(row()).expect("leased");
    system.model().plan(Fault::next(Function::Delete, NtStatus::UNSUCCESSFUL).times(3));
    drop(other);
    let left = system.leases();
    assert_eq!((left.len(), left[0].holders, left[0].process_id), (1, 0, 5));
    assert_eq!(system.entries().len(), 1);
    // After 100, 200 and 400 ms.
    for (elapsed, retries) in [(99, 0), (1, 1), (199, 1), (1, 2), (399, 2)] {
        system.driver().advance(elapsed);
        assert_eq!((system.statistics().withdrawal_retries, system.entries().len()), (retries, 1));
    }
    system.driver().advance(1);
    assert_eq!((system.statistics().withdrawal_retries, system.entries().len()), (3, 0));
    assert_eq!(system.leases(), []);
    system.driver().advance(60_000);
    assert_eq!(system.statistics().withdrawal_retries, 3, "nothing is left to be tried");
}

#[test]
fn not_found_means_that_the_withdrawal_is_done() {
    let system = System::new();
    let other = system.another(5);
    other.lease(row()).expect("leased");
    system.model().remove(&row()).expect("somebody else deletes it");
    drop(other);
    assert_eq!(system.leases(), []);
    assert_eq!(system.kernel().due_in(), None);
}

#[test]
fn what_nobody_holds_any_more_is_for_whoever_comes() {
    let refuse = |system: &System| {
        system.model().clear_faults();
        let other = system.another(5);
        other.lease(row()).expect("leased");
        system.model().plan(Fault::next(Function::Delete, NtStatus::UNSUCCESSFUL).times(1));
        drop(other);
        assert_eq!(system.leases()[0].holders, 0);
    };
    for gone in [false, true] {
        let system = System::new();
        let end = |status| {
            assert_eq!((status, system.entries().len(), system.leases().len()), (NtStatus::SUCCESS, 0, 0));
        };
        let lose = || {
            if gone {
                system.model().remove(&row()).expect("somebody else deletes it");
            }
        };
        refuse(&system);
        lose();
        system.lease(row()).expect("its holder now");
        let leases = system.leases();
        assert_eq!((leases[0].holders, leases[0].process_id), (1, PROCESS));
        system.driver().advance(60_000);
        assert_eq!(system.entries().len(), 1, "it is not withdrawn any more");
        end(system.delete(row()));

        refuse(&system);
        lose();
        system.create(row()).expect("unowned now");
        assert_eq!(system.leases(), []);
        end(system.delete(row()));

        refuse(&system);
        lose();
        end(system.delete(row()));
    }
}

#[test]
fn a_driver_that_goes_tries_once_more_and_tells_what_stays() {
    for (refusals, left) in [(2, 1), (1, 0)] {
        let system = System::new();
        let other = system.another(5);
        other.lease(row()).expect("leased");
        system.model().plan(Fault::next(Function::Delete, NtStatus::UNSUCCESSFUL).times(refusals));
        drop(other);
        assert_eq!(system.driver().shut_down(), left);
        assert_eq!(system.entries().len(), left as usize);
        assert_eq!(system.leases(), []);
    }
}

#[test]
fn an_interface_that_comes_back_finds_the_leases_and_not_the_addresses() {
    let system = System::new();
    let other = system.another(5);
    system.share(row()).expect("leased");
    other.share(row()).expect("joined");
    system.model().remove_interface(ETHERNET).expect("it is there");
    assert_eq!(system.share(row()), Err(NtStatus::NOT_FOUND));
    let vanished = system.leases();
    assert_eq!((vanished.len(), vanished[0].row.index), (1, 0), "still leased, and nowhere");

    system.model().add_interface(interface(ETHERNET, 77)).expect("it is gone");
    let restored = system.share(row()).expect("created again");
    assert_eq!((restored.index, system.leases()[0].holders), (77, 2));
    assert_eq!(system.share(row()), Err(NtStatus::OBJECTID_EXISTS), "it is there");

    system.model().remove(&row()).expect("somebody else deletes it");
    system.another(6).share(row()).expect("whoever joins restores it, too");
    assert_eq!(system.entries().len(), 1);
    assert_eq!(system.leases()[0].holders, 2, "and has gone again");
    drop(other);
    assert_eq!(system.delete(row()), NtStatus::SUCCESS);
    assert_eq!(system.entries(), []);
    assert_ne!(ETHERNET_INDEX, 77);
}

#[test]
fn quotas_bound_what_a_handle_and_all_together_hold() {
    let limits = Limits { max_leases_per_handle: 2, max_leases: 3, ..Limits::DEFAULT };
    let system = System::limited(limits);
    let (other, third) = (system.another(5), system.another(6));
    let rows: Vec<_> = (1..=5).map(|number| on_ethernet(&format!("192.0.2.{number}"))).collect();
    system.share(rows[0]).expect("the first");
    system.share(rows[1]).expect("the second");
    assert_eq!(system.share(rows[2]), Err(NtStatus::QUOTA_EXCEEDED), "of the handle");
    other.share(rows[0]).expect("the third in total");
    assert_eq!(other.share(rows[1]), Err(NtStatus::QUOTA_EXCEEDED), "a holder counts as a lease does");
    assert_eq!(third.lease(rows[3]), Err(NtStatus::QUOTA_EXCEEDED));
    third.create(rows[3]).expect("what is no lease is not counted");
    assert_eq!(system.counters(Operation::Create).no_resources, 3);
    assert_eq!(other.delete(rows[0]), NtStatus::SUCCESS);
    third.lease(rows[4]).expect("room again");
    assert_eq!([rows[0], rows[1]].map(|row| system.delete(row)), [NtStatus::SUCCESS; 2]);
    system.share(rows[0]).expect("room again");
}

#[test]
fn a_lease_that_fails_leaves_nothing_of_itself() {
    let system = System::new();
    for raw in [NtStatus::NO_MEMORY, NtStatus::RAW_WIN32_OBJECT_ALREADY_EXISTS] {
        system.fail_next(Function::Create, raw);
        system.lease(row()).expect_err("the fault");
        assert_eq!((system.entries().len(), system.leases().len()), (0, 0));
    }
    system.lease(row()).expect("nothing stands in the way");
}

/// Each request for memory of opening a handle and leasing through it fails once.
#[test]
fn memory_that_is_not_there_fails_what_needs_it_and_nothing_else() {
    let system = System::new();
    for failing in 1.. {
        system.kernel().fail_allocation(failing);
        let other = match system.driver().open(5) {
            Err(status) => {
                assert_eq!(status, NtStatus::INSUFFICIENT_RESOURCES);
                continue;
            }
            Ok(handle) => handle,
        };
        drop(other);
        break;
    }
    system.kernel().clear_failures();
    for failing in 1.. {
        system.kernel().fail_allocation(failing);
        match system.lease(row()) {
            Err(status) => assert_eq!(status, NtStatus::INSUFFICIENT_RESOURCES),
            Ok(_) => break,
        }
        assert_eq!((system.entries().len(), system.leases().len()), (0, 0));
    }
    // To end a lease needs none.
    system.kernel().fail_allocation(1);
    system.handle().clean_up();
    assert_eq!((system.entries().len(), system.leases().len()), (0, 0));
}
