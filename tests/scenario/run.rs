//! The interpreter.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use netio_anycast_client::OsError;
use netio_anycast_protocol::operation::{Definition, OPERATIONS, Operation};
use netio_anycast_protocol::status::NtStatus;
use netio_anycast_protocol::wait::Generation;
use netio_model::Function;

use super::request::Sender;
use super::{AccessName, DeviceName, Host, Input, Reply, Scenario, Step, render};
use crate::partner::{self, Entry};

/// What a line of the transcript begins with where other lines may be around it.
pub const LINE_MARK: &str = "transcript| ";

/// What has the partner let a request pend.
const PEND: &str = "PEND";

/// What NetIO is called for while somebody waits for a change, as often as there is time for.
const DEPENDS_ON_TIME: [Function; 2] = [Function::Table, Function::FreeTable];

/// How long something may take that has to happen.
const PATIENCE: Duration = Duration::from_secs(30);

/// The bytes by which [`Step::InputLengths`] goes beyond what is right.
const TOO_LONG: usize = 9;

/// Runs the scenario, and returns the transcript.
///
/// # Panics
/// If the scenario contradicts itself, for example names a handle that is not open, or if what a step waits for does not come.
#[must_use]
pub fn run<H: Host>(scenario: &Scenario, host: &H) -> Vec<String> {
    run_steps(scenario, &scenario.steps, host).0
}

/// Runs the steps of a client, in whose place `host` is. Returns the transcript, and what has to stay until the client is killed.
///
/// # Panics
/// As [`run`], and if there is no such client.
#[must_use]
pub fn run_client<H: Host>(scenario: &Scenario, client: &str, host: &H) -> (Vec<String>, Opened<H>) {
    run_steps(scenario, scenario.client(client), host)
}

fn run_steps<H: Host>(scenario: &Scenario, steps: &[Step], host: &H) -> (Vec<String>, Opened<H>) {
    let opened = Opened { handles: BTreeMap::new(), pending: BTreeMap::new(), clients: BTreeMap::new() };
    let mut run = Run { scenario, host, opened, generation: Generation(0), lines: Vec::new() };
    for step in steps {
        run.step(step);
    }
    (run.lines, run.opened)
}

/// What a process has open, by its names in the scenario.
pub struct Opened<H: Host> {
    handles: BTreeMap<String, H::Handle>,
    pending: BTreeMap<String, Pending<H>>,
    clients: BTreeMap<String, H::Client>,
}

impl<H: Host> Opened<H> {
    fn handle(&self, name: &str) -> &H::Handle {
        self.handles.get(name).unwrap_or_else(|| panic!("no handle {name:?} is open"))
    }
}

/// A request that may be pending.
struct Pending<H: Host> {
    handle: String,
    operation: Option<Operation>,
    request: H::Pending,
}

/// A scenario under way, in one process.
struct Run<'a, H: Host> {
    scenario: &'a Scenario,
    host: &'a H,
    opened: Opened<H>,
    /// The generation that a reply has told last.
    generation: Generation,
    /// The transcript so far.
    lines: Vec<String>,
}

