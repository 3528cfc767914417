//! Each event, when it is written and what it says.

use std::collections::BTreeSet;
use std::time::Duration;

use kernel_sim::Options;
use netio_anycast_protocol::SERVICE_NAME;
use netio_anycast_protocol::address::AddressFamily;
use netio_anycast_protocol::apply::{ApplyFlags, ApplyItem};
use netio_anycast_protocol::create::{CreateFlags, DeleteFlags, Lifetime};
use netio_anycast_protocol::operation::Operation;
use netio_anycast_protocol::row::Row;
use netio_anycast_protocol::status::NtStatus;
use netio_model::{Fault, Function};

use super::listener::{DOCUMENTATION, Listener, documented, provider};
use crate::bench::{Bench, ETHERNET, image, kernel, on, parameters, settle};
use crate::client::{Client, FIRST, OTHER, creation, deletion};

/// What ETHERNET is called in events.
const LUID: &str = "InterfaceLuid=0x000600000c000000";

const REFUSAL: NtStatus = NtStatus::DELETE_PENDING;

fn row() -> Row {
    on(ETHERNET, "192.0.2.1")
}

fn refuse(bench: &Bench, function: Function, times: u32) {
    bench.kernel.netio(|model| model.plan(Fault::next(function, REFUSAL).times(times)));
}

fn generation(bench: &Bench) -> u64 {
    bench.statistics().generation
}

#[test]
fn the_provider_is_known_by_what_is_made_of_its_name() {
    assert!(DOCUMENTATION.contains(&format!("`NetioAnycast`, GUID `{}`", provider())));
    let profile = include_str!("../../../docs/netio_anycast.wprp");
    assert!(profile.contains(&format!("Name=\"{}\"", provider())), "{profile}");
}

#[test]
fn an_address_is_told_when_it_comes_and_when_it_goes() {
    let bench = Bench::new();
    let listener = Listener::new(&bench.kernel);
    let before = generation(&bench);
    for (number, address) in [(0, "192.0.2.1"), (2, "2001:db8::1")] {
        let (created, deleted) = (before + number + 1, before + number + 2);
        bench.create(on(ETHERNET, address)).expect("created");
        bench.delete(on(ETHERNET, address)).expect("deleted");
        let what = format!("{LUID} Address={address}");
        let expected = [
            format!("AddressCreated {what} Lifetime=0 Shared=false ProcessId=process:1000 Generation={created}u64"),
            format!("AddressDeleted {what} ProcessId=process:1000 Generation={deleted}u64"),
        ];
        assert_eq!(listener.told(), expected);
    }
}

#[test]
fn a_shared_lease_is_told_holder_by_holder_until_it_is_withdrawn() {
    let bench = Bench::new();
    let listener = Listener::new(&bench.kernel);
    let other = bench.another(OTHER);
    bench.share(row()).expect("leased");
    let created = generation(&bench);
    other.share(row()).expect("joined");
    drop(other);
    settle(&bench.kernel);
    let another = bench.another(OTHER);
    another.share(row()).expect("joined");
    bench.delete(row()).expect("left");
    bench.kernel.kill(OTHER);
    settle(&bench.kernel);
    let withdrawn = created + 1;
    let what = format!("{LUID} Address=192.0.2.1");
    let expected = [
        format!("AddressCreated {what} Lifetime=1 Shared=true ProcessId=process:1000 Generation={created}u64"),
        format!("LeaseJoined {what} ProcessId=process:2000"),
        format!("LeaseLeft {what} ProcessId=process:2000"),
        format!("LeaseJoined {what} ProcessId=process:2000"),
        format!("LeaseLeft {what} ProcessId=process:1000"),
        format!("LeaseWithdrawn {what} ProcessId=process:1000 Generation={withdrawn}u64"),
    ];
    assert_eq!(listener.told(), expected);
}

#[test]
fn a_withdrawal_that_is_refused_is_told_and_so_is_each_retry() {
    let bench = Bench::new();
    let other = bench.another(OTHER);
    other.lease(row()).expect("leased");
    let listener = Listener::new(&bench.kernel);
    refuse(&bench, Function::Delete, 2);
    drop(other);
    let what = format!("{LUID} Address=192.0.2.1");
    assert_eq!(listener.told(), [format!("WithdrawalRefused {what} NetioStatus={REFUSAL}")]);
    bench.kernel.advance(Duration::from_secs(1));
    let generation = generation(&bench);
    let success = NtStatus::SUCCESS;
    let expected = [
        format!("WithdrawalRetried {what} NetioStatus={REFUSAL}"),
        format!("WithdrawalRetried {what} NetioStatus={success}"),
        format!("LeaseWithdrawn {what} ProcessId=process:2000 Generation={generation}u64"),
    ];
    assert_eq!(listener.told(), expected);
}

