//! Leases, batches and waits, over a driver that offers them.

#[path = "support/in_process.rs"]
mod in_process;

use std::net::IpAddr;
use std::time::Duration;

use in_process::{Handle, InProcessDriver, ethernet};
use netio_anycast_client::protocol::apply::Field;
use netio_anycast_client::protocol::row::Row;
use netio_anycast_client::protocol::status::NtStatus;
use netio_anycast_client::protocol::version::Features;
use netio_anycast_client::protocol::win32::Win32Error;
use netio_anycast_client::{
    Atomicity, Change, Client, Error, ErrorKind, Family, InterfaceId, Item, LeaseSelection, Outcome, Selection, Sharing,
};
use netio_anycast_engine::Limits;
use netio_model::{Fault, Function, Model};

const ETHERNET: InterfaceId = InterfaceId::Index(5);

fn ip(text: &str) -> IpAddr {
    text.parse().expect("an IP address")
}

fn model() -> Model {
    let mut model = Model::new();
    model.add_interface(ethernet(5)).expect("the only interface");
    model
}

fn limited(limits: Limits) -> InProcessDriver {
    InProcessDriver::limited(model(), limits)
}

fn connect(driver: &InProcessDriver) -> Client<Handle> {
    Client::connect(driver.open()).expect("it speaks this protocol")
}

fn create(address: &str) -> Item {
    Item { address: ip(address), interface: ETHERNET, change: Change::Create }
}

fn delete(address: &str) -> Item {
    Item { change: Change::Delete { force: false }, ..create(address) }
}

fn addresses(client: &Client<Handle>) -> Vec<String> {
    let table = client.table(Selection::ALL).expect("the table can be read");
    table.entries.iter().map(|entry| entry.address.to_string()).collect()
}

#[test]
fn a_lease_goes_when_it_is_dropped_or_released() -> Result<(), Error> {
    let driver = InProcessDriver::over(model());
    let client = connect(&driver);
    let lease = client.lease(ip("192.0.2.1"), ETHERNET, Sharing::Exclusive)?;
    assert_eq!(addresses(&client), ["192.0.2.1"]);
    drop(lease);
    assert!(addresses(&client).is_empty());

    client.lease(ip("192.0.2.1"), ETHERNET, Sharing::Exclusive)?.release()?;
    assert!(addresses(&client).is_empty());
    Ok(())
}

#[test]
fn a_lease_goes_with_its_client() -> Result<(), Error> {
    let driver = InProcessDriver::over(model());
    let client = connect(&driver);
    let entry = client.lease(ip("192.0.2.1"), ETHERNET, Sharing::Exclusive)?.until_the_client_goes();
    let observer = connect(&driver);
    assert_eq!(observer.table(Selection::ALL)?.entries, [entry]);
    drop(client);
    assert!(addresses(&observer).is_empty());
    Ok(())
}

#[test]
fn a_refused_withdrawal_is_told_by_release() -> Result<(), Error> {
    let mut model = model();
    model.plan(Fault::next(Function::Delete, NtStatus::from_bits(0xC000_ABCD)));
    let client = connect(&InProcessDriver::over(model));
    let lease = client.lease(ip("192.0.2.1"), ETHERNET, Sharing::Exclusive)?;
    let error = lease.release().expect_err("NetIO refuses it");
    assert_eq!(error.kind(), ErrorKind::Other, "{error}");
    assert_eq!(addresses(&client), ["192.0.2.1"]);
    Ok(())
}

#[test]
fn an_exclusive_lease_is_nobody_elses() -> Result<(), Error> {
    let driver = InProcessDriver::over(model());
    let (holder, other) = (connect(&driver), connect(&driver));
    let lease = holder.lease(ip("192.0.2.1"), ETHERNET, Sharing::Exclusive)?;
    for sharing in [Sharing::Exclusive, Sharing::Shared] {
        let error = other.lease(ip("192.0.2.1"), ETHERNET, sharing).expect_err("it is held");
        assert_eq!((error.kind(), error.win32()), (ErrorKind::AlreadyExists, Some(Win32Error(5010))), "{error}");
    }
    let error = other.delete(ip("192.0.2.1"), ETHERNET).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AccessDenied, "{error}");
    assert!(error.why().contains("lease"), "{error}");
    other.force_delete(ip("192.0.2.1"), ETHERNET)?;
    lease.release()
}

