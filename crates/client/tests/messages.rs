//! Every message, word for word: what failed, why, the codes, and what to do.

#[path = "support/lying.rs"]
mod lying;

use std::fmt::Write as _;
use std::net::IpAddr;
use std::time::Duration;

use insta::assert_snapshot;
use lying::{Driver, connect, table, version, write};
use netio_anycast_client::protocol::DEVICE_PATH;
use netio_anycast_client::protocol::address::Luid;
use netio_anycast_client::protocol::apply::{ApplyReply, Field, ItemOutcome, ItemState};
use netio_anycast_client::protocol::create::{CreateFlags, Lifetime};
use netio_anycast_client::protocol::lease::LeaseRow;
use netio_anycast_client::protocol::row::Row;
use netio_anycast_client::protocol::status::NtStatus;
use netio_anycast_client::protocol::version::{Features, PROTOCOL_VERSION, Version};
use netio_anycast_client::protocol::win32::Win32Error;
use netio_anycast_client::{
    Atomicity, Change, Client, Error, Family, InterfaceId, Item, LeaseSelection, OsError, Outcome, PendingRequest,
    Returned, Selection, Sharing, Transport, query_version,
};
use zerocopy::IntoBytes;

const LUID: Luid = Luid(0x0006_0000_0500_0000);
const INTERFACE: InterfaceId = InterfaceId::Luid(LUID);

fn address() -> IpAddr {
    "192.0.2.1".parse().expect("an address")
}

fn row(address: &str, luid: Luid) -> Row {
    Row::on_luid(address.parse().expect("an address"), luid)
}

const fn selection(family: Option<Family>, interface: Option<InterfaceId>) -> Selection {
    Selection { family, interface }
}

fn creation() -> Item {
    Item { address: address(), interface: INTERFACE, change: Change::Create }
}

/// The messages, one a line.
#[derive(Default)]
struct Messages(String);

impl Messages {
    fn note<T>(&mut self, result: Result<T, Error>) {
        let error = result.err().expect("it fails");
        writeln!(self.0, "{error}").expect("a string takes any text");
    }
}

/// Everything that a client can be asked for.
fn ask_for_everything<T: Transport>(client: &Client<T>, messages: &mut Messages) {
    let leases = LeaseSelection { process_id: Some(4711), ..LeaseSelection::default() };
    messages.note(client.create(address(), INTERFACE));
    messages.note(client.lease(address(), INTERFACE, Sharing::Exclusive));
    messages.note(client.delete(address(), INTERFACE));
    messages.note(client.get(address(), INTERFACE));
    messages.note(client.table(Selection::ALL));
    messages.note(client.table(selection(Some(Family::Ipv6), Some(INTERFACE))));
    messages.note(client.leases(leases));
    messages.note(client.apply(&[creation()], Atomicity::Atomic));
    messages.note(client.wait_change(1));
    messages.note(client.statistics());
}

#[test]
fn requests_that_fail() {
    let mut messages = Messages::default();
    let undocumented = NtStatus::from_bits(0xC000_ABCD);
    for status in [
        NtStatus::NOT_FOUND,
        NtStatus::OBJECTID_EXISTS,
        NtStatus::NOT_SUPPORTED,
        NtStatus::INVALID_PARAMETER,
        NtStatus::ACCESS_DENIED,
        NtStatus::DEVICE_NOT_READY,
        NtStatus::INVALID_DEVICE_REQUEST,
        NtStatus::QUOTA_EXCEEDED,
        NtStatus::INSUFFICIENT_RESOURCES,
        NtStatus::CANCELLED,
        NtStatus::OBJECT_NAME_INVALID,
        NtStatus::INVALID_DEVICE_STATE,
        undocumented,
    ] {
        let client = connect(|_: &mut [u8]| Err(OsError::from_status(status)));
        ask_for_everything(&client, &mut messages);
    }
    assert_snapshot!(messages.0);
}

#[test]
fn what_a_driver_does_not_offer() {
    let mut messages = Messages::default();
    let version = Version { features: Features::ANYCAST.bits(), ..version() };
    let client = Client::connect(Driver { version, answer: |_: &mut [u8]| unreachable!("it was asked") });
    let client = client.expect("the version is right");
    messages.note(client.lease(address(), INTERFACE, Sharing::Shared));
    messages.note(client.leases(LeaseSelection::default()));
    messages.note(client.apply(&[creation()], Atomicity::Independent));
    messages.note(client.wait_change(1));
    messages.note(client.statistics());
    assert_snapshot!(messages.0);
}

#[test]
fn what_is_refused_before_the_driver_is_asked() {
    let mut messages = Messages::default();
    let version = Version { max_apply_items: 2, ..version() };
    let client = Client::connect(Driver { version, answer: |_: &mut [u8]| unreachable!("it was asked") });
    let client = client.expect("the version is right");
    messages.note(client.apply(&[creation(); 3], Atomicity::Atomic));
    for interface in [InterfaceId::Index(0), InterfaceId::Luid(Luid::UNSET)] {
        messages.note(client.table(selection(None, Some(interface))));
        let table = selection(Some(Family::Ipv4), Some(interface));
        messages.note(client.leases(LeaseSelection { table, process_id: None }));
    }
    assert_snapshot!(messages.0);
}

