//! The direct-call interface, as another driver calls it.

use std::collections::BTreeSet;

use kernel_sim::{Caller, Control, DesiredAccess, Faults, Irql, Kernel, Options, Rule, Work};
use netio_anycast_protocol::create::{CreateFlags, DeleteFlags, Lifetime};
use netio_anycast_protocol::interface::{INTERFACE_SIZE, InterfaceRequest, QUERY_INTERFACE};
use netio_anycast_protocol::operation::Operation;
use netio_anycast_protocol::row::Row;
use netio_anycast_protocol::status::NtStatus;
use zerocopy::IntoBytes as _;

use super::proxy::{self, Proxy, Send, Way};
use crate::bench::{Bench, DEVICE, ETHERNET, address, on, resolved};
use crate::report::Race;
use crate::schedules::schedules;

const PASSIVE: Irql = Irql::PASSIVE_LEVEL;

/// Waits until NetIO has so many addresses: a system thread may be at it.
fn until(bench: &Bench, addresses: usize) {
    loop {
        let generation = bench.statistics().generation;
        if bench.addresses().len() == addresses {
            return;
        }
        let _ = bench.wait_change(generation).wait();
    }
}

/// Calls every function as another driver does, for a row that names its interface by LUID and for one that does by index, and tells
/// what came of each. Stops when the interface can't be had.
pub(crate) fn call_every_function(kernel: &Kernel, mut told: impl FnMut(&str, String)) {
    let client = Proxy::open(kernel);
    told("opening", format!("{:?}", client.as_ref().err()));
    let Ok(client) = client else { return };
    let queried = client.query();
    told("QUERY_INTERFACE", format!("{queried:?}"));
    if queried.is_err() {
        return;
    }
    for row in [on(ETHERNET, "192.0.2.1"), Row::on_index(address("192.0.2.2"), ETHERNET.index)] {
        for lifetime in [Lifetime::Handle, Lifetime::Unowned] {
            told("create", format!("{:?}", client.create(PASSIVE, row, lifetime, CreateFlags::empty())));
            told("get", format!("{:?}", client.get(PASSIVE, row)));
            told("get_table", format!("{:?}", client.table(PASSIVE, 4)));
            told("delete", format!("{:?}", client.delete(PASSIVE, row, DeleteFlags::empty())));
        }
    }
}

#[test]
fn functions_do_what_the_operations_of_their_names_do() {
    let bench = Bench::new();
    let driver = proxy::load(&bench.kernel);
    let client = Proxy::open(&bench.kernel).expect("the device can be opened");
    client.query().expect("the version is known");
    let (one, other) = (on(ETHERNET, "192.0.2.1"), on(ETHERNET, "192.0.2.2"));
    let by_index = Row::on_index(address("192.0.2.1"), ETHERNET.index);

    assert_eq!(client.lease(by_index), Ok(resolved(ETHERNET, "192.0.2.1")));
    let unowned = client.create(PASSIVE, other, Lifetime::Unowned, CreateFlags::empty());
    assert_eq!(unowned, Ok(resolved(ETHERNET, "192.0.2.2")));
    assert_eq!(client.lease(one), Err(NtStatus::OBJECTID_EXISTS));
    assert_eq!(client.get(PASSIVE, one), Ok(resolved(ETHERNET, "192.0.2.1")));
    let both = vec![resolved(ETHERNET, "192.0.2.1"), resolved(ETHERNET, "192.0.2.2")];
    assert_eq!(client.table(PASSIVE, 4), Ok((2, both)));
    assert_eq!(bench.delete(one), Err(NtStatus::ACCESS_DENIED), "it is the client's");
    assert_eq!(client.delete(PASSIVE, one, DeleteFlags::empty()), Ok(()));
    assert_eq!(client.get(PASSIVE, one), Err(NtStatus::NOT_FOUND));
    assert_eq!(client.delete(PASSIVE, other, DeleteFlags::empty()), Ok(()));
    drop(client);
    assert!(driver.unload());
}

