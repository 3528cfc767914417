//! APPLY: many changes in one request.

use std::thread;

use netio_anycast_engine::Limits;
use netio_anycast_protocol::address::{AddressFamily, SocketAddress};
use netio_anycast_protocol::apply::{
    ApplyAction, ApplyFlags, ApplyItem, ApplyReply, ApplyRequest, Field, ItemOutcome, ItemState,
};
use netio_anycast_protocol::create::Lifetime;
use netio_anycast_protocol::operation::Operation;
use netio_anycast_protocol::row::Row;
use netio_anycast_protocol::status::NtStatus;
use netio_anycast_protocol::win32::Win32Error;
use netio_model::{Fault, Function};
use zerocopy::{FromBytes as _, IntoBytes as _};

use crate::system::{PROCESS, Reply, System, UNKNOWN_INDEX, ip, on_ethernet};

/// The input of APPLY.
fn input(flags: ApplyFlags, items: &[ApplyItem]) -> Vec<u8> {
    let count = u32::try_from(items.len()).expect("few items");
    [ApplyRequest { flags: flags.bits(), count }.as_bytes(), items.as_bytes()].concat()
}

fn room(items: usize) -> usize {
    size_of::<ApplyReply>() + items * size_of::<ItemOutcome>()
}

/// Applies a batch that is well-formed.
pub(crate) fn apply(system: &System, atomic: bool, items: &[ApplyItem]) -> Vec<ItemOutcome> {
    let flags = if atomic { ApplyFlags::ATOMIC } else { ApplyFlags::empty() };
    let reply = system.call(Operation::Apply, &input(flags, items), room(items.len()));
    assert_eq!(reply.status, NtStatus::SUCCESS);
    let (header, outcomes) = ApplyReply::read_from_prefix(&reply.bytes).expect("a header");
    let outcomes: Vec<_> = outcomes
        .chunks(size_of::<ItemOutcome>())
        .map(|bytes| ItemOutcome::read_from_bytes(bytes).expect("a whole outcome"))
        .collect();
    assert_eq!((header.count as usize, outcomes.len()), (items.len(), items.len()));
    let not_applied = outcomes.iter().filter(|outcome| outcome.state != ItemState::Applied as u8).count();
    assert_eq!(header.not_applied as usize, not_applied);
    for outcome in &outcomes {
        assert_eq!(outcome.win32, Win32Error::from_status(outcome.status).0);
    }
    outcomes
}

fn item(action: ApplyAction, row: Row) -> ApplyItem {
    ApplyItem { row, action: action as u32, lifetime: 0, flags: 0, reserved: 0 }
}

pub(crate) fn create(address: &str) -> ApplyItem {
    item(ApplyAction::Create, on_ethernet(address))
}

fn lease(address: &str) -> ApplyItem {
    ApplyItem { lifetime: Lifetime::Handle as u32, ..create(address) }
}

fn share(address: &str) -> ApplyItem {
    ApplyItem { flags: 1, ..lease(address) }
}

fn delete(address: &str) -> ApplyItem {
    item(ApplyAction::Delete, on_ethernet(address))
}

fn force(address: &str) -> ApplyItem {
    ApplyItem { flags: 1, ..delete(address) }
}

fn states(outcomes: &[ItemOutcome]) -> Vec<u8> {
    outcomes.iter().map(|outcome| outcome.state).collect()
}

const APPLIED: u8 = ItemState::Applied as u8;
const FAILED: u8 = ItemState::Failed as u8;
const NOT_ATTEMPTED: u8 = ItemState::NotAttempted as u8;
const ROLLED_BACK: u8 = ItemState::RolledBack as u8;
const ROLLBACK_FAILED: u8 = ItemState::RollbackFailed as u8;

#[test]
fn items_are_done_in_their_order() {
    for atomic in [false, true] {
        let system = System::new();
        let items = [create("192.0.2.1"), delete("192.0.2.1"), lease("192.0.2.1"), create("2001:db8::1")];
        assert_eq!(states(&apply(&system, atomic, &items)), [APPLIED; 4]);
        assert_eq!(system.entries().len(), 2);
        assert_eq!(system.leases().len(), 1);
        assert_eq!(system.statistics().generation, 4);
    }
}

