//! Callers above PASSIVE_LEVEL: another driver may send an IRP from there, and a work item serves it.

use kernel_sim::{Control, Faults, Irql, Options};
use netio_anycast_protocol::apply::{ApplyReply, ItemOutcome};
use netio_anycast_protocol::create::{CreateFlags, CreateRequest, DeleteRequest, Lifetime};
use netio_anycast_protocol::lease::{LeaseFilter, LeaseRow};
use netio_anycast_protocol::operation::{OPERATIONS, Operation};
use netio_anycast_protocol::row::Row;
use netio_anycast_protocol::status::NtStatus;
use netio_anycast_protocol::table::{TableFilter, TableHeader};
use netio_anycast_protocol::wait::Generation;
use zerocopy::IntoBytes as _;

use crate::bench::{Bench, ETHERNET, on, resolved};
use crate::client::{Client, creation, value};

fn create(row: Row, lifetime: Lifetime) -> CreateRequest {
    CreateRequest { row, lifetime: lifetime as u32, flags: 0 }
}

/// A request of each operation that is served, with room for its output.
fn requests() -> Vec<(Operation, Vec<u8>, usize)> {
    let row = on(ETHERNET, "192.0.2.1");
    let second = on(ETHERNET, "192.0.2.2");
    let leases = LeaseFilter { table: TableFilter::ALL, process_id: 0, reserved: 0 };
    let items = [creation(second, Lifetime::Handle, CreateFlags::empty())];
    let batch = [[0_u32, 1].as_bytes(), items.as_bytes()].concat();
    let header = size_of::<TableHeader>();
    let fixed = |operation: Operation| operation.definition().output.fixed;
    vec![
        (Operation::QueryVersion, Vec::new(), fixed(Operation::QueryVersion)),
        (Operation::Create, create(row, Lifetime::Unowned).as_bytes().to_vec(), size_of::<Row>()),
        (Operation::Get, row.as_bytes().to_vec(), size_of::<Row>()),
        (Operation::GetTable, TableFilter::ALL.as_bytes().to_vec(), header + size_of::<Row>()),
        (Operation::Delete, DeleteRequest { row, flags: 0, reserved: 0 }.as_bytes().to_vec(), 0),
        (Operation::Apply, batch, size_of::<ApplyReply>() + size_of::<ItemOutcome>()),
        (Operation::ListLeases, leases.as_bytes().to_vec(), header + size_of::<LeaseRow>()),
        (Operation::WaitChange, Generation(u64::MAX).as_bytes().to_vec(), size_of::<Generation>()),
        (Operation::QueryStatistics, Vec::new(), fixed(Operation::QueryStatistics)),
    ]
}

#[test]
fn every_operation_is_served_whatever_the_irql() {
    for irql in [Irql::APC_LEVEL, Irql::DISPATCH_LEVEL] {
        for internal in [false, true] {
            let bench = Bench::new();
            let driver = Client::driver(&bench.kernel).expect("a driver may open the device");
            let requests = requests();
            assert_eq!(requests.len(), OPERATIONS.len());
            for (operation, input, room) in requests {
                let control = Control::new(operation.definition().control_code(), &input, room).at(irql);
                let reply = driver.handle.send(&if internal { control.internal() } else { control }).wait();
                assert_eq!((reply.status, reply.information), (NtStatus::SUCCESS, room), "{operation:?} at {irql}");
            }
            drop(driver);
            assert_eq!(bench.addresses(), [], "what was leased goes with the driver");
        }
    }
}

#[test]
fn a_request_without_memory_for_its_work_item_fails_and_is_not_lost() {
    let row = on(ETHERNET, "192.0.2.1");
    let sites = Faults::at_every_site(|faults| {
        let bench = faults.suspended(|| Bench::with(Options { faults: faults.clone(), ..Options::default() }));
        let driver = faults.suspended(|| Client::driver(&bench.kernel)).expect("a driver may open the device");
        let request = create(row, Lifetime::Unowned);
        let reply = driver.start_at(Irql::DISPATCH_LEVEL, Operation::Create, request.as_bytes(), size_of::<Row>());
        let created = value::<Row>(&reply.wait());
        match faults.struck().map(|site| site.service) {
            None | Some("GetAnycastIpAddressEntry") => assert!(created.is_ok()),
            Some(_) => assert_eq!(created, Err(NtStatus::INSUFFICIENT_RESOURCES)),
        }
        assert_eq!(bench.addresses().len(), usize::from(created.is_ok()));
    });
    assert!(sites.iter().any(|site| site.service == "IoAllocateWorkItem"), "{sites:?}");
}

#[test]
fn a_request_is_cancelled_or_served() {
    let bench = Bench::new();
    let driver = Client::driver(&bench.kernel).expect("a driver may open the device");
    let request = create(on(ETHERNET, "192.0.2.1"), Lifetime::Unowned);
    let pending = driver.start_at(Irql::DISPATCH_LEVEL, Operation::Create, request.as_bytes(), size_of::<Row>());
    pending.cancel();
    match value::<Row>(&pending.wait()) {
        Ok(row) => assert_eq!((row, bench.addresses().len()), (resolved(ETHERNET, "192.0.2.1"), 1)),
        Err(status) => assert_eq!((status, bench.addresses().len()), (NtStatus::CANCELLED, 0)),
    }
}

#[test]
fn what_a_program_asks_for_by_the_internal_way_is_refused() {
    let bench = Bench::new();
    let code = Operation::QueryVersion.definition().control_code();
    let reply = bench.handle.send(&Control::new(code, &[], 40).internal());
    // The I/O manager lets only drivers send it: the simulated kernel refuses, or the driver does.
    assert!(reply.wait().status == NtStatus::SUCCESS || bench.netio_calls() == 0);
}