#[test]
fn a_table_of_any_length_comes_whole() {
    let bench = Bench::new();
    let driver = proxy::load(&bench.kernel);
    let client = Proxy::open(&bench.kernel).expect("the device can be opened");
    client.query().expect("the version is known");
    assert_eq!(client.table(PASSIVE, 4), Ok((0, Vec::new())));
    let rows: Vec<Row> = (1..=500).map(|number| on(ETHERNET, &format!("2001:db8::{number:x}"))).collect();
    for row in &rows {
        let _ = client.lease(*row).expect("the address is free");
    }
    let (count, table) = client.table(PASSIVE, 500).expect("it can be read");
    assert_eq!((count, table), (500, bench.addresses()));
    drop(client);
    assert!(bench.addresses().is_empty(), "the leases go with the last reference");
    assert!(driver.unload());
}

#[test]
fn another_version_or_size_is_refused() {
    let bench = Bench::new();
    let driver = proxy::load(&bench.kernel);
    let client = Proxy::open(&bench.kernel).expect("the device can be opened");
    let request = |size, version, reserved| client.query_with(InterfaceRequest { size, version, reserved });
    assert_eq!(request(INTERFACE_SIZE, 2, 0), Err(NtStatus::REVISION_MISMATCH));
    assert_eq!(request(INTERFACE_SIZE, 0, 0), Err(NtStatus::REVISION_MISMATCH));
    assert_eq!(request(INTERFACE_SIZE - 8, 1, 0), Err(NtStatus::INVALID_PARAMETER));
    assert_eq!(request(INTERFACE_SIZE, 1, 1), Err(NtStatus::INVALID_PARAMETER));
    assert_eq!(client.query(), Ok(()));
    drop(client);
    assert!(driver.unload());
}

#[test]
fn without_a_file_object_there_is_none() {
    let bench = Bench::new();
    let driver = proxy::load(&bench.kernel);
    let client = Proxy::open(&bench.kernel).expect("the device can be opened");
    let send = |request: InterfaceRequest| {
        let send = Send {
            way: Way::Internal,
            code: QUERY_INTERFACE,
            without_file: true,
            ..Send::operation(Operation::Get, request.as_bytes(), usize::from(INTERFACE_SIZE))
        };
        client.send(&send).expect("there is memory").status
    };
    assert_eq!(send(InterfaceRequest::CURRENT), NtStatus::INVALID_PARAMETER);
    assert_eq!(send(InterfaceRequest { version: 2, ..InterfaceRequest::CURRENT }), NtStatus::REVISION_MISMATCH);
    drop(client);
    assert!(driver.unload());
}

#[test]
fn programs_do_not_get_it_and_drivers_only_by_internal_device_controls() {
    let bench = Bench::new();
    let input = InterfaceRequest { version: 2, ..InterfaceRequest::CURRENT };
    let control = Control::new(QUERY_INTERFACE, input.as_bytes(), usize::from(INTERFACE_SIZE));
    for caller in [Caller::administrator(), Caller::driver()] {
        let handle = bench.kernel.open(DEVICE, &caller, DesiredAccess::READ_WRITE).expect("it may open the device");
        assert_eq!(handle.send(&control).wait().status, NtStatus::INVALID_DEVICE_REQUEST);
    }
    let driver = proxy::load(&bench.kernel);
    let client = Proxy::open(&bench.kernel).expect("the device can be opened");
    for user_mode in [false, true] {
        let send = Send {
            way: Way::Internal,
            code: QUERY_INTERFACE,
            user_mode,
            ..Send::operation(Operation::Get, input.as_bytes(), usize::from(INTERFACE_SIZE))
        };
        let status = client.send(&send).expect("there is memory").status;
        // What the client gets here it never gives back, so that it asks for what it can't get.
        assert_eq!(status, if user_mode { NtStatus::INVALID_DEVICE_REQUEST } else { NtStatus::REVISION_MISMATCH });
    }
    drop(client);
    assert!(driver.unload());
}