impl<H: Host> Run<'_, H> {
    fn step(&mut self, step: &Step) {
        match step {
            Step::Open { handle, access, device, below } => self.open(handle, *access, *device, below),
            Step::Create { name } => {
                self.line(&format!("IRP_MJ_CREATE {name:?}"), &render::status(self.host.create(name)));
            }
            Step::Close { handle } => self.close(handle),
            Step::Control { handle, operation, input, output } => {
                let definition = definition(operation);
                let bytes = input.bytes(self.scenario, self.sender());
                let length = output.unwrap_or(definition.output.fixed);
                let label = format!("{operation} by {handle}, {input}, room {length}");
                let reply = self.send(handle, definition.control_code(), &bytes, length);
                self.reply(&label, Some(definition.operation), &reply);
            }
            Step::Begin { .. }
            | Step::Cancel { .. }
            | Step::Finish { .. }
            | Step::CompletePended { .. }
            | Step::Journal { .. } => self.pending(step),
            Step::Client { client, .. } => self.client(client),
            Step::Kill { client } => {
                let killed = self.opened.clients.remove(client);
                let killed = killed.unwrap_or_else(|| panic!("no client {client:?} is there"));
                self.host.kill(killed);
                self.line(&format!("kill {client}"), "killed");
            }
            Step::AwaitAddresses { count } => self.await_addresses(*count),
            Step::InputLengths { handle, operation } => self.input_lengths(handle, definition(operation)),
            Step::OutputLengths { handle, operation } => self.output_lengths(handle, definition(operation)),
            Step::CodeBits { handle, operation } => self.code_bits(handle, definition(operation)),
            Step::Netio { timed } => self.netio(*timed),
            arrangement => self.arrange(arrangement),
        }
    }

    fn open(&mut self, handle: &str, access: AccessName, device: DeviceName, below: &str) {
        let status = match self.host.open(device, below, access) {
            Ok(opened) => {
                self.opened.handles.insert(handle.to_owned(), opened);
                NtStatus::SUCCESS
            }
            Err(status) => status,
        };
        let of = if device == DeviceName::Partner { " of the partner" } else { "" };
        self.line(&format!("open {handle}{of} {access:?} {below:?}"), &render::status(status));
    }

    fn close(&mut self, handle: &str) {
        let Opened { handles, pending, .. } = &mut self.opened;
        let closed = handles.remove(handle).unwrap_or_else(|| panic!("no handle {handle:?} is open"));
        let through = pending.extract_if(.., |_, pending| pending.handle == handle);
        self.host.close(closed, through.map(|(_, pending)| pending.request).collect());
        self.line(&format!("close {handle}"), "closed");
    }

    /// A step that has to do with requests that pend.
    fn pending(&mut self, step: &Step) {
        match step {
            Step::Begin { request, handle, operation, input } => self.begin(request, handle, operation, input),
            Step::Cancel { request } => {
                let pending = self.opened.pending.get(request);
                let pending = pending.unwrap_or_else(|| panic!("no request {request:?} is pending"));
                self.host.cancel(self.opened.handle(&pending.handle), &pending.request);
                self.line(&format!("cancel {request}"), "cancelled");
            }
            Step::Finish { request } => {
                let pending = self.opened.pending.remove(request);
                let pending = pending.unwrap_or_else(|| panic!("no request {request:?} is pending"));
                let reply = self.host.finish(self.opened.handle(&pending.handle), pending.request);
                self.reply(&format!("the end of {request}"), pending.operation, &reply);
            }
            Step::CompletePended { handle } => {
                let reply = self.send(handle, partner::COMPLETE_PENDED, &[], 0);
                self.reply(&format!("complete what pends by {handle}"), None, &reply);
            }
            Step::Journal { handle, closed } => self.journal(handle, *closed),
            other => unreachable!("{other:?} has nothing to do with requests that pend"),
        }
    }

    fn begin(&mut self, request: &str, handle: &str, operation: &str, input: &Input) {
        let (code, room, known) = if operation == PEND {
            (partner::PEND, 0, None)
        } else {
            let definition = definition(operation);
            (definition.control_code(), definition.output.fixed, Some(definition.operation))
        };
        let bytes = input.bytes(self.scenario, self.sender());
        let pending = self.host.begin(self.opened.handle(handle), code, &bytes, room);
        // Whatever is sent behind it comes behind it: now it has come to the driver.
        drop(self.send(handle, Operation::QueryVersion.definition().control_code(), &[], 0));
        let pending = Pending { handle: handle.to_owned(), operation: known, request: pending };
        self.opened.pending.insert(request.to_owned(), pending);
        self.line(&format!("begin {request}: {operation} by {handle}, {input}"), "begun");
    }

    fn journal(&mut self, handle: &str, closed: usize) {
        let room = partner::JOURNAL_LENGTH * size_of::<Entry>();
        let read = |run: &Self| partner::entries(&run.send(handle, partner::READ_JOURNAL, &[], room).output);
        let is_closed = |entry: &&Entry| entry.event == partner::CLOSE;
        let mut entries = Vec::new();
        let came = in_time(|| {
            entries = read(self);
            entries.iter().filter(is_closed).count() >= closed
        });
        assert!(came, "{closed} file objects are not closed: {:#?}", render::journal(&entries));
        let reply = self.send(handle, partner::CLEAR_JOURNAL, &[], 0);
        for (number, line) in render::journal(&entries).iter().enumerate() {
            self.line(&format!("journal, entry {}", number + 1), line);
        }
        self.reply("forget the journal", None, &reply);
    }

    fn client(&mut self, name: &str) {
        let (client, lines) = self.host.client(self.scenario, name);
        self.opened.clients.insert(name.to_owned(), client);
        self.lines.extend(lines.iter().map(|line| format!("in {name}: {line}")));
    }

    fn await_addresses(&mut self, count: usize) {
        let came = in_time(|| self.host.model().entries().is_ok_and(|entries| entries.len() == count));
        assert!(came, "NetIO does not come to have {count} addresses: {:?}", self.host.model().entries());
        self.line("NetIO's addresses", &count.to_string());
    }

    fn arrange(&mut self, step: &Step) {
        let model = self.host.model();
        let done = match step {
            Step::AddInterface { interface } => model.add_interface(self.scenario.interface(interface)),
            Step::RemoveInterface { interface } => model.remove_interface(self.scenario.interface(interface).luid),
            Step::Configure(settings) => model.configure(settings.settings()),
            Step::Fault(fault) => model.plan(fault.fault()),
            Step::Insert { address, interface } => {
                let luid = self.scenario.interface(interface).luid;
                model.insert(&netio_anycast_protocol::row::Row::on_luid(*address, luid))
            }
            Step::Populate { interface, family, count } => {
                model.populate(self.scenario.interface(interface).luid, family.address_family(), *count)
            }
            other => unreachable!("{other:?} arranges nothing"),
        };
        let status = done.map_or_else(|OsError { status, .. }| status, |()| NtStatus::SUCCESS);
        self.line(&format!("{step:?}"), &render::status(status));
    }

    fn netio(&mut self, timed: bool) {
        let model = self.host.model();
        let (state, entries) = match (model.state(), model.entries()) {
            (Ok(state), Ok(entries)) => (state, entries),
            (state, entries) => panic!("the model does not tell its state: {:?} {:?}", state.err(), entries.err()),
        };
        for function in Function::ALL.into_iter().filter(|function| !(timed && DEPENDS_ON_TIME.contains(function))) {
            self.line(&format!("calls of {function}"), &state.calls[function as usize].to_string());
        }
        self.line("tables not freed", &state.outstanding_tables.to_string());
        self.line("tables freed again", &state.double_frees.to_string());
        self.line("tables that were none", &state.unknown_frees.to_string());
        self.line("faults to come", &state.remaining_faults.to_string());
        self.line("addresses in NetIO", &entries.len().to_string());
        for row in &entries {
            self.line("address in NetIO", &render::row(row));
        }
    }

    fn input_lengths(&mut self, handle: &str, definition: &Definition) {
        for length in 0..=definition.input.fixed + TOO_LONG {
            let reply = self.send(handle, definition.control_code(), &vec![0; length], definition.output.fixed);
            let label = format!("{} by {handle}, {length} zeros", definition.name);
            self.reply(&label, Some(definition.operation), &reply);
        }
    }

    fn output_lengths(&mut self, handle: &str, definition: &Definition) {
        let input = vec![0; definition.input.fixed];
        for length in 0..definition.output.fixed {
            let reply = self.send(handle, definition.control_code(), &input, length);
            let label = format!("{} by {handle}, room {length}", definition.name);
            self.reply(&label, Some(definition.operation), &reply);
        }
    }

    fn code_bits(&mut self, handle: &str, definition: &Definition) {
        let input = vec![0; definition.input.fixed];
        for code in (0..u32::BITS).map(|bit| definition.control_code() ^ 1 << bit) {
            if Operation::from_control_code(code).is_none() {
                let reply = self.send(handle, code, &input, definition.output.fixed);
                self.reply(&format!("code {code:#010x} by {handle}"), None, &reply);
            }
        }
    }

    fn send(&self, handle: &str, code: u32, input: &[u8], output_length: usize) -> Reply {
        self.host.control(self.opened.handle(handle), code, input, output_length)
    }

    fn sender(&self) -> Sender {
        Sender { process_id: self.host.process_id(None), generation: self.generation }
    }

    /// The name of a process.
    fn process(&self, process_id: u32) -> String {
        if process_id == self.host.process_id(None) {
            return "this process".to_owned();
        }
        let is_its = |client: &&String| self.host.process_id(self.opened.clients.get(*client)) == process_id;
        self.opened.clients.keys().find(is_its).map_or_else(|| "another process".to_owned(), Clone::clone)
    }

    fn reply(&mut self, label: &str, operation: Option<Operation>, reply: &Reply) {
        self.generation = render::generation(operation, reply).unwrap_or(self.generation);
        let lines = render::reply(operation, reply, &|process_id| self.process(process_id));
        for (number, line) in lines.iter().enumerate() {
            if number == 0 {
                self.line(label, line);
            } else {
                self.line(&format!("{label}, row {number}"), line);
            }
        }
    }

    fn line(&mut self, label: &str, outcome: &str) {
        self.lines.push(format!("{label} => {outcome}"));
    }
}

/// Whether something happens within the time that there is for it.
fn in_time(mut happens: impl FnMut() -> bool) -> bool {
    let started = Instant::now();
    while !happens() {
        if started.elapsed() > PATIENCE {
            return false;
        }
        std::thread::yield_now();
    }
    true
}

fn definition(operation: &str) -> &'static Definition {
    let found = OPERATIONS.iter().find(|definition| definition.name == operation);
    found.unwrap_or_else(|| panic!("there is no operation {operation:?}"))
}
