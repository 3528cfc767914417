//! Who waits for whose call of NetIO: whoever asks for the same address, in the order of arrival, and nobody else.

use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use netio_anycast_engine::host_driver::{ModelNetio, ModelTable};
use netio_anycast_engine::host_kernel::{HostBlock, HostEvent, HostKernel, HostLock};
use netio_anycast_engine::{Engine, Event, HandleId, Kernel, Limits, Netio, SystemBuffer, TraceEvent};
use netio_anycast_protocol::address::{AddressFamily, Luid};
use netio_anycast_protocol::apply::{ApplyAction, ApplyFlags, ApplyItem, ApplyRequest};
use netio_anycast_protocol::create::{CreateRequest, DeleteRequest, Lifetime};
use netio_anycast_protocol::operation::Operation;
use netio_anycast_protocol::row::Row;
use netio_anycast_protocol::status::NtStatus;
use netio_anycast_protocol::table::TableFilter;
use netio_model::Model;
use zerocopy::IntoBytes;

use crate::system::{ETHERNET, ETHERNET_INDEX, PROCESS, interface, on_ethernet};

/// Longer than anything takes that happens at all.
const FOREVER: Duration = Duration::from_mins(1);

fn happens(what: &Receiver<()>) {
    what.recv_timeout(FOREVER).expect("it happens");
}

/// The address whose first creation NetIO takes its time for.
fn slow() -> Row {
    on_ethernet("192.0.2.1")
}

/// NetIO, which tells when it is asked to create [`slow`] for the first time, and goes on when it is let.
struct SlowNetio {
    model: ModelNetio,
    asked: Sender<()>,
    go_on: Mutex<Option<Receiver<()>>>,
    /// What it was asked to do to [`slow`], in order.
    calls: Mutex<Vec<&'static str>>,
}

impl SlowNetio {
    fn note(&self, row: &Row, call: &'static str) {
        if *row == slow() {
            self.calls.lock().expect("nobody panics").push(call);
        }
    }
}

/// For the engine, which has it for itself.
#[derive(Clone)]
struct Shared(Arc<SlowNetio>);

impl Netio for Shared {
    type PassiveLevel = ();
    type Table = ModelTable;

    fn create(&self, level: (), row: &Row) -> NtStatus {
        self.0.note(row, "create");
        if *row == slow() {
            let first = self.0.go_on.lock().expect("nobody panics").take();
            if let Some(go_on) = first {
                self.0.asked.send(()).expect("the test waits for it");
                happens(&go_on);
            }
        }
        self.0.model.create(level, row)
    }

    fn delete(&self, level: (), row: &Row) -> NtStatus {
        self.0.note(row, "delete");
        self.0.model.delete(level, row)
    }

    fn get(&self, level: (), row: &mut Row) -> NtStatus {
        self.0.model.get(level, row)
    }

    fn table(&self, level: (), family: AddressFamily) -> Result<ModelTable, NtStatus> {
        self.0.model.table(level, family)
    }

    fn luid_from_index(&self, level: (), index: u32) -> Result<Luid, NtStatus> {
        self.0.model.luid_from_index(level, index)
    }

    fn index_from_luid(&self, level: (), luid: Luid) -> Result<u32, NtStatus> {
        self.0.model.index_from_luid(level, luid)
    }
}

/// A kernel that tells when somebody begins to wait for their turn.
struct TellingKernel {
    host: HostKernel,
    waits: Sender<()>,
}

#[derive(Clone)]
struct TellingEvent {
    host: HostEvent,
    waits: Sender<()>,
}

impl Event for TellingEvent {
    fn set(&self) {
        self.host.set();
    }

    fn wait(&self) {
        self.waits.send(()).expect("the test waits for it");
        self.host.wait();
    }
}

impl Kernel for TellingKernel {
    type Block<T: Default + Send> = HostBlock<T>;
    type Lock<T: Send> = HostLock<T>;
    type Event = TellingEvent;

    fn allocate<T: Default + Send>(&self, count: usize) -> Option<HostBlock<T>> {
        self.host.allocate(count)
    }

    fn lock<T: Send>(&self, value: T) -> Option<HostLock<T>> {
        self.host.lock(value)
    }

    fn event(&self) -> Option<TellingEvent> {
        Some(TellingEvent { host: self.host.event()?, waits: self.waits.clone() })
    }

    fn now(&self) -> u64 {
        self.host.now()
    }