#[test]
fn above_passive_level_nothing_is_done() {
    let bench = Bench::new();
    let driver = proxy::load(&bench.kernel);
    let client = Proxy::open(&bench.kernel).expect("the device can be opened");
    client.query().expect("the version is known");
    let row = on(ETHERNET, "192.0.2.1");
    let calls = bench.netio_calls();
    for irql in [Irql::APC_LEVEL, Irql::DISPATCH_LEVEL] {
        let refused = NtStatus::INVALID_DEVICE_STATE;
        assert_eq!(client.create(irql, row, Lifetime::Handle, CreateFlags::empty()), Err(refused), "{irql}");
        assert_eq!(client.delete(irql, row, DeleteFlags::empty()), Err(refused), "{irql}");
        assert_eq!(client.get(irql, row), Err(refused), "{irql}");
        assert_eq!(client.table(irql, 4), Err(refused), "{irql}");
    }
    assert_eq!(bench.netio_calls(), calls, "NetIO was not called");
    drop(client);
    assert!(driver.unload());
}

#[test]
fn leases_go_with_the_last_reference_whatever_the_irql() {
    for irql in [Irql::PASSIVE_LEVEL, Irql::APC_LEVEL, Irql::DISPATCH_LEVEL] {
        let bench = Bench::new();
        let driver = proxy::load(&bench.kernel);
        let client = Proxy::open(&bench.kernel).expect("the device can be opened");
        client.query().expect("the version is known");
        let row = client.lease(on(ETHERNET, "192.0.2.1")).expect("the address is free");
        client.reference(irql);
        client.dereference(irql);
        assert_eq!(bench.addresses(), [row], "one reference is left");
        client.dereference(irql);
        until(&bench, 0);
        assert_eq!(client.get(PASSIVE, row), Err(NtStatus::INVALID_PARAMETER), "the context is gone");
        // One dereference too many does nothing.
        client.dereference(irql);
        drop(client);
        assert!(driver.unload());
    }
}

#[test]
fn two_contexts_are_two_holders() {
    let bench = Bench::new();
    let driver = proxy::load(&bench.kernel);
    let [one, other] = [(), ()].map(|()| Proxy::open(&bench.kernel).expect("the device can be opened"));
    one.query().expect("the version is known");
    other.query().expect("the version is known");
    let row = on(ETHERNET, "192.0.2.1");
    let share = |client: &Proxy| client.create(PASSIVE, row, Lifetime::Handle, CreateFlags::SHARED);
    let _ = share(&one).expect("the address is free");
    let _ = share(&other).expect("both share it");
    drop(one);
    assert_eq!(bench.addresses().len(), 1);
    drop(other);
    assert!(bench.addresses().is_empty());
    assert!(driver.unload());
}

/// The interface alone keeps the driver, without the file object through which it was asked for.
#[test]
fn the_driver_is_not_unloaded_under_a_caller() {
    let mut bench = Bench::new();
    let driver = proxy::load(&bench.kernel);
    let client = Proxy::open(&bench.kernel).expect("the device can be opened");
    client.query().expect("the version is known");
    drop(bench.client.take());
    assert!(!bench.driver.unload(), "the client has it");
    let row = client.lease(on(ETHERNET, "192.0.2.1")).expect("it is still there");
    assert_eq!(bench.addresses(), [row]);
    drop(client);
    assert!(bench.addresses().is_empty());
    assert!(driver.unload());
}