#[test]
fn a_shared_lease_goes_with_its_last_holder() -> Result<(), Error> {
    let driver = InProcessDriver::over(model());
    let (first, second, observer) = (connect(&driver), connect(&driver), connect(&driver));
    let lease = first.lease(ip("192.0.2.1"), ETHERNET, Sharing::Shared)?;
    let _share = second.lease(ip("192.0.2.1"), ETHERNET, Sharing::Shared)?.until_the_client_goes();
    let listed = observer.leases(LeaseSelection::default())?.leases;
    assert_eq!((listed.len(), listed[0].holders, listed[0].sharing), (1, 2, Sharing::Shared));
    lease.release()?;
    assert_eq!(addresses(&observer), ["192.0.2.1"]);
    assert_eq!(observer.leases(LeaseSelection::default())?.leases[0].holders, 1);
    drop(first);
    assert_eq!(addresses(&observer), ["192.0.2.1"]);
    drop(second);
    assert!(addresses(&observer).is_empty());
    Ok(())
}

#[test]
fn a_lease_whose_interface_went_and_came_back_can_be_taken_again() -> Result<(), Error> {
    let driver = InProcessDriver::over(model());
    let client = connect(&driver);
    let lease = client.lease(ip("192.0.2.1"), ETHERNET, Sharing::Exclusive)?;
    let error = client.lease(ip("192.0.2.1"), ETHERNET, Sharing::Exclusive).expect_err("it is there");
    assert_eq!(error.kind(), ErrorKind::AlreadyExists, "{error}");

    driver.by_others(|model| {
        model.remove_interface(ethernet(5).luid).expect("it is there");
        model.add_interface(netio_model::Interface { index: 9, ..ethernet(5) }).expect("it has gone");
    });
    assert!(addresses(&client).is_empty());
    let again = client.lease(ip("192.0.2.1"), InterfaceId::Luid(lease.entry().luid), Sharing::Exclusive)?;
    assert_eq!(again.entry().index, 9);
    assert_eq!(client.leases(LeaseSelection::default())?.leases.len(), 1);
    Ok(())
}

#[test]
fn an_address_that_is_no_lease_is_anybodys_to_delete() -> Result<(), Error> {
    let driver = InProcessDriver::over(model());
    let (first, second) = (connect(&driver), connect(&driver));
    first.create(ip("192.0.2.1"), ETHERNET)?;
    let error = second.lease(ip("192.0.2.1"), ETHERNET, Sharing::Shared).expect_err("it is nobody's lease");
    assert_eq!(error.kind(), ErrorKind::AlreadyExists, "{error}");
    second.delete(ip("192.0.2.1"), ETHERNET)
}

#[test]
fn leases_are_listed_by_family_interface_and_process() -> Result<(), Error> {
    let driver = InProcessDriver::over(model());
    let client = connect(&driver);
    let _ipv4 = client.lease(ip("192.0.2.1"), ETHERNET, Sharing::Exclusive)?;
    let _ipv6 = client.lease(ip("2001:db8::1"), ETHERNET, Sharing::Exclusive)?;
    let families = |family, process_id| {
        let table = Selection { family, interface: Some(ETHERNET) };
        let list = client.leases(LeaseSelection { table, process_id }).expect("the list can be read");
        list.leases.iter().map(|lease| lease.entry.address.is_ipv6()).collect::<Vec<_>>()
    };
    assert_eq!(families(None, None), [false, true]);
    assert_eq!(families(Some(Family::Ipv6), Some(std::process::id())), [true]);
    assert!(families(None, Some(std::process::id() + 1)).is_empty());
    let table = Selection { family: None, interface: Some(InterfaceId::Index(0)) };
    let error = client.leases(LeaseSelection { table, process_id: None }).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidParameter, "{error}");
    Ok(())
}

#[test]
fn a_quota_is_no_resources() {
    let client = connect(&limited(Limits { max_leases_per_handle: 2, ..Limits::DEFAULT }));
    let _held = ["192.0.2.1", "192.0.2.2"].map(|address| client.lease(ip(address), ETHERNET, Sharing::Exclusive));
    let error = client.lease(ip("192.0.2.3"), ETHERNET, Sharing::Exclusive).expect_err("two are allowed");
    assert_eq!((error.kind(), error.status()), (ErrorKind::NoResources, Some(NtStatus::QUOTA_EXCEEDED)), "{error}");
    assert!(error.advice().contains("Parameters"), "{error}");
}

#[test]
fn what_the_driver_does_not_offer_is_not_asked_for() {
    let client = connect(&InProcessDriver::over(model()).offering(Features::ANYCAST));
    let errors = [
        client.lease(ip("192.0.2.1"), ETHERNET, Sharing::Exclusive).expect_err("no leases"),
        client.apply(&[create("192.0.2.1")], Atomicity::Independent).unwrap_err(),
        client.begin_wait(0).expect_err("no waits"),
        client.leases(LeaseSelection::default()).unwrap_err(),
        client.statistics().unwrap_err(),
    ];
    for error in errors {
        assert_eq!((error.kind(), error.status()), (ErrorKind::DriverMismatch, None), "{error}");
    }
}

