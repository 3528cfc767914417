//! What the driver tells of its work to whoever listens.

use netio_anycast_engine::{Limits, TraceEvent};
use netio_anycast_protocol::apply::{ApplyAction, ApplyItem};
use netio_anycast_protocol::create::Lifetime;
use netio_anycast_protocol::operation::Operation;
use netio_anycast_protocol::row::Row;
use netio_anycast_protocol::status::NtStatus;
use netio_anycast_protocol::table::TableFilter;
use netio_model::{Fault, Function};

use crate::batch::{apply, create};
use crate::system::{PROCESS, System, on_ethernet};

const OTHER: u32 = 5;

fn row() -> Row {
    on_ethernet("192.0.2.1")
}

fn listening(limits: Limits) -> System {
    let system = System::limited(limits);
    system.kernel().listen();
    system
}

fn told(system: &System) -> Vec<TraceEvent> {
    system.kernel().take_traced()
}

#[test]
fn nothing_is_told_while_nobody_listens() {
    let system = System::new();
    system.create(row()).expect("created");
    system.kernel().listen();
    assert_eq!(told(&system), []);
}

#[test]
fn an_address_created_and_deleted_is_told_with_its_generation() {
    let system = listening(Limits::DEFAULT);
    system.create(row()).expect("created");
    assert_eq!(system.delete(row()), NtStatus::SUCCESS);
    let before = system.statistics().generation - 2;
    let expected = [
        TraceEvent::AddressCreated {
            row: row(),
            lifetime: Lifetime::Unowned,
            shared: false,
            process_id: PROCESS,
            generation: before + 1,
        },
        TraceEvent::AddressDeleted { row: row(), process_id: PROCESS, generation: before + 2 },
    ];
    assert_eq!(told(&system), expected);
}

#[test]
fn the_life_of_a_shared_lease_is_told_holder_by_holder() {
    let system = listening(Limits::DEFAULT);
    let other = system.another(OTHER);
    other.share(row()).expect("leased");
    system.share(row()).expect("joined");
    assert_eq!(system.delete(row()), NtStatus::SUCCESS);
    let created = system.statistics().generation;
    drop(other);
    let expected = [
        TraceEvent::AddressCreated {
            row: row(),
            lifetime: Lifetime::Handle,
            shared: true,
            process_id: OTHER,
            generation: created,
        },
        TraceEvent::LeaseJoined { row: row(), process_id: PROCESS },
        TraceEvent::LeaseLeft { row: row(), process_id: PROCESS },
        TraceEvent::LeaseWithdrawn { row: row(), process_id: OTHER, generation: created + 1 },
    ];
    assert_eq!(told(&system), expected);
}

#[test]
fn a_holder_that_goes_before_others_is_told_by_its_process() {
    let system = listening(Limits::DEFAULT);
    let other = system.another(OTHER);
    system.share(row()).expect("leased");
    other.share(row()).expect("joined");
    let _ = told(&system);
    drop(other);
    assert_eq!(told(&system), [TraceEvent::LeaseLeft { row: row(), process_id: OTHER }]);
}

#[test]
fn a_refused_withdrawal_is_told_and_every_retry() {
    let refusal = NtStatus::ACCESS_DENIED;
    let system = listening(Limits::DEFAULT);
    let other = system.another(OTHER);
    other.lease(row()).expect("leased");
    let _ = told(&system);
    system.model().plan(Fault { count: 2, ..Fault::next(Function::Delete, refusal) });
    drop(other);
    assert_eq!(told(&system), [TraceEvent::WithdrawalRefused { row: row(), netio_status: refusal }]);
    system.driver().advance(10_000);
    let retried = |netio_status| TraceEvent::WithdrawalRetried { row: row(), netio_status };
    let generation = system.statistics().generation;
    let withdrawn = TraceEvent::LeaseWithdrawn { row: row(), process_id: OTHER, generation };
    assert_eq!(told(&system), [retried(refusal), retried(NtStatus::SUCCESS), withdrawn]);
}

#[test]
fn a_refused_request_is_told_with_what_netio_said() {
    let system = listening(Limits::DEFAULT);
    system.fail_next(Function::Create, NtStatus(0x1392));
    let _refused = system.create(row());
    assert_eq!(system.delete(row()), NtStatus::NOT_FOUND);
    let refused = |operation, status, netio_status| TraceEvent::RequestRefused {
        operation,
        status,
        netio_status,
        process_id: PROCESS,
    };
    let expected = [
        refused(Operation::Create, NtStatus::OBJECTID_EXISTS, NtStatus(0x1392)),
        refused(Operation::Delete, NtStatus::NOT_FOUND, NtStatus::NOT_FOUND),
    ];
    assert_eq!(told(&system), expected);
}