#[test]
fn a_client_that_forgets_what_it_has_is_reported_by_name() {
    let bench = Bench::new();
    let driver = proxy::load(&bench.kernel);
    let client = Proxy::open(&bench.kernel).expect("the device can be opened");
    client.query().expect("the version is known");
    let _ = client.lease(on(ETHERNET, "192.0.2.1")).expect("the address is free");
    client.forget();
    drop(client);
    let Bench { kernel, .. } = &bench;
    assert!(driver.unload(), "nobody has its device");
    let violations = kernel.violations();
    let rules: BTreeSet<Rule> = violations.iter().map(|violation| violation.rule).collect();
    assert_eq!(rules, BTreeSet::from([Rule::ObjectLeft]), "{violations:#?}");
    assert!(violations.iter().all(|violation| violation.to_string().contains("proxy")), "{violations:#?}");
    // The driver can't be unloaded any more, so that the bench is not taken down.
    std::mem::forget(bench);
}

#[test]
fn any_number_of_threads_may_call() {
    const THREADS: usize = 64;
    let bench = Bench::new();
    let driver = proxy::load(&bench.kernel);
    let client = Proxy::open(&bench.kernel).expect("the device can be opened");
    client.query().expect("the version is known");
    let results: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|number| {
                let client = &client;
                scope.spawn(move || {
                    let row = on(ETHERNET, &format!("2001:db8::{:x}", number + 1));
                    client.reference(PASSIVE);
                    let created = client.lease(row);
                    let got = client.get(PASSIVE, row);
                    let deleted = client.delete(PASSIVE, row, DeleteFlags::empty());
                    client.dereference(PASSIVE);
                    (created.is_ok(), got.is_ok(), deleted)
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("it ends")).collect()
    });
    assert!(results.iter().all(|result| *result == (true, true, Ok(()))), "{results:?}");
    assert!(bench.addresses().is_empty());
    drop(client);
    assert!(driver.unload());
}

#[test]
fn whoever_fails_leaves_nothing() {
    let sites = Faults::at_every_site(|faults| {
        let options = Options { faults: faults.clone(), ..Options::default() };
        let (bench, driver) = faults.suspended(|| {
            let bench = Bench::with(options);
            let driver = proxy::load(&bench.kernel);
            (bench, driver)
        });
        let row = on(ETHERNET, "192.0.2.1");
        let run = || -> Result<(), NtStatus> {
            let client = Proxy::open(&bench.kernel)?;
            client.query()?;
            let _ = client.lease(row)?;
            let _ = client.table(PASSIVE, 1)?;
            client.delete(PASSIVE, row, DeleteFlags::empty())
        };
        let result = run();
        if faults.struck().is_none() {
            assert_eq!(result, Ok(()));
        }
        assert!(bench.addresses().is_empty(), "{:?}", faults.struck());
        assert!(driver.unload());
    });
    assert!(!sites.is_empty());
}

/// One thread calls while another gives the last reference but one back, and a third asks to unload the driver.
#[test]
fn a_reference_keeps_the_context_whatever_the_schedule() {
    let mut race = Race::new("a_reference_keeps_the_context_whatever_the_schedule", schedules(300));
    for seed in 0..schedules(300) {
        let mut bench = Bench::new();
        let driver = proxy::load(&bench.kernel);
        let client = Proxy::open(&bench.kernel).expect("the device can be opened");
        client.query().expect("the version is known");
        client.reference(PASSIVE);
        drop(bench.client.take());
        let row = on(ETHERNET, "192.0.2.1");
        let call: Work<'_> = Box::new(|| {
            let _ = client.lease(row).expect("the context is there");
            client.delete(PASSIVE, row, DeleteFlags::empty()).expect("the context is there");
        });
        let dereference: Work<'_> = Box::new(|| {
            let _ = client.dereference(PASSIVE);
        });
        let unload: Work<'_> = Box::new(|| assert!(!bench.driver.unload(), "seed {seed}: it is in use"));
        race.run(seed, vec![call, dereference, unload]);
        assert!(bench.addresses().is_empty(), "seed {seed}");
        drop(client);
        assert!(driver.unload(), "seed {seed}");
    }
}
