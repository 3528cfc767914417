//! Whether the tests of failures are complete: every place in the image's code that calls a service which may fail has seen it
//! fail, and the driver survived.

use std::time::Duration;

use kernel_sim::{Activity, CallSite, Caller, DesiredAccess, Faults, Guid, Image, Irql, Options, Registry, Site};
use netio_anycast_protocol::SERVICE_NAME;
use netio_anycast_protocol::apply::{ApplyFlags, ApplyRequest};
use netio_anycast_protocol::create::{CreateFlags, CreateRequest, DeleteFlags, DeleteRequest, Lifetime};
use netio_anycast_protocol::lease::LeaseFilter;
use netio_anycast_protocol::operation::Operation;
use netio_anycast_protocol::row::Row;
use netio_anycast_protocol::status::NtStatus;
use netio_anycast_protocol::table::TableFilter;
use netio_anycast_tests::facts::{self, Failure, Sites};
use zerocopy::IntoBytes as _;

use crate::bench::{Bench, DEVICE, ETHERNET, address, class_setting, image, kernel, on, parameters};
use crate::client::{Client, OTHER, creation, deletion};
use crate::kernel_clients::{calls, proxy};
use crate::report;

/// The driver's provider of events: `ID` of src/trace_provider.rs.
const PROVIDER: Guid = Guid::from_u128(0x9BDB_97E3_D9F4_50B1_CC7B_B35D_AA25_A5D1);

/// Functions whose calls can't be reached, each with the reason.
const UNREACHABLE: [(&str, &str); 2] = [
    ("netio_anycast::pool::ExAllocatePool2", "the symbol is exported, and so kept; who calls it has it inlined"),
    (
        "netio_anycast_engine::engine::Engine<netio_anycast::netio::KernelNetio,netio_anycast::kernel_services::KernelServices>::\
         apply<netio_anycast::netio::KernelNetio,netio_anycast::kernel_services::KernelServices,\
         netio_anycast_engine::buffer::SystemBuffer>",
        "the engine serves direct calls as it does requests, and none of them is a batch",
    ),
];

/// Why a call can't be reached, if it is in one of those functions themselves, not in what they were inlined into.
fn unreachable(image: &Image, site: &CallSite) -> Option<&'static str> {
    let symbol = image.symbol(site.offset).unwrap_or_default();
    let outermost = symbol.rsplit(" in ").next().unwrap_or_default();
    let function = UNREACHABLE.iter().find(|(function, _)| outermost.starts_with(&format!("{function}(")));
    function.map(|(_, reason)| *reason)
}

/// Which sites have failed, with what the driver was doing and what came of it.
type Failed = Vec<(Site, Failure)>;

/// Notes what failed in this run, if anything did and it is not noted yet.
fn note(failed: &mut Failed, faults: &Faults, operation: &str, outcome: impl FnOnce() -> String) {
    if let Some(site) = faults.struck().filter(|site| failed.last().is_none_or(|(last, _)| last != site)) {
        let failure = Failure { operation: operation.to_owned(), outcome: outcome(), stack: site.stack.clone() };
        failed.push((site, failure));
    }
}

/// Loads and unloads the driver, with a failure from every call stack.
fn fail_while_loading(allocate_pool2: bool, registry: &Registry) -> Failed {
    let mut failed = Failed::new();
    Faults::at_every_site(|faults| {
        let options =
            Options { faults: faults.clone(), allocate_pool2, registry: registry.clone(), ..Options::default() };
        let kernel = kernel(options);
        let loaded = kernel.load(&image(), SERVICE_NAME);
        note(&mut failed, faults, &Activity::Load.to_string(), || {
            loaded.as_ref().map_or_else(ToString::to_string, |_| "the driver is loaded".to_owned())
        });
        match loaded {
            Ok(driver) => {
                let unloaded = driver.unload();
                note(&mut failed, faults, &Activity::Unload.to_string(), || "the driver is unloaded".to_owned());
                assert!(unloaded);
            }
            Err(error) => assert!(faults.struck().is_some(), "{error}"),
        }
        report::judged(&kernel);
        assert!(kernel.devices().is_empty() && kernel.links().is_empty());
        kernel.assert_clean();
    });
    failed
}

