//! The drivers among the samples, installed through their INFs beside the driver: started and stopped by the service manager.
//!
//! `cargo xtask samples` installs them; they are no part of the other tests' surroundings.

use std::ffi::OsStr;

use netio_anycast_client::{Access, Client, DeviceTransport, LeaseSelection};
use netio_anycast_protocol::SERVICE_NAME;
use netio_anycast_protocol::row::Row;
use windows_service::service::ServiceState;

use crate::bench::{ETHERNET, Simulation, resolved};
use crate::lifecycle::{Restart, service, wait_for};

/// The services of the samples.
const SAMPLES: [&str; 2] = ["anycast_client_c", "anycast_client_rust"];
/// What each holds while it is loaded.
const HELD: [&str; 2] = ["192.0.2.53", "192.0.2.54"];

fn held() -> Vec<Row> {
    HELD.map(|text| resolved(ETHERNET, text)).to_vec()
}

fn connect() -> Client<DeviceTransport> {
    Client::connect(DeviceTransport::open(Access::ReadWrite).expect("the driver runs"))
        .expect("it speaks this protocol")
}

/// Waits until a sample holds its addresses and nothing else: a system thread is at it.
fn until_held(simulation: &Simulation) {
    let client = connect();
    loop {
        let generation = client.statistics().expect("the counters can be read").generation;
        if simulation.addresses() == held() {
            return;
        }
        let _ = client.wait_change(generation).expect("there is another change to come");
    }
}

#[test]
#[ignore = "needs the samples installed: cargo xtask samples"]
fn a_sample_holds_its_addresses_for_as_long_as_it_is_loaded() {
    for name in SAMPLES {
        let simulation = Simulation::new();
        let sample = service(name);
        sample.start::<&OsStr>(&[]).expect("the sample can be started");
        until_held(&simulation);
        let leases = connect().leases(LeaseSelection::default()).expect("leases can be listed").leases;
        assert_eq!(leases.iter().map(|lease| lease.entry.address.to_string()).collect::<Vec<_>>(), HELD, "{name}");
        sample.stop().expect("the sample can be stopped");
        wait_for(&sample, ServiceState::Stopped);
        assert_eq!(simulation.addresses(), [], "{name}");
    }
}

/// Wine starts a service whose dependencies do not run.
#[test]
#[ignore = "needs the samples installed: cargo xtask samples"]
fn a_sample_that_is_started_first_hears_of_the_driver() {
    for name in SAMPLES {
        let simulation = Simulation::new();
        let (driver, sample) = (service(SERVICE_NAME), service(name));
        let stopped = Restart::stop(&driver);
        sample.start::<&OsStr>(&[]).expect("the sample can be started");
        wait_for(&sample, ServiceState::Running);
        assert_eq!(simulation.addresses(), [], "{name}");
        drop(stopped);
        until_held(&simulation);
        sample.stop().expect("the sample can be stopped");
        wait_for(&sample, ServiceState::Stopped);
        assert_eq!(simulation.addresses(), [], "{name}");
    }
}
