//! Every operation against the driver's own engine over the model of NetIO, with every documented result.

#[path = "support/in_process.rs"]
mod in_process;

use std::net::{IpAddr, Ipv4Addr};

use in_process::{Handle, InProcessDriver, ethernet};
use netio_anycast_client::protocol::address::Luid;
use netio_anycast_client::protocol::operation::Operation;
use netio_anycast_client::protocol::status::NtStatus;
use netio_anycast_client::protocol::version::PROTOCOL_VERSION;
use netio_anycast_client::protocol::win32::Win32Error;
use netio_anycast_client::{Client, Error, ErrorKind, Family, InterfaceId, Selection};
use netio_model::{Families, Fault, Function, Model, Settings};

const ETHERNET: InterfaceId = InterfaceId::Index(5);
const UNKNOWN: InterfaceId = InterfaceId::Index(99);

fn ip(text: &str) -> IpAddr {
    text.parse().expect("an IP address")
}

fn connect(model: Model) -> Client<Handle> {
    Client::connect(InProcessDriver::over(model).open()).expect("the driver speaks this protocol")
}

fn model() -> Model {
    let mut model = Model::new();
    model.add_interface(ethernet(5)).expect("the first interface");
    model
}

/// The client of a driver whose NetIO fails once.
fn failing(function: Function, status: NtStatus) -> Client<Handle> {
    let mut model = model();
    model.plan(Fault::next(function, status));
    connect(model)
}

#[track_caller]
fn assert_failure(error: &Error, kind: ErrorKind, status: NtStatus, win32: u32) {
    assert_eq!((error.kind(), error.status(), error.win32()), (kind, Some(status), Some(Win32Error(win32))), "{error}");
}

#[test]
fn tells_the_drivers_version() -> Result<(), Error> {
    let client = Client::connect(InProcessDriver::with_interface(5).open())?;
    assert_eq!(client.version().protocol, PROTOCOL_VERSION);
    Ok(())
}

#[test]
fn creates_reads_lists_and_deletes() -> Result<(), Error> {
    let client = connect(model());
    let ipv6 = client.create(ip("2001:db8::1"), ETHERNET)?;
    let ipv4 = client.create(ip("192.0.2.1"), InterfaceId::Luid(ipv6.luid))?;
    assert_eq!((ipv4.luid, ipv4.index), (Luid::new(6, 5), 5));

    assert_eq!(client.get(ip("192.0.2.1"), ETHERNET)?, ipv4);
    assert_eq!(client.table(Selection::ALL)?.entries, [ipv4, ipv6]);
    let only = |family| Selection { family: Some(family), interface: Some(ETHERNET) };
    assert_eq!(client.table(only(Family::Ipv4))?.entries, [ipv4]);
    assert_eq!(client.table(only(Family::Ipv6))?.entries, [ipv6]);

    client.delete(ip("192.0.2.1"), ETHERNET)?;
    assert_eq!(client.table(Selection::ALL)?.entries, [ipv6]);
    Ok(())
}

#[test]
fn counts_what_it_did() -> Result<(), Error> {
    let client = connect(model());
    client.create(ip("192.0.2.1"), ETHERNET)?;
    client.create(ip("192.0.2.1"), ETHERNET).unwrap_err();
    let counters = client.statistics()?.operations[Operation::Create as usize];
    assert_eq!((counters.succeeded, counters.already_exists), (1, 1));
    Ok(())
}

#[test]
fn an_empty_table_has_no_entries_whichever_way_netio_puts_it() -> Result<(), Error> {
    for empty_table in [NtStatus::NOT_FOUND, NtStatus::SUCCESS] {
        let mut model = model();
        model.configure(Settings { empty_table, ..Settings::default() });
        assert!(connect(model).table(Selection::ALL)?.entries.is_empty());
    }
    Ok(())
}

