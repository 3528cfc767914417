//! Every service that can fail, failed once from every call stack that reaches it.

use kernel_sim::{Faults, LoadError, Options, ProcessId, Site};
use netio_anycast_protocol::SERVICE_NAME;
use netio_anycast_protocol::address::AddressFamily;
use netio_anycast_protocol::row::Row;
use netio_anycast_protocol::status::NtStatus;
use netio_anycast_tests::facts::{Pairs, write};

use crate::bench::{Bench, ETHERNET, address, image, kernel, on, resolved};
use crate::client::Client;
use crate::report;

/// The services among the sites, each once.
fn services(sites: &[Site]) -> Vec<&'static str> {
    let mut services: Vec<_> = sites.iter().map(|site| site.service).collect();
    services.sort_unstable();
    services.dedup();
    services
}

#[test]
fn a_failure_while_loading_leaves_nothing() {
    for allocate_pool2 in [true, false] {
        let sites = Faults::at_every_site(|faults| {
            let kernel = kernel(Options { faults: faults.clone(), allocate_pool2, ..Options::default() });
            let result = kernel.load(&image(), SERVICE_NAME);
            match (faults.struck(), result) {
                (None, Ok(driver)) => assert!(driver.unload()),
                // A driver whose events nobody can hear works as well.
                (Some(site), Ok(driver)) if site.service == "EtwRegister" => assert!(driver.unload()),
                (Some(_), Err(LoadError::DriverEntry(status))) => assert!(status.is_error()),
                (struck, result) => panic!("{struck:?} led to {result:?}"),
            }
            assert!(kernel.devices().is_empty() && kernel.links().is_empty(), "{:?}", faults.struck());
            report::judged(&kernel);
            kernel.assert_clean();
        });
        let allocate = if allocate_pool2 { "ExAllocatePool2" } else { "ExAllocatePoolWithTag" };
        let expected = [
            "EtwRegister",
            allocate,
            "ExCreateCallback",
            "IoAllocateWorkItem",
            "IoCreateDevice",
            "IoCreateSymbolicLink",
            "ObOpenObjectByPointer",
            "RtlStringFromGUID",
            "ZwOpenKey",
            "ZwSetSecurityObject",
        ];
        assert_eq!(services(&sites), expected);
    }
}

/// What an operation deserves in which a service has failed, or none.
fn deserved(failed: Option<&Site>) -> Result<(), NtStatus> {
    match failed.map(|site| site.service) {
        // Nothing has failed, or what only the row's look depends on, once it was created.
        None | Some("GetAnycastIpAddressEntry") => Ok(()),
        // The only failure that it documents means that there is no such interface.
        Some("ConvertInterfaceIndexToLuid") => Err(NtStatus::NOT_FOUND),
        Some(_) => Err(NtStatus::INSUFFICIENT_RESOURCES),
    }
}

/// Runs one operation; it must end as it deserves, and change NetIO's addresses into `after` if it succeeds, else not at all.
fn step(bench: &Bench, faults: &Faults, after: &[Row], operation: impl FnOnce() -> Result<(), NtStatus>) {
    let (before, struck) = (bench.addresses(), faults.struck());
    let result = operation();
    let failed = faults.struck().filter(|site| struck.as_ref() != Some(site));
    assert_eq!(result, deserved(failed.as_ref()), "{failed:?}");
    assert_eq!(bench.addresses(), if result.is_ok() { after } else { &before }, "{failed:?}");
}

#[test]
fn a_failure_of_netio_leaves_an_operation_undone_or_done_whole() {
    let sites = Faults::at_every_site(|faults| {
        let bench = faults.suspended(|| Bench::with(Options { faults: faults.clone(), ..Options::default() }));
        for row in [on(ETHERNET, "192.0.2.1"), Row::on_index(address("192.0.2.1"), ETHERNET.index)] {
            step(&bench, faults, &[resolved(ETHERNET, "192.0.2.1")], || bench.create(row).map(drop));
            faults.suspended(|| bench.create(row)).ok();
            let present = bench.addresses();
            step(&bench, faults, &present, || match bench.table(AddressFamily::UNSPECIFIED, 4).0 {
                NtStatus::SUCCESS => Ok(()),
                status => Err(status),
            });
            step(&bench, faults, &[], || bench.delete(row));
            faults.suspended(|| bench.delete(row)).ok();
        }
    });
    let expected = [
        "ConvertInterfaceIndexToLuid",
        "CreateAnycastIpAddressEntry",
        "DeleteAnycastIpAddressEntry",
        "GetAnycastIpAddressEntry",
        "GetAnycastIpAddressTable",
    ];
    assert_eq!(services(&sites), expected);
    assert!(sites.len() > expected.len(), "some are reached in more than one way: {sites:?}");
}

#[test]
fn opening_needs_memory_alone_and_closing_nothing() {
    let sites = Faults::at_every_site(|faults| {
        let bench = faults.suspended(|| Bench::with(Options { faults: faults.clone(), ..Options::default() }));
        // More handles than the driver has kept claims ready for, so that each needs all that one can need.
        let opened: Vec<_> = (0..40).map(|number| Client::open(&bench.kernel, ProcessId(5000 + number))).collect();
        let failed: Vec<_> = opened.iter().filter_map(|opened| opened.as_ref().err()).collect();
        let expected = faults.struck().map(|_| NtStatus::INSUFFICIENT_RESOURCES);
        assert_eq!(failed, expected.as_ref().into_iter().collect::<Vec<_>>());
        // What is left of one that failed would be reported when the driver is unloaded.
    });
    assert_eq!(services(&sites), ["ExAllocatePool2"]);
}

/// Writes which pairs there were.
fn write_pairs(name: &str, runs: &[Vec<Site>]) {
    let mut pairs = Pairs::default();
    for run in runs {
        let [first, second] = run.as_slice() else {
            pairs.alone += 1;
            continue;
        };
        let same = |pair: &&mut (String, String, usize)| pair.0 == first.service && pair.1 == second.service;
        match pairs.pairs.iter_mut().find(same) {
            Some(pair) => pair.2 += 1,
            None => pairs.pairs.push((first.service.to_owned(), second.service.to_owned(), 1)),
        }
    }
    write(name, &pairs);
}

#[test]
fn two_failures_at_once_break_no_rule_and_leave_nothing() {
    let loading = Faults::at_every_pair(|faults| {
        let kernel = kernel(Options { faults: faults.clone(), ..Options::default() });
        match kernel.load(&image(), SERVICE_NAME) {
            // A driver whose events nobody can hear works as well.
            Ok(driver) => {
                assert!(faults.struck().is_none_or(|site| site.service == "EtwRegister") && driver.unload());
            }
            Err(_) => assert!(faults.struck().is_some()),
        }
        assert!(kernel.devices().is_empty() && kernel.links().is_empty());
        report::judged(&kernel);
        kernel.assert_clean();
    });
    let serving = Faults::at_every_pair(|faults| {
        let bench = faults.suspended(|| Bench::with(Options { faults: faults.clone(), ..Options::default() }));
        let row = Row::on_index(address("192.0.2.1"), ETHERNET.index);
        let created = bench.create(row).is_ok();
        assert_eq!(bench.addresses().len(), usize::from(created));
        let deleted = bench.delete(row).is_ok();
        assert_eq!(bench.addresses().len(), usize::from(created && !deleted));
    });
    write_pairs("while loading", &loading);
    write_pairs("while serving", &serving);
    assert!(loading.len() >= 7 && serving.iter().any(|sites| sites.len() == 2), "{loading:?} {serving:?}");
}