#[test]
fn a_batch_of_nothing_succeeds() {
    assert_eq!(apply(&System::new(), true, &[]), []);
}

#[test]
fn without_atomic_every_item_is_tried() {
    let system = System::new();
    system.create(on_ethernet("192.0.2.2")).expect("created");
    let outcomes = apply(&system, false, &[create("192.0.2.1"), create("192.0.2.2"), create("192.0.2.3")]);
    assert_eq!(states(&outcomes), [APPLIED, FAILED, APPLIED]);
    assert_eq!(outcomes[1].status, NtStatus::OBJECTID_EXISTS);
    assert_eq!(outcomes[1].netio_status, NtStatus::RAW_WIN32_OBJECT_ALREADY_EXISTS, "NetIO's own");
    assert_eq!(system.entries().len(), 3);
}

/// For every k, a failure at item k.
#[test]
fn atomic_is_all_or_nothing_wherever_it_fails() {
    let items = [
        delete("192.0.2.10"),
        lease("192.0.2.1"),
        delete("192.0.2.20"),
        share("192.0.2.30"),
        create("2001:db8::1"),
        force("192.0.2.40"),
        delete("192.0.2.50"),
    ];
    for failing in 0..items.len() {
        for raw in [NtStatus::UNSUCCESSFUL, NtStatus::NO_MEMORY, NtStatus::from_bits(1)] {
            let system = System::new();
            let other = system.another(5);
            system.create(on_ethernet("192.0.2.10")).expect("unowned");
            system.lease(on_ethernet("192.0.2.20")).expect("leased");
            other.share(on_ethernet("192.0.2.30")).expect("shared by another");
            other.lease(on_ethernet("192.0.2.40")).expect("another's");
            system.share(on_ethernet("192.0.2.50")).expect("shared by both");
            other.share(on_ethernet("192.0.2.50")).expect("shared by both");
            let before = (system.entries(), system.leases());

            let function =
                if items[failing].action == ApplyAction::Create as u32 { Function::Create } else { Function::Delete };
            let earlier = items[..failing].iter().filter(|item| item.action == items[failing].action).count();
            system.model().plan(Fault::next(function, raw).after(u32::try_from(earlier).expect("few")));
            let outcomes = apply(&system, true, &items);
            if failing == 6 {
                // It only gives a share up, and NetIO is not asked.
                assert_eq!(states(&outcomes), [APPLIED; 7]);
                continue;
            }
            let mut expected = vec![ROLLED_BACK; failing];
            expected.push(FAILED);
            expected.resize(items.len(), NOT_ATTEMPTED);
            assert_eq!(states(&outcomes), expected, "a failure at {failing}");
            assert_eq!(outcomes[failing].netio_status, raw);
            assert_eq!((system.entries(), system.leases()), before, "a failure at {failing}");
        }
    }
}

#[test]
fn what_can_be_known_to_fail_fails_an_atomic_batch_before_anything_is_done() {
    let unknown = item(ApplyAction::Create, Row::on_index(ip("192.0.2.9"), UNKNOWN_INDEX));
    for bad in [create("224.0.0.1"), unknown] {
        let system = System::new();
        let outcomes = apply(&system, true, &[create("192.0.2.1"), bad, create("192.0.2.2")]);
        assert_eq!(states(&outcomes), [NOT_ATTEMPTED, FAILED, NOT_ATTEMPTED]);
        assert_eq!(system.model().calls(Function::Create), 0);
    }
}

