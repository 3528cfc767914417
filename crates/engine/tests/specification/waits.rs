//! WAIT_CHANGE: who waits for a change hears of it.

use std::thread;

use netio_anycast_engine::Limits;
use netio_anycast_engine::host_driver::{HostReply, HostRequest};
use netio_anycast_protocol::operation::Operation;
use netio_anycast_protocol::row::Row;
use netio_anycast_protocol::status::NtStatus;
use netio_anycast_protocol::table::TableFilter;
use netio_anycast_protocol::wait::Generation;
use netio_model::{Fault, Function};
use zerocopy::{FromBytes as _, IntoBytes as _};

use crate::system::{SECOND, System, interface, ip, on_ethernet};

fn wait(system: &System, seen: u64) -> HostRequest {
    let code = Operation::WaitChange.definition().control_code();
    system.handle().start(code, Generation(seen).as_bytes(), size_of::<Generation>())
}

/// The generation that a wait has ended with.
fn ended(request: HostRequest) -> Result<u64, NtStatus> {
    assert!(!request.is_pending(), "it pends");
    let HostReply { status, output } = request.wait();
    match status {
        NtStatus::SUCCESS => Ok(Generation::read_from_bytes(&output).expect("a generation").0),
        failure => Err(failure),
    }
}

fn list(system: &System) -> u64 {
    system.list_into(TableFilter::ALL, 100).expect("a table").header.generation
}

fn row() -> Row {
    on_ethernet("192.0.2.1")
}

#[test]
fn a_generation_that_is_past_ends_the_wait_at_once() {
    let system = System::new();
    system.create(row()).expect("created");
    for seen in [0, 2, u64::MAX] {
        assert_eq!(ended(wait(&system, seen)), Ok(1));
    }
    assert_eq!(system.statistics().pending_waits, 0);
}

#[test]
fn every_change_that_the_driver_makes_ends_the_wait_at_once() {
    let system = System::new();
    let other = system.another(5);
    let changes: [(&str, &dyn Fn()); 5] = [
        ("a creation", &|| assert!(system.create(row()).is_ok())),
        ("a deletion", &|| assert_eq!(system.delete(row()), NtStatus::SUCCESS)),
        ("a lease", &|| assert!(other.lease(row()).is_ok())),
        ("the end of a handle", &|| other.handle().clean_up()),
        ("a batch", &|| {
            assert_eq!(crate::batch::apply(&system, true, &[crate::batch::create("192.0.2.1")])[0].state, 1);
        }),
    ];
    for (generation, (what, change)) in changes.iter().enumerate() {
        let waiting = wait(&system, generation as u64);
        assert!(waiting.is_pending(), "{what}");
        assert_eq!(system.statistics().pending_waits, 1);
        change();
        assert_eq!(ended(waiting), Ok(generation as u64 + 1), "{what}");
    }
    assert_eq!(system.counters(Operation::WaitChange).succeeded, changes.len() as u64);
}

#[test]
fn what_changes_nothing_ends_no_wait() {
    let system = System::new();
    system.share(row()).expect("leased");
    let waiting = wait(&system, 1);
    system.another(5).share(row()).expect("one holder more and one less");
    system.create(row()).expect_err("a duplicate");
    system.get(row()).expect("the address");
    system.driver().advance(10_000);
    assert!(waiting.is_pending());
}

#[test]
fn what_others_change_is_noticed_within_a_second_while_somebody_waits() {
    let system = System::new();
    let changes: [&dyn Fn(); 4] = [
        &|| system.model().insert(&row()).expect("not there"),
        &|| system.model().remove(&row()).expect("there"),
        &|| system.model().insert(&Row::on_luid(ip("2001:db8::1"), SECOND)).expect("not there"),
        &|| system.model().remove_interface(SECOND).expect("there"),
    ];
    let mut seen = list(&system);
    for change in changes {
        let waiting = wait(&system, seen);
        system.driver().advance(700);
        assert!(waiting.is_pending());
        change();
        system.driver().advance(999);
        let now = ended(waiting).expect("noticed");
        assert_eq!(now, seen + 1);
        seen = now;
    }
}

#[test]
fn nothing_that_happens_between_reading_the_table_and_waiting_is_missed() {
    let system = System::new();
    system.create(on_ethernet("192.0.2.9")).expect("created");
    let seen = list(&system);
    system.model().insert(&row()).expect("not there");
    let waiting = wait(&system, seen);
    system.driver().advance(999);
    assert_eq!(ended(waiting), Ok(seen + 1));
}