#[test]
fn a_lease_that_stays_behind_when_the_driver_goes_is_told() {
    let bench = Bench::new();
    let listener = Listener::new(&bench.kernel);
    bench.lease(row()).expect("leased");
    refuse(&bench, Function::Delete, 2);
    drop(bench);
    let last = listener.told().pop();
    assert_eq!(last, Some(format!("LeaseAbandoned {LUID} Address=192.0.2.1")));
}

#[test]
fn a_request_that_fails_is_told_with_what_netio_said() {
    let bench = Bench::new();
    let listener = Listener::new(&bench.kernel);
    let raw = NtStatus::RAW_WIN32_OBJECT_ALREADY_EXISTS;
    bench.kernel.netio(|model| model.plan(Fault::next(Function::Create, raw)));
    assert_eq!(bench.create(row()), Err(NtStatus::OBJECTID_EXISTS));
    assert_eq!(bench.another(OTHER).delete(row()), Err(NtStatus::NOT_FOUND));
    let (exists, missing) = (NtStatus::OBJECTID_EXISTS, NtStatus::NOT_FOUND);
    let expected = [
        format!(r#"RequestRefused Operation="CREATE" Status={exists} NetioStatus={raw} ProcessId=process:1000"#),
        format!(r#"RequestRefused Operation="DELETE" Status={missing} NetioStatus={missing} ProcessId=process:2000"#),
    ];
    assert_eq!(listener.told(), expected);
    let malformed = bench.send(Operation::Create, &[], 0);
    assert_eq!((malformed.status, listener.told()), (NtStatus::INFO_LENGTH_MISMATCH, Vec::new()));
}

#[test]
fn a_quota_that_is_used_up_is_told() {
    let registry = parameters(&[("MaxLeasesPerHandle", 1), ("MaxPendingWaits", 1)]);
    let bench = Bench::with(Options { registry, ..Options::default() });
    bench.lease(row()).expect("leased");
    let generation = generation(&bench);
    let waiting = bench.wait_change(generation);
    let listener = Listener::new(&bench.kernel);
    assert_eq!(bench.lease(on(ETHERNET, "192.0.2.2")), Err(NtStatus::QUOTA_EXCEEDED));
    assert_eq!(bench.wait_change(generation).wait().status, NtStatus::QUOTA_EXCEEDED);
    let told = |operation| format!("QuotaExceeded Operation={operation:?} ProcessId=process:1000");
    assert_eq!(listener.told(), [told("CREATE"), told("WAIT_CHANGE")]);
    waiting.cancel();
    assert_eq!(waiting.wait().status, NtStatus::CANCELLED);
}

fn create(text: &str) -> ApplyItem {
    creation(on(ETHERNET, text), Lifetime::Unowned, CreateFlags::empty())
}

/// Each event without its fields but the address.
fn summary(told: &[String]) -> Vec<String> {
    let summary = |line: &String| {
        let (name, fields) = line.split_once(' ').expect("an event has fields");
        let address = fields.split(' ').find_map(|field| field.strip_prefix("Address="));
        address.map_or_else(|| line.clone(), |address| format!("{name} {address}"))
    };
    told.iter().map(summary).collect()
}

#[test]
fn a_batch_is_told_change_by_change_and_so_is_what_it_undoes() {
    let bench = Bench::new();
    bench.create(on(ETHERNET, "192.0.2.10")).expect("created");
    let listener = Listener::new(&bench.kernel);
    let delete = deletion(on(ETHERNET, "192.0.2.10"), DeleteFlags::empty());
    let lease = creation(row(), Lifetime::Handle, CreateFlags::empty());
    let items = [delete, lease, create("192.0.2.2")];
    bench.kernel.netio(|model| model.plan(Fault::next(Function::Create, REFUSAL).after(1)));
    bench.apply(ApplyFlags::ATOMIC, &items).expect("it is well-formed");
    let undone = [
        "AddressDeleted 192.0.2.10",
        "AddressCreated 192.0.2.1",
        "AddressDeleted 192.0.2.1",
        "AddressCreated 192.0.2.10",
        "ItemRefused 192.0.2.2",
        "BatchApplied Count=3 NotApplied=3 Atomic=true ProcessId=process:1000",
    ];
    assert_eq!(summary(&listener.told()), undone);
    bench.kernel.netio(|model| model.plan(Fault::next(Function::Create, REFUSAL).after(1)));
    bench.apply(ApplyFlags::empty(), &items).expect("it is well-formed");
    let done = [
        "AddressDeleted 192.0.2.10",
        "AddressCreated 192.0.2.1",
        "ItemRefused 192.0.2.2",
        "BatchApplied Count=3 NotApplied=1 Atomic=false ProcessId=process:1000",
    ];
    assert_eq!(summary(&listener.told()), done);
}

#[test]
fn an_item_that_is_refused_is_told_whole() {
    let bench = Bench::new();
    let listener = Listener::new(&bench.kernel);
    refuse(&bench, Function::Create, 1);
    let outcomes = bench.apply(ApplyFlags::empty(), &[create("192.0.2.1")]).expect("it is well-formed");
    let status = outcomes[0].status;
    let what = format!("{LUID} Address=192.0.2.1 Status={status} NetioStatus={REFUSAL}");
    assert_eq!(listener.told()[0], format!("ItemRefused {what} ProcessId=process:1000"));
}

#[test]
fn that_others_have_changed_something_is_told_when_the_driver_sees_it() {
    let bench = Bench::new();
    bench.table(AddressFamily::UNSPECIFIED, 8);
    let listener = Listener::new(&bench.kernel);
    bench.kernel.netio(|model| model.create(&row()));
    assert_eq!(listener.told(), Vec::<String>::new(), "it has not looked yet");
    bench.table(AddressFamily::UNSPECIFIED, 8);
    assert_eq!(listener.told(), [format!("ChangedByOthers Generation={}u64", generation(&bench))]);
}

/// Every event of the documentation in one session; [`Listener`] knows that there is no other.
#[test]
fn each_event_of_the_documentation_is_written() {
    let bench = Bench::with(Options { registry: parameters(&[("MaxLeasesPerHandle", 2)]), ..Options::default() });
    bench.table(AddressFamily::UNSPECIFIED, 8);
    let listener = Listener::new(&bench.kernel);
    bench.kernel.netio(|model| model.create(&on(ETHERNET, "192.0.2.100")));
    bench.table(AddressFamily::UNSPECIFIED, 8);
    let other = bench.another(OTHER);
    for client in [&*bench, &other] {
        client.share(row()).expect("leased");
    }
    other.delete(row()).expect("left");
    other.lease(on(ETHERNET, "192.0.2.2")).expect("leased");
    bench.lease(on(ETHERNET, "192.0.2.3")).expect("leased");
    bench.lease(on(ETHERNET, "192.0.2.4")).expect_err("the quota is used up");
    bench.create(row()).expect_err("it is there");
    bench.apply(ApplyFlags::empty(), &[create("192.0.2.1")]).expect("it is well-formed");
    bench.delete(on(ETHERNET, "192.0.2.3")).expect("deleted");
    refuse(&bench, Function::Delete, 1);
    drop(other);
    bench.kernel.advance(Duration::from_secs(1));
    refuse(&bench, Function::Delete, 2);
    drop(bench);
    let seen: BTreeSet<_> = listener.events().into_iter().map(|event| event.name).collect();
    assert_eq!(seen, documented().into_keys().collect());
}

#[test]
fn nothing_is_written_while_nobody_listens() {
    let bench = Bench::new();
    let change = || {
        bench.kernel.forget_calls();
        bench.create(row()).expect("created");
        bench.delete(row()).expect("deleted");
        bench.delete(row()).expect_err("deleted before");
        bench.kernel.calls().iter().filter(|name| name.starts_with("EtwWrite")).count()
    };
    assert_eq!(change(), 0, "nobody has listened yet");
    let listener = Listener::new(&bench.kernel);
    assert_eq!(change(), 3);
    drop(listener);
    assert_eq!(change(), 0, "nobody listens any more");
}

#[test]
fn who_listens_gets_what_they_want_only() {
    const WARNING: u8 = 3;
    const CHANGES: u64 = 1;
    let bench = Bench::new();
    let grave = Listener::to(&bench.kernel, WARNING, u64::MAX);
    let changes = Listener::to(&bench.kernel, u8::MAX, CHANGES);
    bench.create(row()).expect("created");
    bench.create(row()).expect_err("it is there");
    let names = |listener: &Listener| listener.events().into_iter().map(|event| event.name).collect::<Vec<_>>();
    assert_eq!(
        (names(&grave), names(&changes)),
        (vec!["RequestRefused".to_owned()], vec!["AddressCreated".to_owned()])
    );
}

/// As an autologger does, which is there when the system starts.
#[test]
fn who_listens_before_the_driver_is_there_misses_nothing() {
    let kernel = kernel(Options::default());
    let listener = Listener::new(&kernel);
    let driver = kernel.load(&image(), SERVICE_NAME).expect("the driver loads");
    let client = Client::open(&kernel, FIRST).expect("it can be opened");
    client.create(row()).expect("created");
    assert_eq!(summary(&listener.told()), ["AddressCreated 192.0.2.1"]);
    drop(client);
    settle(&kernel);
    assert!(driver.unload());
    kernel.assert_clean();
}