#[test]
fn a_rollback_that_netio_refuses_is_told_item_by_item() {
    let system = System::new();
    system.create(on_ethernet("192.0.2.10")).expect("created");
    system.lease(on_ethernet("192.0.2.20")).expect("leased");
    let items = [
        create("192.0.2.1"),
        delete("192.0.2.10"),
        lease("192.0.2.2"),
        delete("192.0.2.20"),
        create("192.0.2.3"),
        create("192.0.2.4"),
    ];
    // The last creation fails, and then everything that would undo the others.
    system.model().plan(Fault::next(Function::Create, NtStatus::NO_MEMORY).after(3).times(10));
    system.model().plan(Fault::next(Function::Delete, NtStatus::DELETE_PENDING).after(2).times(10));
    let outcomes = apply(&system, true, &items);
    assert_eq!(states(&outcomes), [[ROLLBACK_FAILED; 5].as_slice(), &[FAILED]].concat());
    let raw: Vec<_> = outcomes.iter().map(|outcome| outcome.netio_status).collect();
    let (create, delete) = (NtStatus::NO_MEMORY, NtStatus::DELETE_PENDING);
    assert_eq!(raw, [delete, create, delete, create, delete, create]);
    assert_eq!(system.counters(Operation::Apply).last_netio_failure, create);

    let there: Vec<_> = system.entries().iter().map(|row| row.address.ip()).collect();
    assert_eq!(there, ["192.0.2.1", "192.0.2.2", "192.0.2.3"].map(|text| Some(ip(text))));
    let leases: Vec<_> = system.leases().iter().map(|lease| (lease.row.address.ip(), lease.holders)).collect();
    assert_eq!(leases, [(Some(ip("192.0.2.2")), 0)], "what is to be taken back is, later");
    system.model().clear_faults();
    system.driver().advance(100);
    assert_eq!(system.leases(), []);
    assert_eq!(system.entries().len(), 2);
}

#[test]
fn a_rollback_after_which_everything_is_as_before_has_not_failed() {
    let system = System::new();
    system.create(on_ethernet("192.0.2.10")).expect("created");
    system.model().plan(Fault::next(Function::Create, NtStatus::NO_MEMORY).after(1));
    system.model().plan(Fault::next(Function::Delete, NtStatus::NOT_FOUND).after(1));
    system.model().plan(Fault::next(Function::Create, NtStatus::DUPLICATE_OBJECTID).after(1));
    let items = [create("192.0.2.1"), delete("192.0.2.10"), create("192.0.2.2")];
    assert_eq!(states(&apply(&system, true, &items)), [ROLLED_BACK, ROLLED_BACK, FAILED]);
}

#[test]
fn an_item_tells_which_of_its_fields_is_at_fault() {
    let family = SocketAddress { family: AddressFamily(1), ..SocketAddress::new(ip("192.0.2.1")) };
    let good = create("192.0.2.1");
    let cases = [
        (ApplyItem { row: Row { address: family, ..good.row }, ..good }, Field::Family),
        (create("224.0.0.1"), Field::Address),
        (create("::"), Field::Address),
        (item(ApplyAction::Create, Row::on_index(ip("192.0.2.1"), 0)), Field::Interface),
        (ApplyItem { lifetime: 2, ..good }, Field::Lifetime),
        (ApplyItem { lifetime: 1, ..delete("192.0.2.1") }, Field::Lifetime),
        (ApplyItem { flags: 1, ..good }, Field::Flags),
        (ApplyItem { flags: 2, ..lease("192.0.2.1") }, Field::Flags),
        (ApplyItem { flags: 2, ..delete("192.0.2.1") }, Field::Flags),
        (ApplyItem { reserved: 1, ..good }, Field::Flags),
        (ApplyItem { action: 0, ..good }, Field::Flags),
        (ApplyItem { action: 3, ..good }, Field::Flags),
    ];
    let system = System::new();
    for (item, field) in cases {
        let outcome = apply(&system, false, &[item])[0];
        let expected = (FAILED, NtStatus::INVALID_PARAMETER, field as u8, NtStatus::SUCCESS);
        assert_eq!((outcome.state, outcome.status, outcome.field, outcome.netio_status), expected, "{item:?}");
    }
    assert_eq!(system.netio_calls(), 0);

    let netio = [
        (NtStatus::INVALID_PARAMETER, Field::Address),
        (NtStatus::NOT_SUPPORTED, Field::Family),
        (NtStatus::NOT_FOUND, Field::Interface),
        (NtStatus::NO_MEMORY, Field::None),
    ];
    for (raw, field) in netio {
        system.fail_next(Function::Create, raw);
        assert_eq!(apply(&system, false, &[good])[0].field, field as u8, "{raw}");
    }
    let unknown = item(ApplyAction::Create, Row::on_index(ip("192.0.2.1"), UNKNOWN_INDEX));
    let outcome = apply(&system, false, &[unknown])[0];
    assert_eq!((outcome.status, outcome.field), (NtStatus::NOT_FOUND, Field::Interface as u8));
}