#[test]
fn the_table_is_not_looked_at_while_nobody_waits() {
    let system = System::new();
    let looks = || system.model().calls(Function::Table);
    system.create(row()).expect("created");
    system.driver().advance(60_000);
    assert_eq!(looks(), 0);
    let waiting = wait(&system, 1);
    system.driver().advance(10_000);
    let during = looks();
    assert!((10..=25).contains(&during), "{during} looks in ten seconds");
    waiting.cancel();
    system.driver().advance(1_000);
    let after = looks();
    system.driver().advance(60_000);
    assert_eq!(looks(), after);
}

#[test]
fn who_waits_again_and_again_does_not_have_the_table_looked_at_more_often() {
    let system = System::new();
    for _ in 0..1_000 {
        wait(&system, 0).cancel();
        system.driver().advance(1);
    }
    assert!(system.model().calls(Function::Table) <= 3);
}

#[test]
fn a_look_that_fails_is_done_again() {
    let system = System::new();
    let seen = list(&system);
    let waiting = wait(&system, seen);
    system.driver().advance(0);
    system.model().insert(&row()).expect("not there");
    system.model().plan(Fault::next(Function::Table, NtStatus::NO_MEMORY));
    system.driver().advance(500);
    assert!(waiting.is_pending());
    system.driver().advance(500);
    assert_eq!(ended(waiting), Ok(seen + 1));
}

/// The two ways in which NetIO says that there are none.
#[test]
fn the_last_address_that_others_delete_is_noticed() {
    for empty in [NtStatus::SUCCESS, NtStatus::NOT_FOUND] {
        let system = System::new();
        system.configure(|settings| settings.empty_table = empty);
        system.create(row()).expect("created");
        let seen = list(&system);
        let waiting = wait(&system, seen);
        system.model().remove(&row()).expect("there");
        system.driver().advance(999);
        assert_eq!(ended(waiting), Ok(seen + 1), "{empty}");
    }
}

#[test]
fn a_wait_can_be_cancelled_and_ends_with_its_handle() {
    let system = System::new();
    let other = system.another(5);
    let (cancelled, cleaned) = (wait(&system, 0), wait(&other, 0));
    assert_eq!(system.statistics().pending_waits, 2);
    cancelled.cancel();
    assert_eq!(ended(cancelled), Err(NtStatus::CANCELLED));
    other.handle().clean_up();
    assert_eq!(ended(cleaned), Err(NtStatus::CANCELLED));
    assert_eq!(system.statistics().pending_waits, 0);
    assert_eq!(system.counters(Operation::WaitChange).cancelled, 2);
}

#[test]
fn no_more_waits_pend_than_may() {
    let system = System::limited(Limits { max_pending_waits: 2, ..Limits::DEFAULT });
    let waiting = [wait(&system, 0), wait(&system, 0)];
    assert_eq!(ended(wait(&system, 0)), Err(NtStatus::QUOTA_EXCEEDED));
    waiting[0].cancel();
    assert!(wait(&system, 0).is_pending());
}

#[test]
fn an_interface_that_others_add_changes_no_address() {
    let system = System::new();
    system.model().remove_interface(SECOND).expect("there");
    let seen = list(&system);
    let waiting = wait(&system, seen);
    system.model().add_interface(interface(SECOND, 33)).expect("gone");
    system.driver().advance(10_000);
    assert!(waiting.is_pending());
}

/// A watcher that reads the table after each wait has, in the end, seen the last state, however the changes come.
#[test]
fn a_watcher_ends_up_with_what_is_there() {
    let system = System::new();
    let (changer, watcher) = (system.another(5), system.another(6));
    let last = on_ethernet("192.0.2.250");
    thread::scope(|scope| {
        scope.spawn(|| {
            for number in 1..=100 {
                changer.create(on_ethernet(&format!("192.0.2.{number}"))).expect("created");
                changer.model().insert(&on_ethernet(&format!("198.51.100.{number}"))).expect("not there");
            }
            changer.create(last).expect("created");
        });
        let mut seen = 0;
        loop {
            let now = wait(&watcher, seen).wait();
            seen = Generation::read_from_bytes(&now.output).expect("a generation").0;
            let rows = watcher.list(TableFilter::ALL).expect("a table");
            if rows.iter().any(|row| row.address == last.address) {
                assert_eq!(rows.len(), 201);
                break;
            }
        }
    });
}