#[test]
fn a_quota_that_is_used_up_is_told() {
    let system = listening(Limits { max_leases_per_handle: 1, ..Limits::DEFAULT });
    system.lease(row()).expect("leased");
    let _ = told(&system);
    assert_eq!(system.lease(on_ethernet("192.0.2.2")), Err(NtStatus::QUOTA_EXCEEDED));
    assert_eq!(told(&system), [TraceEvent::QuotaExceeded { operation: Operation::Create, process_id: PROCESS }]);
}

#[test]
fn a_batch_is_told_after_its_changes() {
    let system = listening(Limits::DEFAULT);
    apply(&system, true, &[create("192.0.2.1"), create("192.0.2.2")]);
    let events = told(&system);
    assert!(
        matches!(events[..2], [TraceEvent::AddressCreated { .. }, TraceEvent::AddressCreated { .. }]),
        "{events:?}"
    );
    let applied = TraceEvent::BatchApplied { count: 2, not_applied: 0, atomic: true, process_id: PROCESS };
    assert_eq!(events[2..], [applied]);
}

#[test]
fn an_item_that_is_refused_is_told_unless_it_is_malformed() {
    let system = listening(Limits { max_leases_per_handle: 1, ..Limits::DEFAULT });
    let lease = |text| ApplyItem { lifetime: Lifetime::Handle as u32, ..create(text) };
    system.lease(row()).expect("leased");
    let _ = told(&system);
    let malformed = ApplyItem { action: 7, ..create("192.0.2.9") };
    system.fail_next(Function::Create, NtStatus::ACCESS_DENIED);
    apply(&system, false, &[create("192.0.2.2"), lease("192.0.2.3"), malformed]);
    let refused = TraceEvent::ItemRefused {
        row: on_ethernet("192.0.2.2"),
        status: NtStatus::ACCESS_DENIED,
        netio_status: NtStatus::ACCESS_DENIED,
        process_id: PROCESS,
    };
    let quota = TraceEvent::QuotaExceeded { operation: Operation::Apply, process_id: PROCESS };
    let applied = TraceEvent::BatchApplied { count: 3, not_applied: 3, atomic: false, process_id: PROCESS };
    assert_eq!(told(&system), [refused, quota, applied]);
}

/// Whoever follows the events knows the addresses that there are, whatever was undone.
#[test]
fn what_a_batch_undoes_is_told() {
    let system = listening(Limits::DEFAULT);
    let shared = ApplyItem { flags: 1, lifetime: Lifetime::Handle as u32, ..create("192.0.2.1") };
    let other = system.another(OTHER);
    other.share(row()).expect("leased");
    system.create(on_ethernet("192.0.2.2")).expect("created");
    let _ = told(&system);
    system.model().plan(Fault { skip: 2, ..Fault::next(Function::Create, NtStatus::ACCESS_DENIED) });
    let delete = ApplyItem { action: ApplyAction::Delete as u32, ..create("192.0.2.2") };
    apply(&system, true, &[shared, delete, create("192.0.2.3"), create("192.0.2.4")]);
    let events: Vec<_> = told(&system).into_iter().map(summary).collect();
    let expected =
        ["1 joined", "2 deleted", "3 created", "3 deleted", "2 created", "1 left", "4 refused", "4 not applied"];
    assert_eq!(events, expected);
}

/// The last number of an event's address, and what became of it.
fn summary(event: TraceEvent) -> String {
    let (row, what) = match event {
        TraceEvent::AddressCreated { row, .. } => (row, "created"),
        TraceEvent::AddressDeleted { row, .. } => (row, "deleted"),
        TraceEvent::LeaseJoined { row, .. } => (row, "joined"),
        TraceEvent::LeaseLeft { row, .. } => (row, "left"),
        TraceEvent::ItemRefused { row, .. } => (row, "refused"),
        TraceEvent::BatchApplied { not_applied, .. } => return format!("{not_applied} not applied"),
        other => return format!("{other:?}"),
    };
    let ip = row.address.ip().expect("an address").to_string();
    format!("{} {what}", ip.rsplit('.').next().expect("a last number"))
}

#[test]
fn what_others_changed_is_told_when_the_driver_sees_it() {
    let system = listening(Limits::DEFAULT);
    system.list(TableFilter::ALL).expect("a table");
    let generation = system.statistics().generation;
    assert_eq!(system.model().create(&row()), NtStatus::SUCCESS);
    system.list(TableFilter::ALL).expect("a table");
    assert_eq!(told(&system), [TraceEvent::ChangedByOthers { generation: generation + 1 }]);
}

#[test]
fn a_lease_that_stays_behind_at_the_driver_s_end_is_told() {
    let system = listening(Limits::DEFAULT);
    let other = system.another(OTHER);
    other.lease(row()).expect("leased");
    system.model().plan(Fault { count: 2, ..Fault::next(Function::Delete, NtStatus::ACCESS_DENIED) });
    drop(other);
    let _ = told(&system);
    assert_eq!(system.driver().shut_down(), 1);
    let events = told(&system);
    assert_eq!(events.last(), Some(&TraceEvent::LeaseAbandoned { row: row() }), "{events:?}");
}
