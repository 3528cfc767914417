//! Every operation, over the driver's own engine.

use netio_anycast_kernel_client::protocol::address::{AddressFamily, Luid};
use netio_anycast_kernel_client::protocol::apply::{ApplyAction, ApplyFlags, ApplyItem, ItemState};
use netio_anycast_kernel_client::protocol::create::{CreateFlags, DeleteFlags, Lifetime};
use netio_anycast_kernel_client::protocol::lease::LeaseFilter;
use netio_anycast_kernel_client::protocol::operation::Operation;
use netio_anycast_kernel_client::protocol::row::Row;
use netio_anycast_kernel_client::protocol::statistics::Statistics;
use netio_anycast_kernel_client::protocol::status::NtStatus;
use netio_anycast_kernel_client::protocol::table::TableFilter;
use netio_anycast_kernel_client::protocol::version::{Features, PROTOCOL_VERSION};
use netio_anycast_kernel_client::protocol::wait::Generation;
use netio_anycast_kernel_client::{Addresses, Error, Sharing};
use zerocopy::FromZeros;

use crate::driver::{addresses, driver, open, resolved, row, status};

const ALL_LEASES: LeaseFilter = LeaseFilter { table: TableFilter::ALL, process_id: 0, reserved: 0 };

#[test]
fn a_client_knows_what_the_driver_offers() {
    let client = open(&driver());
    assert_eq!(client.version().protocol, PROTOCOL_VERSION);
    assert_eq!(client.require(Features::LEASES | Features::BATCHES), Ok(()));
    let unknown = Features::from_bits_retain(1 << 63);
    assert_eq!(client.require(unknown | Features::LEASES), Err(Error::NotOffered(unknown)));
}

#[test]
fn an_address_is_created_read_and_deleted() {
    let driver = driver();
    let client = open(&driver);
    let created = client.create(&row("192.0.2.1"), Lifetime::Unowned, CreateFlags::empty());
    assert_eq!(created, Ok(resolved("192.0.2.1")));
    assert_eq!(client.get(&row("192.0.2.1")), Ok(resolved("192.0.2.1")));
    let again = client.create(&row("192.0.2.1"), Lifetime::Unowned, CreateFlags::empty());
    assert_eq!(again, status(NtStatus::OBJECTID_EXISTS));
    assert_eq!(client.delete(&row("192.0.2.1"), DeleteFlags::empty()), Ok(()));
    assert_eq!(client.get(&row("192.0.2.1")), status(NtStatus::NOT_FOUND));
    assert!(addresses(&driver).is_empty());
}

#[test]
fn a_lease_goes_when_it_is_dropped_and_one_that_is_kept_goes_with_the_file_object() {
    let driver = driver();
    let client = open(&driver);
    let lease = client.lease(&row("192.0.2.1"), Sharing::Exclusive).expect("the address is free");
    assert_eq!(*lease.row(), resolved("192.0.2.1"));
    assert_eq!(addresses(&driver).len(), 1);
    drop(lease);
    assert!(addresses(&driver).is_empty());

    let kept = client.lease(&row("192.0.2.2"), Sharing::Exclusive).expect("the address is free").keep();
    assert_eq!(kept, resolved("192.0.2.2"));
    assert_eq!(addresses(&driver).len(), 1);
    drop(client);
    assert!(addresses(&driver).is_empty());
}

#[test]
fn a_lease_that_is_released_tells_how_that_went() {
    let driver = driver();
    let (one, other) = (open(&driver), open(&driver));
    let lease = one.lease(&row("192.0.2.1"), Sharing::Exclusive).expect("the address is free");
    assert_eq!(other.delete(lease.row(), DeleteFlags::empty()), status(NtStatus::ACCESS_DENIED));
    assert_eq!(other.delete(lease.row(), DeleteFlags::FORCE), Ok(()));
    assert_eq!(lease.release(), Ok(()), "it is gone, which is what was wanted");
    let lease = one.lease(&row("192.0.2.1"), Sharing::Exclusive).expect("the address is free again");
    assert_eq!(lease.release(), Ok(()));
    assert!(addresses(&driver).is_empty());
}

#[test]
fn shared_leases_go_with_the_last_of_their_holders() {
    let driver = driver();
    let (one, other) = (open(&driver), open(&driver));
    let first = one.lease(&row("192.0.2.1"), Sharing::Shared).expect("the address is free");
    let second = other.lease(&row("192.0.2.1"), Sharing::Shared).expect("both share it");
    let refused = other.lease(&row("192.0.2.1"), Sharing::Exclusive).map(netio_anycast_kernel_client::Lease::keep);
    assert_eq!(refused, status(NtStatus::OBJECTID_EXISTS));
    let leases = one.leases(&ALL_LEASES).expect("they can be listed");
    assert_eq!(leases.iter().map(|lease| lease.holders).collect::<Vec<_>>(), [2]);
    drop(first);
    assert_eq!(addresses(&driver).len(), 1);
    drop(second);
    assert!(addresses(&driver).is_empty());
}