    fn defer(&self, delay: u64) {
        self.host.defer(delay);
    }

    fn wake_waits(&self) {
        self.host.wake_waits();
    }

    fn is_tracing(&self) -> bool {
        false
    }

    fn trace(&self, _: &TraceEvent) {}
}

/// A handle to a driver over the two.
struct Client {
    engine: Arc<Engine<Shared, TellingKernel>>,
    handle: HandleId,
}

impl Client {
    fn send(&self, operation: Operation, input: &[u8], room: usize) -> NtStatus {
        let mut bytes = vec![0; input.len().max(room)];
        bytes[..input.len()].copy_from_slice(input);
        let buffer = SystemBuffer { bytes: &mut bytes, input_length: input.len(), output_length: room };
        self.engine.serve((), self.handle, operation.definition().control_code(), buffer).status
    }

    fn create(&self, row: Row, lifetime: Lifetime) -> NtStatus {
        let request = CreateRequest { row, lifetime: lifetime as u32, flags: 0 };
        self.send(Operation::Create, request.as_bytes(), size_of::<Row>())
    }

    fn delete(&self, row: Row) -> NtStatus {
        self.send(Operation::Delete, DeleteRequest { row, flags: 0, reserved: 0 }.as_bytes(), 0)
    }

    /// Creates two addresses at once.
    fn create_both(&self, rows: [Row; 2]) -> NtStatus {
        let item = |row| ApplyItem { row, action: ApplyAction::Create as u32, lifetime: 0, flags: 0, reserved: 0 };
        let request = ApplyRequest { flags: ApplyFlags::ATOMIC.bits(), count: 2 };
        self.send(Operation::Apply, &[request.as_bytes(), rows.map(item).as_bytes()].concat(), 8 + 2 * 16)
    }
}

#[test]
fn who_wants_the_same_address_waits_in_order_and_who_wants_another_does_not_wait() {
    let (asked, was_asked) = mpsc::channel();
    let (go_on, may_go_on) = mpsc::channel();
    let (waits, begins_to_wait) = mpsc::channel();
    let mut model = Model::new();
    model.add_interface(interface(ETHERNET, ETHERNET_INDEX)).expect("the only interface");
    let netio = Arc::new(SlowNetio {
        model: ModelNetio::new(model),
        asked,
        go_on: Mutex::new(Some(may_go_on)),
        calls: Mutex::default(),
    });
    let kernel = TellingKernel { host: HostKernel::new(), waits };
    let engine = Engine::new(Shared(Arc::clone(&netio)), kernel, Limits::DEFAULT).expect("the host has memory");
    let engine = Arc::new(engine);
    let client = || Client { engine: Arc::clone(&engine), handle: engine.open(PROCESS).expect("memory") };
    let calls = || netio.calls.lock().expect("nobody panics").clone();
    let succeeds = |status| assert_eq!(status, NtStatus::SUCCESS);
    thread::scope(|scope| {
        let mut under_way = vec![scope.spawn(|| succeeds(client().create(slow(), Lifetime::Unowned)))];
        happens(&was_asked);

        let other = client();
        let another = on_ethernet("2001:db8::1");
        for lifetime in [Lifetime::Unowned, Lifetime::Handle] {
            succeeds(other.create(another, lifetime));
            succeeds(other.send(Operation::Get, another.as_bytes(), size_of::<Row>()));
            succeeds(other.delete(another));
        }
        succeeds(other.create_both([another, on_ethernet("192.0.2.2")]));
        succeeds(other.send(Operation::GetTable, TableFilter::ALL.as_bytes(), 200));
        assert_eq!(other.send(Operation::Get, slow().as_bytes(), size_of::<Row>()), NtStatus::NOT_FOUND);
        assert_eq!(calls(), ["create"], "NetIO is still busy with it");

        under_way.push(scope.spawn(|| succeeds(client().delete(slow()))));
        happens(&begins_to_wait);
        under_way.push(scope.spawn(|| {
            let leasing = client();
            succeeds(leasing.create(slow(), Lifetime::Handle));
            succeeds(leasing.delete(slow()));
        }));
        happens(&begins_to_wait);
        assert!(under_way.iter().all(|request| !request.is_finished()));
        assert_eq!(calls(), ["create"], "nobody else has asked NetIO");

        go_on.send(()).expect("NetIO waits for it");
        for request in under_way {
            request.join().expect("it succeeds");
        }
    });
    assert_eq!(calls(), ["create", "delete", "create", "delete"]);
}