fn options(faults: &Faults, allocate_pool2: bool) -> Options {
    Options { faults: faults.clone(), allocate_pool2, ..Options::default() }
}

/// Every operation, with a failure from every call stack.
fn fail_while_serving(allocate_pool2: bool) -> Failed {
    let mut failed = Failed::new();
    Faults::at_every_site(|faults| {
        let bench = faults.suspended(|| Bench::with(options(faults, allocate_pool2)));
        let mut serve = |operation: Operation, input: &[u8], room: usize| {
            let status = bench.send(operation, input, room).status;
            note(&mut failed, faults, operation.definition().name, || status.to_string());
        };
        for row in [on(ETHERNET, "192.0.2.1"), Row::on_index(address("192.0.2.2"), ETHERNET.index)] {
            // What each deserves is told in `faults`; here every path is walked.
            for lifetime in [Lifetime::Unowned, Lifetime::Handle] {
                let create = CreateRequest { row, lifetime: lifetime as u32, flags: 0 };
                serve(Operation::Create, create.as_bytes(), size_of::<Row>());
                serve(Operation::Get, row.as_bytes(), size_of::<Row>());
                let filters = [
                    TableFilter::ALL,
                    TableFilter { luid: ETHERNET.luid, ..TableFilter::ALL },
                    TableFilter { index: ETHERNET.index, ..TableFilter::ALL },
                ];
                for table in filters {
                    serve(Operation::GetTable, table.as_bytes(), 256);
                    serve(Operation::ListLeases, LeaseFilter { table, process_id: 0, reserved: 0 }.as_bytes(), 256);
                }
                serve(Operation::Delete, DeleteRequest { row, flags: 0, reserved: 0 }.as_bytes(), 0);
            }
        }
        for flags in [ApplyFlags::empty(), ApplyFlags::ATOMIC] {
            serve(Operation::Apply, &batch(flags), 256);
        }
    });
    failed
}

/// A batch after which nothing is left if all of it is done.
fn batch(flags: ApplyFlags) -> Vec<u8> {
    let row = Row::on_index(address("192.0.2.3"), ETHERNET.index);
    let items = [
        creation(row, Lifetime::Unowned, CreateFlags::empty()),
        deletion(row, DeleteFlags::empty()),
        creation(row, Lifetime::Handle, CreateFlags::SHARED),
        creation(on(ETHERNET, "192.0.2.4"), Lifetime::Handle, CreateFlags::empty()),
        deletion(on(ETHERNET, "192.0.2.4"), DeleteFlags::empty()),
        deletion(row, DeleteFlags::FORCE),
    ];
    let count = u32::try_from(items.len()).expect("few");
    [ApplyRequest { flags: flags.bits(), count }.as_bytes(), items.as_bytes()].concat()
}

/// Handles that open and close with what they hold, waits that pend, requests above PASSIVE_LEVEL, and what is done later, with a
/// failure from every call stack.
fn fail_meanwhile(allocate_pool2: bool) -> Failed {
    let mut failed = Failed::new();
    Faults::at_every_site(|faults| {
        let bench = faults.suspended(|| Bench::with(options(faults, allocate_pool2)));
        let other = Client::open(&bench.kernel, OTHER);
        note(&mut failed, faults, "opening", || format!("{:?}", other.as_ref().err()));
        let Ok(other) = other else { return };
        let row = on(ETHERNET, "192.0.2.1");
        let leased = other.lease(row);
        note(&mut failed, faults, Operation::Create.definition().name, || format!("{leased:?}"));
        let wait = bench.wait_change(bench.statistics().generation);
        bench.kernel.advance(Duration::from_secs(1));
        note(&mut failed, faults, "looking for changes", || "the wait goes on".to_owned());
        assert!(wait.is_pending(), "{:?}", faults.struck());
        wait.cancel();
        let get = bench.start_at(Irql::DISPATCH_LEVEL, Operation::Get, row.as_bytes(), size_of::<Row>()).wait();
        note(&mut failed, faults, "serving above PASSIVE_LEVEL", || get.status.to_string());
        drop(other);
        note(&mut failed, faults, "closing", || format!("{} addresses are left", bench.addresses().len()));
        bench.kernel.advance(Duration::from_secs(1));
        note(&mut failed, faults, "trying again", || format!("{} addresses are left", bench.addresses().len()));
        assert_eq!(bench.addresses(), [], "{:?}", faults.struck());
    });
    failed
}

