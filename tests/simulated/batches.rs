//! APPLY: many changes in one request, whole or not at all.

use netio_anycast_protocol::apply::{ApplyFlags, ApplyItem, ItemState, MAX_APPLY_ITEMS};
use netio_anycast_protocol::create::{CreateFlags, DeleteFlags, Lifetime};
use netio_anycast_protocol::row::Row;
use netio_anycast_protocol::status::NtStatus;
use netio_model::{Fault, Function};

use crate::bench::{Bench, ETHERNET, SECOND, address, on};
use crate::client::{OTHER, creation, deletion};

const ATOMIC: ApplyFlags = ApplyFlags::ATOMIC;

fn create(text: &str) -> ApplyItem {
    creation(on(ETHERNET, text), Lifetime::Unowned, CreateFlags::empty())
}

fn lease(text: &str) -> ApplyItem {
    creation(on(ETHERNET, text), Lifetime::Handle, CreateFlags::empty())
}

fn delete(text: &str) -> ApplyItem {
    deletion(on(ETHERNET, text), DeleteFlags::empty())
}

fn states(outcomes: &[netio_anycast_protocol::apply::ItemOutcome]) -> Vec<u8> {
    outcomes.iter().map(|outcome| outcome.state).collect()
}

#[test]
fn a_batch_does_what_its_items_say_in_their_order() {
    for flags in [ApplyFlags::empty(), ATOMIC] {
        let bench = Bench::new();
        let items = [create("192.0.2.1"), lease("192.0.2.2"), delete("192.0.2.1"), create("2001:db8::1")];
        let outcomes = bench.apply(flags, &items).expect("it is well-formed");
        assert_eq!(states(&outcomes), [ItemState::Applied as u8; 4]);
        assert_eq!(bench.addresses().len(), 2);
        assert_eq!(bench.leases(4).2.len(), 1);
    }
}

#[test]
fn an_atomic_batch_that_fails_anywhere_leaves_netio_and_the_leases_as_they_were() {
    let items =
        [delete("192.0.2.10"), lease("192.0.2.1"), delete("192.0.2.20"), create("2001:db8::1"), lease("192.0.2.3")];
    for failing in 0..items.len() {
        let bench = Bench::new();
        bench.create(on(ETHERNET, "192.0.2.10")).expect("unowned");
        bench.lease(on(ETHERNET, "192.0.2.20")).expect("leased");
        let before = (bench.addresses(), bench.leases(4).2);
        let creates = items[failing].action == 1;
        let function = if creates { Function::Create } else { Function::Delete };
        let earlier = items[..failing].iter().filter(|item| item.action == items[failing].action).count();
        let fault = Fault::next(function, NtStatus::NO_MEMORY).after(u32::try_from(earlier).expect("few"));
        bench.kernel.netio(|model| model.plan(fault));
        let outcomes = bench.apply(ATOMIC, &items).expect("it is well-formed");
        let mut expected = vec![ItemState::RolledBack as u8; failing];
        expected.push(ItemState::Failed as u8);
        expected.resize(items.len(), ItemState::NotAttempted as u8);
        assert_eq!(states(&outcomes), expected, "a failure at {failing}");
        assert_eq!(outcomes[failing].status, NtStatus::INSUFFICIENT_RESOURCES);
        assert_eq!((bench.addresses(), bench.leases(4).2), before, "a failure at {failing}");
    }
}

#[test]
fn a_rollback_that_netio_refuses_is_told_item_by_item() {
    let bench = Bench::new();
    bench.create(on(ETHERNET, "192.0.2.10")).expect("created");
    bench.kernel.netio(|model| {
        model.plan(Fault::next(Function::Create, NtStatus::NO_MEMORY).after(1).times(2));
        model.plan(Fault::next(Function::Delete, NtStatus::DELETE_PENDING).after(1).times(1));
    });
    let items = [lease("192.0.2.1"), delete("192.0.2.10"), create("192.0.2.2")];
    let outcomes = bench.apply(ATOMIC, &items).expect("it is well-formed");
    let failed = ItemState::RollbackFailed as u8;
    assert_eq!(states(&outcomes), [failed, failed, ItemState::Failed as u8]);
    assert_eq!(outcomes[0].netio_status, NtStatus::DELETE_PENDING);
    assert_eq!(outcomes[1].netio_status, NtStatus::NO_MEMORY);
    assert_eq!(bench.leases(4).2[0].holders, 0, "it is withdrawn later");
    bench.kernel.advance(std::time::Duration::from_millis(100));
    assert_eq!(bench.addresses(), []);
}

#[test]
fn a_batch_may_be_as_large_as_the_driver_tells_and_no_larger() {
    let bench = Bench::new();
    let numbers = 0..MAX_APPLY_ITEMS;
    let row =
        |number: u32| Row::on_luid((u32::from_be_bytes([10, 0, 0, 0]) + number).to_be_bytes().into(), SECOND.luid);
    let mut items: Vec<_> =
        numbers.map(|number| creation(row(number), Lifetime::Handle, CreateFlags::empty())).collect();
    let outcomes = bench.apply(ATOMIC, &items).expect("as many as may be");
    assert!(outcomes.iter().all(|outcome| outcome.state == ItemState::Applied as u8));
    assert_eq!(bench.statistics().live_leases, u64::from(MAX_APPLY_ITEMS));
    items.push(create("192.0.2.1"));
    assert_eq!(bench.apply(ATOMIC, &items), Err(NtStatus::INVALID_PARAMETER));
}

#[test]
fn a_batch_ends_leases_of_others_by_force_only() {
    let bench = Bench::new();
    let other = bench.another(OTHER);
    other.lease(on(ETHERNET, "192.0.2.1")).expect("leased");
    let outcomes = bench.apply(ApplyFlags::empty(), &[delete("192.0.2.1")]).expect("it is well-formed");
    assert_eq!(outcomes[0].status, NtStatus::ACCESS_DENIED);
    let force = deletion(Row::on_index(address("192.0.2.1"), ETHERNET.index), DeleteFlags::FORCE);
    let outcomes = bench.apply(ATOMIC, &[force]).expect("it is well-formed");
    assert_eq!(outcomes[0].status, NtStatus::SUCCESS);
    assert_eq!(bench.addresses(), []);
}
