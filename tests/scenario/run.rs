//! The interpreter.

use std::collections::BTreeMap;

use netio_anycast_client::OsError;
use netio_anycast_protocol::operation::{Definition, OPERATIONS, Operation};
use netio_anycast_protocol::status::NtStatus;
use netio_model::Function;

use super::{Host, Reply, Scenario, Step, render};

/// What a line of the transcript begins with where other lines may be around it.
pub const LINE_MARK: &str = "transcript| ";

/// The bytes by which [`Step::InputLengths`] goes beyond what is right.
const TOO_LONG: usize = 9;

/// Runs the scenario, and returns the transcript.
///
/// # Panics
/// If the scenario contradicts itself, for example names a handle that is not open.
#[must_use]
pub fn run<H: Host>(scenario: &Scenario, host: &H) -> Vec<String> {
    let mut run = Run { scenario, host, handles: BTreeMap::new(), lines: Vec::new() };
    for step in &scenario.steps {
        run.step(step);
    }
    run.lines
}

struct Run<'a, H: Host> {
    scenario: &'a Scenario,
    host: &'a H,
    handles: BTreeMap<String, H::Handle>,
    lines: Vec<String>,
}

impl<H: Host> Run<'_, H> {
    fn step(&mut self, step: &Step) {
        match step {
            Step::Open { handle, access, below } => {
                let status = match self.host.open(below, *access) {
                    Ok(opened) => {
                        self.handles.insert(handle.clone(), opened);
                        NtStatus::SUCCESS
                    }
                    Err(status) => status,
                };
                self.line(&format!("open {handle} {access:?} {below:?}"), &render::status(status));
            }
            Step::Create { name } => {
                self.line(&format!("IRP_MJ_CREATE {name:?}"), &render::status(self.host.create(name)));
            }
            Step::Close { handle } => {
                drop(self.handles.remove(handle).unwrap_or_else(|| panic!("no handle {handle:?} is open")));
                self.line(&format!("close {handle}"), "closed");
            }
            Step::Control { handle, operation, input, output } => {
                let definition = definition(operation);
                let bytes = input.bytes(self.scenario);
                let length = output.unwrap_or(definition.output.fixed);
                let label = format!("{operation} by {handle}, {input}, room {length}");
                let reply = self.send(handle, definition.control_code(), &bytes, length);
                self.reply(&label, Some(definition.operation), &reply);
            }
            Step::InputLengths { handle, operation } => self.input_lengths(handle, definition(operation)),
            Step::OutputLengths { handle, operation } => self.output_lengths(handle, definition(operation)),
            Step::CodeBits { handle, operation } => self.code_bits(handle, definition(operation)),
            Step::Netio => self.netio(),
            arrangement => self.arrange(arrangement),
        }
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

    fn netio(&mut self) {
        let model = self.host.model();
        let (state, entries) = match (model.state(), model.entries()) {
            (Ok(state), Ok(entries)) => (state, entries),
            (state, entries) => panic!("the model does not tell its state: {:?} {:?}", state.err(), entries.err()),
        };
        for function in Function::ALL {
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
        let handle = self.handles.get(handle).unwrap_or_else(|| panic!("no handle {handle:?} is open"));
        self.host.control(handle, code, input, output_length)
    }

    fn reply(&mut self, label: &str, operation: Option<Operation>, reply: &Reply) {
        for (number, line) in render::reply(operation, reply).iter().enumerate() {
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

fn definition(operation: &str) -> &'static Definition {
    let found = OPERATIONS.iter().find(|definition| definition.name == operation);
    found.unwrap_or_else(|| panic!("there is no operation {operation:?}"))
}