#[test]
fn a_batch_that_is_not_well_formed_does_nothing() {
    let system = System::limited(Limits { max_apply_items: 3, ..Limits::DEFAULT });
    let items = [create("192.0.2.1"), create("192.0.2.2")];
    let well_formed = input(ApplyFlags::ATOMIC, &items);
    let with_count = |count: u32| {
        let mut bytes = well_formed.clone();
        bytes[4..8].copy_from_slice(&count.to_le_bytes());
        bytes
    };
    let mut unknown_flag = well_formed.clone();
    unknown_flag[0] = 2;
    let four = input(ApplyFlags::empty(), &[items[0]; 4]);
    let cases = [
        (with_count(1), 1 << 16, NtStatus::INVALID_PARAMETER),
        (with_count(3), 1 << 16, NtStatus::INVALID_PARAMETER),
        (with_count(u32::MAX), 1 << 16, NtStatus::INVALID_PARAMETER),
        (unknown_flag, 1 << 16, NtStatus::INVALID_PARAMETER),
        (four, 1 << 16, NtStatus::INVALID_PARAMETER),
        (well_formed[..well_formed.len() - 1].to_vec(), 1 << 16, NtStatus::INFO_LENGTH_MISMATCH),
        (well_formed.clone(), room(2) - 1, NtStatus::BUFFER_TOO_SMALL),
        (well_formed.clone(), size_of::<ApplyReply>(), NtStatus::BUFFER_TOO_SMALL),
    ];
    for (bytes, output_length, status) in cases {
        let reply = system.call(Operation::Apply, &bytes, output_length);
        assert_eq!(reply, Reply { status, bytes: Vec::new() });
    }
    assert_eq!(system.netio_calls(), 0);
    assert_eq!(states(&apply(&system, true, &items)), [APPLIED; 2]);
}

/// Each request for memory of a batch fails once; then the batch succeeds.
#[test]
fn a_batch_without_memory_leaves_nothing_behind() {
    let items: Vec<_> = (1..=100).map(|number| lease(&format!("192.0.2.{number}"))).collect();
    for atomic in [false, true] {
        for failing in 1.. {
            let system = System::new();
            system.kernel().fail_allocation(failing);
            let flags = if atomic { ApplyFlags::ATOMIC } else { ApplyFlags::empty() };
            let reply = system.call(Operation::Apply, &input(flags, &items), room(items.len()));
            let applied = system.entries().len();
            assert_eq!(system.leases().len(), applied);
            match reply.status {
                NtStatus::INSUFFICIENT_RESOURCES => assert_eq!(applied, 0),
                NtStatus::SUCCESS if applied == items.len() => {
                    assert!(failing > 3, "something asks for memory");
                    break;
                }
                NtStatus::SUCCESS => assert_eq!(applied, if atomic { 0 } else { items.len() - 1 }),
                status => panic!("{status}"),
            }
        }
    }
}

#[test]
fn nobody_changes_an_address_of_a_batch_while_it_runs() {
    let system = System::new();
    let addresses: Vec<_> = (1..=200).map(|number| format!("192.0.2.{number}")).collect();
    let items: Vec<_> = addresses.iter().map(|address| lease(address)).collect();
    let undone = [items.as_slice(), &[create("192.0.2.1")]].concat();
    let (batches, single) = (system.another(PROCESS), system.another(PROCESS));
    thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..50 {
                // The last item fails, so that everything is undone.
                let states = states(&apply(&batches, true, &undone));
                let failed = states.iter().position(|state| *state == FAILED).expect("one of them");
                assert!(states[..failed].iter().all(|state| *state == ROLLED_BACK), "{states:?}");
                assert!(states[failed + 1..].iter().all(|state| *state == NOT_ATTEMPTED), "{states:?}");
            }
        });
        scope.spawn(|| {
            for address in addresses.iter().cycle().take(2_000) {
                // Whatever the batch does, it is over when this is served.
                single.create(on_ethernet(address)).expect("nobody holds it");
                assert_eq!(single.delete(on_ethernet(address)), NtStatus::SUCCESS);
            }
        });
    });
    assert_eq!(system.entries(), []);
    assert_eq!(system.leases(), []);
}
