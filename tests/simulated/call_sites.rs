//! Whether the tests of failures are complete: every place in the image's code that calls a service which may fail has seen it
//! fail, and the driver survived.

use std::collections::BTreeSet;

use kernel_sim::{CallSite, DesiredAccess, Faults, Image, Options, Registry, Site};
use netio_anycast_protocol::SERVICE_NAME;
use netio_anycast_protocol::operation::Operation;
use netio_anycast_protocol::row::Row;
use netio_anycast_protocol::table::TableFilter;
use zerocopy::IntoBytes as _;

use crate::bench::{Bench, ETHERNET, address, class_setting, image, kernel, on};

/// Functions whose calls can't be reached, each with the reason.
const UNREACHABLE: [(&str, &str); 1] =
    [("netio_anycast::pool::ExAllocatePool2", "the symbol is exported, and so kept; who calls it has it inlined")];

/// Whether a call is in one of those functions themselves, not in what they were inlined into.
fn is_unreachable(image: &Image, site: &CallSite) -> bool {
    let symbol = image.symbol(site.offset).unwrap_or_default();
    let outermost = symbol.rsplit(" in ").next().unwrap_or_default();
    UNREACHABLE.iter().any(|(function, _reason)| outermost.starts_with(&format!("{function}(")))
}

/// Loads and unloads the driver, with a failure from every call stack.
fn fail_while_loading(allocate_pool2: bool, registry: &Registry) -> Vec<Site> {
    Faults::at_every_site(|faults| {
        let options =
            Options { faults: faults.clone(), allocate_pool2, registry: registry.clone(), ..Options::default() };
        let kernel = kernel(options);
        match kernel.load(&image(), SERVICE_NAME) {
            Ok(driver) => assert!(driver.unload()),
            Err(error) => assert!(faults.struck().is_some(), "{error}"),
        }
        assert!(kernel.devices().is_empty() && kernel.links().is_empty());
        kernel.assert_clean();
    })
}

/// Every operation, with a failure from every call stack.
fn fail_while_serving() -> Vec<Site> {
    Faults::at_every_site(|faults| {
        let bench = faults.suspended(|| Bench::with(Options { faults: faults.clone(), ..Options::default() }));
        for row in [on(ETHERNET, "192.0.2.1"), Row::on_index(address("192.0.2.2"), ETHERNET.index)] {
            // What each deserves is told in `faults`; here every path is walked.
            let _ = (bench.create(row), bench.get(row));
            for filter in [
                TableFilter::ALL,
                TableFilter { luid: ETHERNET.luid, ..TableFilter::ALL },
                TableFilter { index: ETHERNET.index, ..TableFilter::ALL },
            ] {
                let _ = bench.send(Operation::GetTable, filter.as_bytes(), 256);
            }
            let _ = bench.delete(row);
        }
    })
}

#[test]
fn every_call_of_a_service_that_may_fail_has_failed() {
    let setting = kernel_sim::descriptor(&[(DesiredAccess::READ, "BA")]);
    let mut failed = fail_while_serving();
    for registry in [Registry::new(), class_setting(None), class_setting(Some(setting))] {
        for allocate_pool2 in [true, false] {
            failed.extend(fail_while_loading(allocate_pool2, &registry));
        }
    }
    let failed: BTreeSet<Option<usize>> = failed.iter().map(|site| site.stack.first().copied()).collect();
    let image = image();
    let sites = image.fallible_call_sites().expect("the image is whole");
    assert!(!sites.is_empty(), "the driver calls something");
    let untried = sites.iter().filter(|site| !failed.contains(&site.returns_to));
    let never: Vec<&CallSite> = untried.filter(|site| !is_unreachable(&image, site)).collect();
    assert!(never.is_empty(), "calls that no test has seen fail: {never:#x?}");
}