#[test]
fn reads_a_table_of_any_length() -> Result<(), Error> {
    for length in [1, 64, 65, 10_000] {
        let client = connect(model());
        let mut created = (0..length)
            .map(|number| client.create(IpAddr::V4(Ipv4Addr::from_bits(0x0A00_0000 + number)), ETHERNET))
            .collect::<Result<Vec<_>, _>>()?;
        created.sort_by_key(|entry| entry.address);
        assert_eq!(client.table(Selection::ALL)?.entries, created);
    }
    Ok(())
}

#[test]
fn a_duplicate_already_exists_however_netio_puts_it() {
    for duplicate in [
        NtStatus::RAW_WIN32_OBJECT_ALREADY_EXISTS,
        NtStatus::FACILITY_WIN32_OBJECT_ALREADY_EXISTS,
        NtStatus::DUPLICATE_OBJECTID,
        NtStatus::OBJECTID_EXISTS,
        NtStatus::OBJECT_NAME_COLLISION,
    ] {
        let error = failing(Function::Create, duplicate).create(ip("192.0.2.1"), ETHERNET).unwrap_err();
        assert_failure(&error, ErrorKind::AlreadyExists, NtStatus::OBJECTID_EXISTS, 5010);
    }
}

#[test]
fn what_is_not_there_is_not_found() {
    let client = connect(model());
    let address = ip("192.0.2.1");
    let errors = [
        client.create(address, UNKNOWN).unwrap_err(),
        client.delete(address, UNKNOWN).unwrap_err(),
        client.delete(address, ETHERNET).unwrap_err(),
        client.get(address, UNKNOWN).unwrap_err(),
        client.get(address, ETHERNET).unwrap_err(),
        client.table(Selection { family: None, interface: Some(UNKNOWN) }).unwrap_err(),
    ];
    for error in errors {
        assert_failure(&error, ErrorKind::NotFound, NtStatus::NOT_FOUND, 1168);
    }
}

#[test]
fn a_missing_stack_is_not_supported() {
    let mut model = model();
    model.configure(Settings { stacks: Families::IPV4, ..Settings::default() });
    let client = connect(model);
    let address = ip("2001:db8::1");
    let errors = [
        client.create(address, ETHERNET).unwrap_err(),
        client.delete(address, ETHERNET).unwrap_err(),
        client.get(address, ETHERNET).unwrap_err(),
        client.table(Selection { family: Some(Family::Ipv6), interface: None }).unwrap_err(),
    ];
    for error in errors {
        assert_failure(&error, ErrorKind::NotSupported, NtStatus::NOT_SUPPORTED, 50);
        assert!(error.why().contains("IPv6"), "{error}");
    }
}

#[test]
fn an_address_that_is_not_unicast_is_invalid() {
    let client = connect(model());
    for address in ["0.0.0.0", "::", "224.0.0.1", "ff02::1", "255.255.255.255"] {
        let error = client.create(ip(address), ETHERNET).unwrap_err();
        assert_failure(&error, ErrorKind::InvalidParameter, NtStatus::INVALID_PARAMETER, 87);
    }
}

#[test]
fn no_interface_is_invalid_and_never_means_all_of_them() {
    let client = connect(model());
    for interface in [InterfaceId::Index(0), InterfaceId::Luid(Luid::UNSET)] {
        let error = client.create(ip("192.0.2.1"), interface).unwrap_err();
        assert_failure(&error, ErrorKind::InvalidParameter, NtStatus::INVALID_PARAMETER, 87);
        let error = client.table(Selection { family: None, interface: Some(interface) }).unwrap_err();
        assert_eq!((error.kind(), error.status()), (ErrorKind::InvalidParameter, None));
    }
}

#[test]
fn a_lack_of_memory_is_no_resources() {
    let client = failing(Function::Table, NtStatus::INSUFFICIENT_RESOURCES);
    let error = client.table(Selection::ALL).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoResources, "{error}");
}

#[test]
fn an_undocumented_status_is_kept() {
    let status = NtStatus::from_bits(0xC000_ABCD);
    let error = failing(Function::Delete, status).delete(ip("192.0.2.1"), ETHERNET).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Other, "{error}");
}
