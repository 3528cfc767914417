//! The samples beside the driver, as they are shipped.

use std::collections::BTreeMap;

use kernel_sim::{Driver, Faults, Image, Kernel, LoadError, Options, ProcessId, Registry, Work};
use netio_anycast_protocol::SERVICE_NAME;
use netio_anycast_protocol::row::Row;
use netio_anycast_protocol::status::NtStatus;

use super::build;
use crate::bench::{ETHERNET, image, kernel, resolved, settle};
use crate::client::Client;
use crate::report::{self, Race};
use crate::schedules::schedules;

/// What a sample holds while it is loaded.
const HELD: [&str; 2] = ["192.0.2.53", "192.0.2.54"];

/// A sample: the name of its service, and its image.
struct Sample {
    name: &'static str,
    image: Image,
}

fn samples() -> [Sample; 2] {
    [
        Sample { name: "anycast_client_c", image: build::sample_in_c() },
        Sample { name: "anycast_client_rust", image: build::sample_in_rust() },
    ]
}

/// A registry with the service's keys, as its INF makes them.
fn registry(service: &str) -> Registry {
    const REG_DWORD: u32 = 4;
    let key = format!(r"\Registry\Machine\System\CurrentControlSet\Services\{service}");
    let index = ("InterfaceIndex".to_owned(), (REG_DWORD, ETHERNET.index.to_le_bytes().to_vec()));
    Registry::from([(format!(r"{key}\Parameters"), BTreeMap::from([index])), (key, BTreeMap::new())])
}

/// A kernel for the driver and this sample.
fn kernel_for(sample: &Sample, options: Options) -> Kernel {
    kernel(Options { registry: registry(sample.name), ..options })
}

fn load(kernel: &Kernel, sample: &Sample) -> Driver {
    kernel.load(&sample.image, sample.name).expect("the sample loads")
}

fn load_driver(kernel: &Kernel) -> Driver {
    kernel.load(&image(), SERVICE_NAME).expect("the driver loads")
}

fn addresses(kernel: &Kernel) -> Vec<Row> {
    kernel.netio(|model| model.entries().collect())
}

fn held() -> Vec<Row> {
    HELD.map(|text| resolved(ETHERNET, text)).to_vec()
}

/// Waits until a sample holds its addresses: a system thread is at it.
fn until_held(kernel: &Kernel) {
    settle(kernel);
    assert_eq!(addresses(kernel), held());
}

fn end(kernel: &Kernel) {
    report::judged(kernel);
    assert!(addresses(kernel).is_empty(), "nothing is left: {:?}", addresses(kernel));
    assert!(kernel.devices().is_empty(), "no device is left: {:?}", kernel.devices());
    kernel.assert_clean();
}

#[test]
fn a_sample_holds_its_addresses_for_as_long_as_it_is_loaded() {
    for sample in samples() {
        let kernel = kernel_for(&sample, Options::default());
        let driver = load_driver(&kernel);
        let client = load(&kernel, &sample);
        until_held(&kernel);
        let observer = Client::open(&kernel, ProcessId(1234)).expect("the device can be opened");
        let (status, _, leases) = observer.leases(4);
        assert_eq!(status, NtStatus::SUCCESS);
        assert_eq!(leases.iter().map(|lease| lease.row).collect::<Vec<_>>(), held(), "{}", sample.name);
        drop(observer);
        assert!(client.unload());
        assert!(addresses(&kernel).is_empty(), "{}", sample.name);
        settle(&kernel);
        assert!(driver.unload());
        end(&kernel);
    }
}

#[test]
fn a_sample_that_is_loaded_first_hears_of_the_driver() {
    for sample in samples() {
        let kernel = kernel_for(&sample, Options::default());
        let client = load(&kernel, &sample);
        let driver = load_driver(&kernel);
        until_held(&kernel);
        assert!(client.unload());
        settle(&kernel);
        assert!(driver.unload());
        end(&kernel);
    }
}

#[test]
fn a_sample_is_loaded_and_unloaded_without_the_driver() {
    for sample in samples() {
        let kernel = kernel_for(&sample, Options::default());
        assert!(load(&kernel, &sample).unload());
        end(&kernel);
    }
}

/// The driver does not go under its client, but with it.
#[test]
fn the_driver_is_unloaded_when_the_sample_is() {
    for sample in samples() {
        let kernel = kernel_for(&sample, Options::default());
        let driver = load_driver(&kernel);
        let client = load(&kernel, &sample);
        until_held(&kernel);
        assert!(!driver.unload(), "{} has it", sample.name);
        assert_eq!(addresses(&kernel), held(), "{}", sample.name);
        assert!(client.unload());
        settle(&kernel);
        assert!(driver.unload(), "it is gone");
        end(&kernel);
    }
}

#[test]
fn a_sample_without_its_interface_does_not_load() {
    for sample in samples() {
        let kernel = kernel(Options::default());
        let result = kernel.load(&sample.image, sample.name).map(drop);
        let not_found = matches!(result, Err(LoadError::DriverEntry(NtStatus::OBJECT_NAME_NOT_FOUND)));
        assert!(not_found, "{}: {result:?}", sample.name);
        end(&kernel);
    }
}

/// Whatever fails, once, in the sample or in the driver under it: nothing is left of it.
#[test]
fn whatever_fails_a_sample_leaves_nothing() {
    for sample in samples() {
        let sites = Faults::at_every_site(|faults| {
            let kernel = kernel_for(&sample, Options { faults: faults.clone(), ..Options::default() });
            let driver = faults.suspended(|| load_driver(&kernel));
            match kernel.load(&sample.image, sample.name) {
                Ok(client) => {
                    settle(&kernel);
                    assert!(client.unload());
                    settle(&kernel);
                }
                Err(LoadError::DriverEntry(_)) => assert!(faults.struck().is_some()),
                Err(error) => panic!("{}: {error}", sample.name),
            }
            assert!(faults.suspended(|| driver.unload()), "{:?}", faults.struck());
            end(&kernel);
        });
        let services: Vec<_> = sites.iter().map(|site| site.service).collect();
        for service in ["ExCreateCallback", "IoGetDeviceObjectPointer", "IoAllocateIrp", "IoSetCompletionRoutineEx"] {
            assert!(services.contains(&service), "{}: {services:?}", sample.name);
        }
    }
}

/// Both come and go at any moment, in any order.
#[test]
fn both_may_be_loaded_and_unloaded_at_any_moment() {
    let mut race = Race::new("both_may_be_loaded_and_unloaded_at_any_moment", 2 * schedules(200));
    for sample in samples() {
        for seed in 0..schedules(200) {
            let kernel = kernel_for(&sample, Options::default());
            let (mut driver, mut client) = (None, None);
            let load_driver: Work<'_> = Box::new(|| driver = Some(load_driver(&kernel)));
            let come_and_go: Work<'_> = Box::new(|| {
                assert!(load(&kernel, &sample).unload(), "seed {seed}");
                client = Some(load(&kernel, &sample));
            });
            race.run(seed, vec![load_driver, come_and_go]);
            assert!(client.expect("it is loaded").unload(), "seed {seed}");
            settle(&kernel);
            assert!(driver.expect("it is loaded").unload(), "seed {seed}");
            end(&kernel);
        }
    }
}