#[test]
fn a_batch_tells_what_became_of_each_item() -> Result<(), Error> {
    let client = connect(&InProcessDriver::over(model()));
    let items = [create("192.0.2.1"), create("192.0.2.1"), delete("192.0.2.9"), create("0.0.0.0")];
    let outcomes = client.apply(&items, Atomicity::Independent)?;
    let kinds: Vec<_> = outcomes.iter().map(|outcome| outcome.error().map(Error::kind)).collect();
    let [duplicate, missing, invalid] = [ErrorKind::AlreadyExists, ErrorKind::NotFound, ErrorKind::InvalidParameter];
    assert_eq!(kinds, [None, Some(duplicate), Some(missing), Some(invalid)]);
    assert_eq!(outcomes[3].error().and_then(Error::field), Some(Field::Address));
    assert_eq!(outcomes[1].error().and_then(Error::netio_status), Some(NtStatus::RAW_WIN32_OBJECT_ALREADY_EXISTS));
    assert!(outcomes[1].error().unwrap().to_string().contains("NetIO said"), "{:?}", outcomes[1]);
    Ok(())
}

#[test]
fn an_atomic_batch_leaves_nothing_behind() -> Result<(), Error> {
    let mut model = model();
    model.plan(Fault::next(Function::Delete, NtStatus::UNSUCCESSFUL).after(2));
    let client = connect(&InProcessDriver::over(model));
    let items = [create("192.0.2.1"), create("192.0.2.2"), delete("192.0.2.9"), create("192.0.2.3")];
    let outcomes = client.apply(&items, Atomicity::Atomic)?;
    assert!(
        matches!(&outcomes[0], Outcome::RollbackFailed(error) if error.what().starts_with("cannot delete 192.0.2.1"))
    );
    assert_eq!((&outcomes[1], &outcomes[3]), (&Outcome::RolledBack, &Outcome::NotAttempted));
    assert!(matches!(outcomes[2], Outcome::Failed(_)), "{outcomes:?}");
    assert_eq!(addresses(&client), ["192.0.2.1"]);
    Ok(())
}

#[test]
fn a_batch_beyond_the_limit_is_divided_unless_it_is_atomic() -> Result<(), Error> {
    let client = connect(&limited(Limits { max_apply_items: 2, ..Limits::DEFAULT }));
    let items: Vec<Item> = (1..=5).map(|number| create(&format!("192.0.2.{number}"))).collect();
    let error = client.apply(&items, Atomicity::Atomic).unwrap_err();
    assert_eq!((error.kind(), error.status()), (ErrorKind::InvalidParameter, None), "{error}");
    assert!(error.why().contains("at most 2"), "{error}");
    assert!(addresses(&client).is_empty());
    let outcomes = client.apply(&items, Atomicity::Independent)?;
    assert!(outcomes.iter().all(Outcome::is_applied), "{outcomes:?}");
    assert_eq!(addresses(&client).len(), 5);
    assert_eq!(client.apply(&[], Atomicity::Atomic)?, []);
    Ok(())
}

#[test]
fn leases_of_a_batch_go_with_the_client() -> Result<(), Error> {
    let driver = InProcessDriver::over(model());
    let (client, observer) = (connect(&driver), connect(&driver));
    let item = Item { change: Change::Lease(Sharing::Exclusive), ..create("192.0.2.1") };
    assert_eq!(client.apply(&[item], Atomicity::Atomic)?, [Outcome::Applied]);
    assert_eq!(addresses(&observer).len(), 1);
    drop(client);
    assert!(addresses(&observer).is_empty());
    Ok(())
}

#[test]
fn a_wait_ends_with_a_change_by_others() -> Result<(), Error> {
    let driver = InProcessDriver::over(model());
    let client = connect(&driver);
    let seen = client.table(Selection::ALL)?.generation;
    let now = std::thread::scope(|scope| {
        let waiting = client.begin_wait(seen)?;
        scope.spawn(|| {
            driver.by_others(|model| {
                let row = Row::on_luid(ip("192.0.2.1"), ethernet(5).luid);
                model.insert(&row).expect("it is not there yet");
            });
        });
        waiting.wait()
    })?;
    assert_eq!(now, seen + 1);
    assert_eq!(addresses(&client), ["192.0.2.1"]);
    Ok(())
}

#[test]
fn a_wait_can_be_bounded_looked_at_and_cancelled() -> Result<(), Error> {
    let driver = InProcessDriver::over(model());
    let client = connect(&driver);
    let seen = client.table(Selection::ALL)?.generation;
    let wait = client.begin_wait(seen)?;
    assert_eq!(wait.poll(), None);
    assert_eq!(wait.wait_for(Duration::from_secs(1)), None);
    wait.cancel();
    let error = wait.wait().unwrap_err();
    assert_eq!((error.kind(), error.status()), (ErrorKind::Other, Some(NtStatus::CANCELLED)), "{error}");
    Ok(())
}