/// A driver that does not even tell its version.
struct Silent;

impl Transport for Silent {
    fn control(&self, _: u32, _: &[u8], _: &mut [u8]) -> Result<Returned, OsError> {
        Err(OsError::from_status(NtStatus::DEVICE_NOT_READY))
    }
}

#[test]
fn drivers_and_interfaces_that_are_not_there() {
    let mut messages = Messages::default();
    let mut note = |error| messages.note(Err::<(), _>(error));
    let code = OsError { status: NtStatus::OBJECT_NAME_NOT_FOUND, win32: Win32Error::FILE_NOT_FOUND };
    for code in [
        code,
        OsError::from_status(NtStatus::ACCESS_DENIED),
        OsError::from_status(NtStatus::OBJECT_NAME_INVALID),
        OsError::from_win32(Win32Error(31)),
    ] {
        note(Error::opening(DEVICE_PATH, code));
    }
    for code in [Win32Error::INVALID_PARAMETER, Win32Error::NOT_ENOUGH_MEMORY, Win32Error(31)] {
        note(Error::resolving_alias("Ethernet 7", code));
    }
    for code in [Win32Error::NOT_ENOUGH_MEMORY, Win32Error(31)] {
        note(Error::listing_interfaces(code));
    }
    let no_version = Silent;
    messages.note(query_version(&no_version));
    for protocol in [PROTOCOL_VERSION + 1, 0] {
        let version = Version { protocol, ..version() };
        messages.note(Client::connect(Driver { version, answer: |_: &mut [u8]| unreachable!("it was asked") }));
    }
    assert_snapshot!(messages.0);
}

/// A client of a driver that answers everything with these bytes.
fn told(bytes: &[u8]) -> Client<Box<dyn Transport + '_>> {
    let answer = |output: &mut [u8]| Ok(write(output, bytes, false));
    Client::connect(Box::new(Driver { version: version(), answer }) as Box<dyn Transport>)
        .expect("the version is right")
}

#[test]
fn replies_of_one_row_that_make_no_sense() {
    let mut messages = Messages::default();
    let mut no_family = row("192.0.2.1", LUID);
    no_family.address.family.0 = 1;
    for reply in [no_family, row("192.0.2.2", LUID), row("192.0.2.1", Luid(7))] {
        messages.note(told(reply.as_bytes()).create(address(), INTERFACE));
        messages.note(told(reply.as_bytes()).lease(address(), INTERFACE, Sharing::Shared));
        messages.note(told(reply.as_bytes()).get(address(), INTERFACE));
    }
    messages.note(told(&[0; 47]).get(address(), INTERFACE));
    messages.note(told(&[0]).delete(address(), INTERFACE));
    messages.note(told(&[0; 9]).statistics());
    let client = connect(|output: &mut [u8]| Ok(Returned { length: output.len(), more: true }));
    messages.note(client.get(address(), INTERFACE));
    assert_snapshot!(messages.0);
}

#[test]
fn tables_that_make_no_sense() {
    let mut messages = Messages::default();
    let one = [row("192.0.2.1", LUID)];
    let mut no_family = one;
    no_family[0].address.family.0 = 0;
    for (reply, more) in [
        (table::<Row>(0, 0, &[])[..15].to_vec(), false),
        (table(1, 1, &one)[..63].to_vec(), false),
        (table(2, 2, &one), false),
        (table(1, 2, &one), false),
        (table(1, u32::MAX, &one), true),
        (table(2, 2, &[row("192.0.2.2", LUID), one[0]]), false),
        (table(1, 1, &no_family), false),
    ] {
        let client = connect(|output: &mut [u8]| Ok(write(output, &reply, more)));
        messages.note(client.table(Selection::ALL));
    }
    messages.note(told(&table(1, 1, &one)).table(selection(Some(Family::Ipv6), None)));
    let client = connect(|output: &mut [u8]| Ok(Returned { length: output.len() + 1, more: false }));
    messages.note(client.table(Selection::ALL));
    let client = connect(|output: &mut [u8]| {
        let room = u32::try_from(output.len() / size_of::<Row>()).expect("a small table");
        Ok(write(output, &table::<Row>(0, room + 1, &[]), true))
    });
    messages.note(client.table(Selection::ALL));
    assert_snapshot!(messages.0);
}

