//! How a handle ends: what a driver is sent, as the partner's journal tells it (`drivers/partner`).

use std::ops::Deref;
use std::process::{Child, Command};
use std::thread;
use std::time::{Duration, Instant};

use netio_anycast_client::{Access, DeviceTransport, Transport};
use netio_anycast_tests::partner::{
    CANCELLED, CLEANUP, CLEAR_JOURNAL, CLOSE, COMPLETE_LATE, COMPLETED, CREATE, Entry, JOURNAL_LENGTH, PEND, PENDED,
    READ_JOURNAL, entries,
};
use netio_model::Function;
use netio_model::control::wire::Name;
use winsafe::HEVENT;
use zerocopy::IntoBytes as _;

use crate::bench::{Bench, Driver, ETHERNET, on};
use crate::lifecycle::{Restart, service};
use crate::probe::{Probe, Verdict};

/// How long something may take that has to happen.
const PATIENCE: Duration = Duration::from_secs(30);

/// The partner, opened by this test.
struct Partner {
    device: DeviceTransport,
}

impl Partner {
    /// Opens it, and clears its journal.
    fn new() -> Self {
        let partner = Self { device: open() };
        partner.device.control(CLEAR_JOURNAL, &[], &mut []).expect("the journal can be cleared");
        partner
    }

    fn journal(&self) -> Vec<Entry> {
        let mut output = vec![0; JOURNAL_LENGTH * size_of::<Entry>()];
        let returned = self.device.control(READ_JOURNAL, &[], &mut output).expect("the journal can be read");
        entries(&output[..returned.length])
    }

    /// The file object of the first entry with this event, once there is one.
    fn file_of(&self, event: u32) -> u64 {
        let started = Instant::now();
        loop {
            if let Some(entry) = self.journal().iter().find(|entry| entry.event == event) {
                return entry.file;
            }
            assert!(started.elapsed() < PATIENCE, "event {event:#x} does not come: {:#x?}", self.journal());
            thread::yield_now();
        }
    }

    /// What happened to a file object until it was closed.
    fn history(&self, file: u64) -> Vec<u32> {
        let started = Instant::now();
        loop {
            let events: Vec<u32> =
                self.journal().into_iter().filter(|entry| entry.file == file).map(|entry| entry.event).collect();
            if events.contains(&CLOSE) {
                return events;
            }
            assert!(started.elapsed() < PATIENCE, "the file object is not closed: {events:#x?}");
            thread::yield_now();
        }
    }
}

fn open() -> DeviceTransport {
    DeviceTransport::open_path(r"\\.\kernel_partner", Access::ReadWrite).expect("the partner runs")
}

/// This program as another process, which leaves a request pending.
fn client() -> Child {
    let this = std::env::current_exe().expect("the program has a path");
    let arguments = ["--exact", "ending::leaves_a_request_pending", "--ignored"];
    Command::new(this).args(arguments).spawn().expect("the program can be started again")
}

#[test]
fn a_handle_that_is_closed_is_cleaned_up_first() {
    let partner = Partner::new();
    drop(open());
    let file = partner.file_of(CREATE);
    assert_eq!(partner.history(file), [CREATE, CLEANUP, CLOSE]);
}

#[test]
fn a_client_that_is_killed_has_its_requests_cancelled_and_its_handles_closed() {
    let partner = Partner::new();
    let mut client = client();
    let file = partner.file_of(PENDED);
    client.kill().expect("the client is alive");
    client.wait().expect("the client is dead");
    assert_eq!(partner.history(file), [CREATE, PENDED, CANCELLED, CLEANUP, CLOSE]);
}

#[test]
fn a_request_that_its_sender_cancels_ends_and_the_handle_stays() {
    let partner = Partner::new();
    let device = open();
    let request = device.begin(PEND, &[], 0).expect("the request can be sent");
    let file = partner.file_of(PENDED);
    request.cancel();
    let ended = request.wait(Some(PATIENCE)).expect("the request ends");
    assert_eq!(ended.expect_err("it was cancelled").win32.0, 995);
    drop(request);
    drop(device);
    assert_eq!(partner.history(file), [CREATE, PENDED, CANCELLED, CLEANUP, CLOSE]);
}

/// A named event that this program and the kernel host share; it is made if it is not there yet.
fn event(name: &str) -> impl Deref<Target = HEVENT> {
    HEVENT::CreateEvent(None, true, false, Some(&format!(r"Global\{name}"))).expect("the event can be created")
}

/// The names of two events, as the partner takes them.
fn names(go: &str, done: &str) -> Vec<u8> {
    let name = |name: &str| Name::new(&format!(r"\BaseNamedObjects\{name}")).expect("the name is short");
    [name(go), name(done)].as_bytes().to_vec()
}

/// Windows cancels no request that has ended. Wine does, if the cancellation waits in a queue while the request ends: without the
/// kernel extension it then calls whatever stands in memory where the request was.
#[test]
fn a_cancellation_that_comes_late_harms_nobody() {
    let bench = Bench::new();
    let partner = Partner::new();
    let [entered, release, go, done] = ["late-entered", "late-release", "late-go", "late-done"];
    let [is_entered, released] = [entered, release].map(event);
    let mut client = client();
    let file = partner.file_of(PENDED);
    partner.device.control(COMPLETE_LATE, &names(go, done), &mut []).expect("the partner waits for its event");
    let [goes, is_done] = [go, done].map(event);
    bench.model.gate(Function::Get, entered, release).expect("the gate can be set");
    thread::scope(|scope| {
        // The kernel host is busy with this, and what it is told meanwhile waits: that the client's request is to be cancelled.
        let busy = scope.spawn(|| Driver::open(Access::Read).get(on(ETHERNET, "192.0.2.1")));
        is_entered.WaitForSingleObject(None).expect("the call comes to NetIO");
        client.kill().expect("the client is alive");
        client.wait().expect("the client is dead");
        // Another thread ends the request now.
        goes.SetEvent().expect("the event is there");
        is_done.WaitForSingleObject(None).expect("the request ends");
        released.SetEvent().expect("the event is there");
        assert!(busy.join().expect("the call returns").is_err(), "there is no such address");
    });
    assert_eq!(partner.history(file), [CREATE, PENDED, COMPLETED, CLEANUP, CLOSE]);
}

#[test]
#[ignore = "the client that another test starts and kills"]
fn leaves_a_request_pending() {
    let device = open();
    let request = device.begin(PEND, &[], 0).expect("the request can be sent");
    let _ = request.wait(None);
}

#[test]
fn a_driver_is_not_unloaded_while_another_driver_has_its_device_open() {
    let partner = service("kernel_partner");
    let probe = Probe::open();
    assert!(matches!(probe.run("holds_partner"), Ok(Verdict::Right(_))), "the probe opens the partner's device");
    // Restarted when this ends, by whatever way.
    let restart = Restart::stop(&partner);
    assert!(matches!(probe.run("releases_partner"), Ok(Verdict::Right(_))), "the probe uses it and closes it");
    let started = Instant::now();
    while DeviceTransport::open_path(r"\\.\kernel_partner", Access::Read).is_ok() {
        assert!(started.elapsed() < PATIENCE, "the partner does not go once its device is closed");
        thread::yield_now();
    }
    drop(restart);
    drop(Partner::new());
}