/// The first handle that is opened, with a failure from every call stack.
fn fail_first_opening(allocate_pool2: bool) -> Failed {
    let mut failed = Failed::new();
    Faults::at_every_site(|faults| {
        let kernel = kernel(options(faults, allocate_pool2));
        let driver = faults.suspended(|| kernel.load(&image(), SERVICE_NAME).expect("the driver loads"));
        let opened = kernel.open(DEVICE, &Caller::administrator(), DesiredAccess::READ);
        note(&mut failed, faults, "opening", || format!("{:?}", opened.as_ref().err()));
        drop(opened);
        assert!(driver.unload());
        kernel.assert_clean();
    });
    failed
}

/// The functions that are called directly, with a failure from every call stack. Somebody listens to the driver's events.
fn fail_direct_calls(allocate_pool2: bool) -> Failed {
    let mut failed = Failed::new();
    Faults::at_every_site(|faults| {
        let (bench, proxy) = faults.suspended(|| {
            let bench = Bench::with(options(faults, allocate_pool2));
            let proxy = proxy::load(&bench.kernel);
            (bench, proxy)
        });
        let _trace = bench.kernel.trace(PROVIDER, 0, u64::MAX);
        calls::call_every_function(&bench.kernel, |what, outcome| note(&mut failed, faults, what, || outcome));
        assert!(proxy.unload(), "{:?}", faults.struck());
    });
    failed
}

/// A call site with how it has failed.
fn fact(image: &Image, site: &CallSite, failed: &Failed) -> facts::CallSite {
    let at_site = |stack: &[usize]| stack.first().copied() == site.returns_to && site.returns_to.is_some();
    let failures: Vec<Failure> = failed.iter().filter(|it| at_site(&it.0.stack)).map(|it| it.1.clone()).collect();
    facts::CallSite {
        service: site.service.clone(),
        offset: site.offset,
        symbol: image.symbol(site.offset),
        unreachable: unreachable(image, site).filter(|_| failures.is_empty()).map(str::to_owned),
        failures,
    }
}

/// A creation and a batch with two failures: the driver asks for the index of the LUID only when it can't read what it created,
/// and undoes what it did only when something else has failed.
fn fail_twice() -> Failed {
    let mut failed = Failed::new();
    Faults::at_every_pair(|faults| {
        let bench = faults.suspended(|| Bench::with(Options { faults: faults.clone(), ..Options::default() }));
        let created = bench.create(on(ETHERNET, "192.0.2.1"));
        note(&mut failed, faults, Operation::Create.definition().name, || {
            created.map_or_else(|status| status.to_string(), |_| NtStatus::SUCCESS.to_string())
        });
        let status = bench.send(Operation::Apply, &batch(ApplyFlags::ATOMIC), 256).status;
        note(&mut failed, faults, Operation::Apply.definition().name, || status.to_string());
    });
    failed
}

#[test]
fn every_call_of_a_service_that_may_fail_has_failed() {
    let setting = kernel_sim::descriptor(&[(DesiredAccess::READ, "BA")]);
    let mut failed = fail_twice();
    for allocate_pool2 in [true, false] {
        failed.extend(fail_while_serving(allocate_pool2));
        failed.extend(fail_meanwhile(allocate_pool2));
        failed.extend(fail_first_opening(allocate_pool2));
        failed.extend(fail_direct_calls(allocate_pool2));
    }
    let limits = parameters(&[("MaxLeases", 10)]);
    for registry in [Registry::new(), class_setting(None), class_setting(Some(setting)), limits] {
        for allocate_pool2 in [true, false] {
            failed.extend(fail_while_loading(allocate_pool2, &registry));
        }
    }
    let image = image();
    let calls = image.fallible_call_sites().expect("the image is whole");
    let sites: Vec<facts::CallSite> = calls.iter().map(|site| fact(&image, site, &failed)).collect();
    facts::write("image", &Sites { sites: sites.clone() });
    assert!(!sites.is_empty(), "the driver calls something");
    let never = sites.iter().filter(|site| site.failures.is_empty() && site.unreachable.is_none());
    let never: Vec<&facts::CallSite> = never.collect();
    assert!(never.is_empty(), "calls that no test has seen fail: {never:#x?}");
}
