//! The events that drivers write.

use netio_anycast_client::Access;
use netio_anycast_protocol::SERVICE_NAME;

use crate::bench::{Driver, ETHERNET, Simulation, on};
use crate::events::{Datum, Event, Session};
use crate::lifecycle::{Restart, service};
use crate::probe::{Probe, Verdict};

/// The provider of `drivers/probe/tracing.c`.
const PROBE: [u8; 16] =
    [0x5C, 0x2A, 0x0D, 0x2D, 0x9B, 0x2E, 0x7B, 0x4F, 0x9A, 0x57, 0x0F, 0x6D, 0x7B, 0x1C, 0x9A, 0x11];

#[test]
fn what_a_driver_writes_comes_to_a_session_that_listens() {
    let session = Session::new();
    let verdict = Probe::open().run("tracing").expect("the probe runs the check");
    assert!(matches!(verdict, Verdict::Right(met) if met > 0), "{verdict}");
    let one = Datum { kind: 0, bytes: b"one".to_vec() };
    let three = Datum { kind: 2, bytes: b"three".to_vec() };
    let event = |id, data| Event { provider: PROBE, id, channel: 11, level: 4, keyword: 0x10, data };
    assert_eq!(session.events(), [event(8, vec![one.clone()]), event(9, vec![one, three])]);
}

#[test]
fn the_driver_tells_of_every_change() {
    let simulation = Simulation::new();
    let session = Session::new();
    let service = service(SERVICE_NAME);
    drop(Restart::stop(&service));
    let driver = Driver::open(Access::ReadWrite);
    let before = driver.statistics().generation;
    driver.create(on(ETHERNET, "192.0.2.1")).expect("the address is new");
    driver.delete(on(ETHERNET, "192.0.2.1")).expect("the address is there");
    drop(driver);
    let told: Vec<_> = session.events().iter().map(Event::decoded).collect();
    assert!(told.iter().all(|event| event.provider == "NetioAnycast"), "{told:#?}");
    let what = format!("InterfaceLuid={:#018x} Address=192.0.2.1", ETHERNET.luid.0);
    let process = std::process::id();
    let expected = [
        format!(
            "AddressCreated {what} Lifetime=0 Shared=false ProcessId=process:{process} Generation={}u64",
            before + 1
        ),
        format!("AddressDeleted {what} ProcessId=process:{process} Generation={}u64", before + 2),
    ];
    assert_eq!(told.iter().map(ToString::to_string).collect::<Vec<_>>(), expected);
    // Without a session the driver writes nothing, and goes on.
    drop(session);
    drop(Restart::stop(&service));
    Driver::open(Access::ReadWrite).create(on(ETHERNET, "192.0.2.1")).expect("the address is new");
    drop(simulation);
}
