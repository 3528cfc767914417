//! QUERY_STATISTICS: every request is counted once, by its result, and NetIO's raw status is kept.

use netio_anycast_protocol::operation::Operation;
use netio_anycast_protocol::statistics::OperationCounters;
use netio_anycast_protocol::status::NtStatus;
use netio_model::{Fault, Function};

use crate::bench::{Bench, ETHERNET, on};

fn counters(bench: &Bench, operation: Operation) -> OperationCounters {
    bench.driver.statistics().operations[operation as usize]
}

#[test]
fn each_result_is_counted_where_it_belongs() {
    let bench = Bench::new();
    let before = counters(&bench, Operation::Create);
    let row = on(ETHERNET, "192.0.2.1");
    let _ = bench.driver.create(row); // succeeds
    let _ = bench.driver.create(row); // already exists
    let _ = bench.driver.create(on(ETHERNET, "224.0.0.1")); // invalid
    let code = Operation::Create.definition().control_code();
    let _ = bench.driver.control(code, &[], &mut []); // malformed
    let after = counters(&bench, Operation::Create);
    assert_eq!(
        [after.succeeded, after.already_exists, after.invalid, after.malformed],
        [before.succeeded + 1, before.already_exists + 1, before.invalid + 1, before.malformed + 1]
    );
    assert_eq!([after.not_found, after.failed], [before.not_found, before.failed]);
}

#[test]
fn what_netio_said_is_kept_as_it_said_it() {
    let bench = Bench::new();
    let raw = NtStatus::from_bits(0x0000_1234);
    bench.model.plan(Fault::next(Function::Delete, raw)).expect("the model takes a fault");
    let _ = bench.driver.delete(on(ETHERNET, "192.0.2.1"));
    assert_eq!(counters(&bench, Operation::Delete).last_netio_failure, raw);
}

#[test]
fn the_generation_moves_with_every_change_and_with_nothing_else() {
    let bench = Bench::new();
    let generation = || bench.driver.statistics().generation;
    let start = generation();
    bench.driver.create(on(ETHERNET, "192.0.2.1")).expect("the address is new");
    assert_eq!(generation(), start + 1);
    let _ = bench.driver.create(on(ETHERNET, "192.0.2.1"));
    let _ = bench.driver.get(on(ETHERNET, "192.0.2.1"));
    assert_eq!(generation(), start + 1);
    bench.driver.delete(on(ETHERNET, "192.0.2.1")).expect("the address is there");
    assert_eq!(generation(), start + 2);
}