#[test]
fn leases_that_make_no_sense() {
    let mut messages = Messages::default();
    let lease = LeaseRow {
        row: row("192.0.2.1", LUID),
        lifetime: Lifetime::Handle as u32,
        flags: CreateFlags::empty().bits(),
        holders: 1,
        process_id: 4711,
        age: 1,
    };
    assert!(told(&table(1, 1, &[lease])).leases(LeaseSelection::default()).is_ok(), "this one makes sense");
    for lease in [
        LeaseRow { lifetime: Lifetime::Unowned as u32, ..lease },
        LeaseRow { lifetime: 7, ..lease },
        LeaseRow { flags: 0x80, ..lease },
        LeaseRow { holders: 2, ..lease },
        LeaseRow { row: row("192.0.2.1", Luid::UNSET), ..lease },
    ] {
        messages.note(
            told(&table(1, 1, &[lease]))
                .leases(LeaseSelection { table: selection(None, Some(INTERFACE)), process_id: None }),
        );
    }
    let unsorted = [LeaseRow { row: row("192.0.2.2", LUID), ..lease }, lease];
    messages.note(told(&table(2, 2, &unsorted)).leases(LeaseSelection::default()));
    assert_snapshot!(messages.0);
}

const APPLIED: ItemOutcome = ItemOutcome {
    status: NtStatus::SUCCESS,
    netio_status: NtStatus::SUCCESS,
    win32: 0,
    field: Field::None as u8,
    state: ItemState::Applied as u8,
    reserved: 0,
};
const FAILED: ItemOutcome = ItemOutcome {
    status: NtStatus::NOT_FOUND,
    netio_status: NtStatus::NOT_FOUND,
    win32: 1168,
    state: ItemState::Failed as u8,
    ..APPLIED
};

/// What a driver answers to a batch.
fn outcomes(count: u32, not_applied: u32, outcomes: &[ItemOutcome]) -> Vec<u8> {
    [ApplyReply { count, not_applied }.as_bytes(), outcomes.as_bytes()].concat()
}

#[test]
fn outcomes_that_make_no_sense() {
    let mut messages = Messages::default();
    let batch = [creation(); 2];
    let good = outcomes(2, 1, &[APPLIED, FAILED]);
    assert!(told(&good).apply(&batch, Atomicity::Independent).is_ok(), "this one makes sense");
    let contradiction = ItemOutcome { state: ItemState::Applied as u8, ..FAILED };
    let undone = ItemOutcome { state: ItemState::RolledBack as u8, ..APPLIED };
    for (reply, atomicity) in [
        (good[..7].to_vec(), Atomicity::Independent),
        (good[..39].to_vec(), Atomicity::Independent),
        ([&good[..], &[0]].concat(), Atomicity::Independent),
        (outcomes(3, 1, &[APPLIED, FAILED]), Atomicity::Independent),
        (outcomes(2, 0, &[APPLIED, FAILED]), Atomicity::Independent),
        (outcomes(2, 1, &[APPLIED, contradiction]), Atomicity::Independent),
        (outcomes(2, 1, &[APPLIED, ItemOutcome { state: 9, ..APPLIED }]), Atomicity::Independent),
        (outcomes(2, 1, &[APPLIED, ItemOutcome { field: 9, ..FAILED }]), Atomicity::Independent),
        (outcomes(2, 2, &[undone, FAILED]), Atomicity::Independent),
        (good.clone(), Atomicity::Atomic),
    ] {
        messages.note(told(&reply).apply(&batch, atomicity));
    }
    assert_snapshot!(messages.0);
}

/// What became of each change, with the message that it brings along.
#[test]
fn changes_of_a_batch_that_fail() {
    let change = |change| Item { change, ..creation() };
    let batch = [
        change(Change::Create),
        change(Change::Lease(Sharing::Shared)),
        change(Change::Delete { force: false }),
        change(Change::Create),
        change(Change::Delete { force: true }),
    ];
    let undoing = ItemOutcome { state: ItemState::RollbackFailed as u8, ..FAILED };
    let reply = outcomes(5, 5, &[FAILED, FAILED, FAILED, undoing, undoing]);
    let mut messages = Messages::default();
    for outcome in told(&reply).apply(&batch, Atomicity::Atomic).expect("it makes sense") {
        match outcome {
            Outcome::Failed(error) | Outcome::RollbackFailed(error) => messages.note(Err::<(), _>(error)),
            other => panic!("{other:?}"),
        }
    }
    assert_snapshot!(messages.0);
}

/// A transport whose requests end before they have a result.
#[derive(Debug)]
struct Impatient;

impl Transport for Impatient {
    fn control(&self, _: u32, _: &[u8], output: &mut [u8]) -> Result<Returned, OsError> {
        Ok(write(output, version().as_bytes(), false))
    }

    fn begin<'a>(&'a self, _: u32, _: &[u8], _: usize) -> Result<Box<dyn PendingRequest + 'a>, OsError> {
        Ok(Box::new(Self))
    }
}

impl PendingRequest for Impatient {
    fn wait(&self, _: Option<Duration>) -> Option<Result<Vec<u8>, OsError>> {
        None
    }

    fn cancel(&self) {}
}

#[test]
fn changes_that_make_no_sense() {
    let mut messages = Messages::default();
    messages.note(told(&7_u64.to_le_bytes()).wait_change(7));
    messages.note(told(&[0; 7]).wait_change(7));
    messages.note(told(&[0; 9]).wait_change(7));
    let client = Client::connect(Impatient).expect("the version is right");
    messages.note(client.wait_change(7));
    assert_snapshot!(messages.0);
}