/// More rows than the first attempt has room for.
#[test]
fn a_table_is_read_whole_however_long_it_is() {
    let driver = driver();
    let client = open(&driver);
    let rows: Vec<Row> = (0..500_u32).map(|n| row(&format!("2001:db8::{n:x}"))).skip(1).collect();
    for row in &rows {
        let _ = client.create(row, Lifetime::Handle, CreateFlags::empty()).expect("the address is free");
    }
    let table = client.table(&TableFilter::ALL).expect("it can be read");
    assert_eq!(table.len(), rows.len());
    assert!(table.is_sorted_by(|one, next| one.table_order(next).is_lt()));
    let leases = client.leases(&ALL_LEASES).expect("they can be listed");
    assert!(leases.iter().map(|lease| lease.row).eq(table.iter().copied()));
    let of_ipv4 = client.table(&TableFilter { family: AddressFamily::IPV4, ..TableFilter::ALL });
    assert_eq!(of_ipv4.expect("it can be read").len(), 0);
    let elsewhere = client.table(&TableFilter { luid: Luid(1), ..TableFilter::ALL });
    assert_eq!(elsewhere.map(|table| table.len()), status(NtStatus::NOT_FOUND));
}

#[test]
fn a_batch_tells_what_became_of_each_item() {
    let driver = driver();
    let client = open(&driver);
    let item = |action: ApplyAction, address: &str| ApplyItem {
        row: row(address),
        action: action as u32,
        lifetime: 0,
        flags: 0,
        reserved: 0,
    };
    let create = |address| item(ApplyAction::Create, address);
    let items = [create("192.0.2.1"), item(ApplyAction::Delete, "192.0.2.9"), create("192.0.2.2")];
    let states = |outcomes: &netio_anycast_kernel_client::Outcomes| -> Vec<u8> {
        outcomes.as_slice().iter().map(|outcome| outcome.state).collect()
    };

    let outcomes = client.apply(&items, ApplyFlags::ATOMIC).expect("it is well-formed");
    assert_eq!(states(&outcomes), [ItemState::RolledBack, ItemState::Failed, ItemState::NotAttempted].map(|s| s as u8));
    assert_eq!((outcomes.all_applied(), outcomes.first_failure()), (false, Some(NtStatus::NOT_FOUND)));
    assert!(addresses(&driver).is_empty());

    let outcomes = client.apply(&items, ApplyFlags::empty()).expect("it is well-formed");
    assert_eq!(states(&outcomes), [ItemState::Applied, ItemState::Failed, ItemState::Applied].map(|s| s as u8));
    assert_eq!(addresses(&driver).len(), 2);

    let outcomes = client.apply(&[], ApplyFlags::empty()).expect("it is well-formed");
    assert!(outcomes.as_slice().is_empty() && outcomes.all_applied());
    let too_many = vec![items[0]; client.version().max_apply_items as usize + 1];
    let refused = client.apply(&too_many, ApplyFlags::empty()).map(|outcomes| outcomes.all_applied());
    assert_eq!(refused, status(NtStatus::INVALID_PARAMETER));
}

#[test]
fn a_wait_from_the_generation_of_a_table_misses_no_change() {
    let driver = driver();
    let client = open(&driver);
    let seen = Generation(client.table(&TableFilter::ALL).expect("it can be read").generation());
    let _ = client.create(&row("192.0.2.1"), Lifetime::Unowned, CreateFlags::empty()).expect("the address is free");
    let now = client.wait_change(seen).expect("there was a change");
    assert_ne!(now, seen);
    assert_eq!(now.0, client.table(&TableFilter::ALL).expect("it can be read").generation());
}

#[test]
fn the_counters_are_the_drivers() {
    let client = open(&driver());
    let _ = client.create(&row("192.0.2.1"), Lifetime::Handle, CreateFlags::empty()).expect("the address is free");
    let mut statistics = Statistics::new_zeroed();
    client.statistics(&mut statistics).expect("they can be read");
    assert_eq!(statistics.operations[Operation::Create as usize].succeeded, 1);
    assert_eq!(statistics.live_leases, 1);
}

#[test]
fn every_error_has_a_status_and_words() {
    let errors = [
        (Error::Status(NtStatus::NOT_FOUND), NtStatus::NOT_FOUND, "STATUS_NOT_FOUND (0xC0000225)"),
        (Error::Malformed, NtStatus::UNSUCCESSFUL, "the driver's reply is not what its contract says"),
        (Error::OtherProtocol(7), NtStatus::REVISION_MISMATCH, "the driver speaks protocol 7, this client 1"),
        (Error::NotOffered(Features::LEASES), NtStatus::NOT_SUPPORTED, "the driver does not offer Features(LEASES)"),
        (Error::GrowsTooFast, NtStatus::UNSUCCESSFUL, "the table grew faster than it could be read"),
    ];
    for (error, status, words) in errors {
        assert_eq!((NtStatus::from(error), error.to_string().as_str()), (status, words));
    }
}
