//! `selftest`: a driver that keeps its contract passes, and each that breaks a promise fails the scenario about it.

use std::fmt::Write as _;
use std::ops::Range;
use std::path::Path;

use anycastctl::platform::ServiceState;
use insta::assert_snapshot;
use netio_anycast_client::protocol::operation::Operation;
use netio_anycast_client::protocol::status::NtStatus;
use netio_anycast_client::protocol::version::Features;
use netio_anycast_client::{OsError, PendingRequest, Returned, Transport};
use netio_model::{Families, Interface, Model};

use crate::fake::{DAMAGED, Fake, SECRET};
use crate::in_process::{Handle, InProcessDriver, ethernet};
use crate::{leases, run, transcript};

#[test]
fn a_driver_that_keeps_its_contract() {
    let (platform, driver) = Fake::with_leases(|_| {});
    for command_line in ["add 192.0.2.1 --interface 5", "add 2001:db8::1 --interface 5"] {
        run(Ok(&platform), command_line);
    }
    // What is there stays, even if it is the first address for documentation.
    assert_snapshot!(transcript(&platform, &["selftest", "list"]));
    assert_eq!(leases(&driver), 0);
}

#[test]
fn in_json_and_for_junit() {
    let (platform, _) = Fake::with_leases(|_| {});
    assert_snapshot!(transcript(&platform, &["selftest --json --interface 7 --junit report.xml"]));
    let report = platform.contents.borrow()[Path::new("report.xml")].clone();
    // Two runs of the same have an id of their own.
    let report = String::from_utf8(report).expect("it is UTF-8");
    assert_snapshot!("for_junit", report);
}

#[test]
fn a_narrow_place() {
    let mut model = Model::new();
    model.add_interface(Interface { families: Families::IPV4, ..ethernet(5) }).expect("the only interface");
    let features = Features::ANYCAST | Features::STATISTICS;
    let platform = Fake::with_driver(InProcessDriver::over(model).offering(features));
    assert_snapshot!(transcript(&platform, &["selftest --interface Ethernet"]));
}

#[test]
fn what_cannot_be_tested() {
    let (platform, _) = Fake::with_leases(|_| {});
    let mut text = transcript(&platform, &["selftest --interface 99", &format!("selftest --json --junit {SECRET}")]);
    for file in ["no-folder/junit.xml", DAMAGED] {
        text += &run(Ok(&platform), &format!("selftest --junit {file}")).stderr;
    }
    text = anstream::adapter::strip_str(&text).to_string();
    platform.service.put(ServiceState::Stopped);
    assert_snapshot!(text + &transcript(&platform, &["selftest"]));
}

/// A handle to a driver that breaks one promise.
struct Mutant {
    handle: Handle,
    mutation: &'static Mutation,
}

/// How it is broken.
struct Mutation {
    name: &'static str,
    /// What becomes of a request before the driver gets it.
    request: fn(Operation, &mut Vec<u8>),
    /// What becomes of its answer.
    answer: fn(Operation, &mut [u8], &mut Result<Returned, OsError>),
}

impl Mutation {
    const NONE: Self = Self { name: "nothing", request: |_, _| {}, answer: |_, _, _| {} };
}

/// Fields of the structs that mutations change.
const LIFETIME: usize = 48;
const CREATE_FLAGS: usize = 52;
const DELETE_FLAGS: usize = 48;

/// Changes a byte of a request, if it is long enough.
fn change(input: &mut [u8], position: usize, change: fn(u8) -> u8) {
    if let Some(byte) = input.get_mut(position) {
        *byte = change(*byte);
    }
}

/// Puts something into an answer, if it is long enough.
fn put(output: &mut [u8], range: Range<usize>, value: u8) {
    if let Some(bytes) = output.get_mut(range) {
        bytes.fill(value);
    }
}

const MUTATIONS: &[Mutation] = &[
    Mutation::NONE,
    Mutation {
        name: "any length will do",
        request: |operation, input| input.resize(operation.definition().input.fixed, 0),
        ..Mutation::NONE
    },
    Mutation {
        name: "unknown flags are ignored",
        request: |operation, input| match operation {
            Operation::Create => change(input, CREATE_FLAGS, |flags| flags & 1),
            Operation::Delete => change(input, DELETE_FLAGS, |flags| flags & 1),
            _ => {}
        },
        ..Mutation::NONE
    },
    Mutation {
        name: "a limit is missing",
        answer: |operation, output, _| {
            if operation == Operation::QueryVersion {
                put(output, 24..28, 0);
            }
        },
        ..Mutation::NONE
    },
    Mutation {
        name: "a duplicate is ALREADY_EXISTS of another kind",
        answer: |_, _, result| {
            if matches!(result, Err(error) if error.status == NtStatus::OBJECTID_EXISTS) {
                *result = Err(OsError::from_status(NtStatus::OBJECT_NAME_COLLISION));
            }
        },
        ..Mutation::NONE
    },
    Mutation {
        name: "what is not there is deleted all the same",
        answer: |operation, _, result| {
            if operation == Operation::Delete && matches!(result, Err(error) if error.status == NtStatus::NOT_FOUND) {
                *result = Ok(Returned { length: 0, more: false });
            }
        },
        ..Mutation::NONE
    },
    Mutation {
        name: "the padding has something in it",
        answer: |operation, output, _| {
            if operation == Operation::Get {
                put(output, 28..29, 0xC5);
            }
        },
        ..Mutation::NONE
    },
    Mutation {
        name: "a table that does not fit is a failure",
        answer: |operation, _, result| {
            if operation == Operation::GetTable && matches!(result, Ok(returned) if returned.more) {
                *result = Err(OsError::from_status(NtStatus::BUFFER_TOO_SMALL));
            }
        },
        ..Mutation::NONE
    },
    Mutation {
        name: "the generation stands still",
        answer: |operation, output, _| {
            if operation == Operation::GetTable {
                put(output, 8..16, 1);
            }
        },
        ..Mutation::NONE
    },
    Mutation {
        name: "nothing is counted",
        answer: |operation, output, _| {
            if operation == Operation::QueryStatistics {
                output.fill(0);
            }
        },
        ..Mutation::NONE
    },
    Mutation {
        name: "leases outlast their handle",
        request: |operation, input| {
            if operation == Operation::Create {
                change(input, LIFETIME, |_| 0);
                change(input, CREATE_FLAGS, |_| 0);
            }
        },
        ..Mutation::NONE
    },
    Mutation {
        name: "leases are never shared",
        request: |operation, input| {
            if operation == Operation::Create && input.get(LIFETIME) == Some(&1) {
                change(input, CREATE_FLAGS, |_| 0);
            }
        },
        ..Mutation::NONE
    },
    Mutation {
        name: "leases are always shared",
        request: |operation, input| {
            if operation == Operation::Create && input.get(LIFETIME) == Some(&1) {
                change(input, CREATE_FLAGS, |_| 1);
            }
        },
        ..Mutation::NONE
    },
    Mutation {
        name: "everybody deletes by force",
        request: |operation, input| {
            if operation == Operation::Delete {
                change(input, DELETE_FLAGS, |flags| flags | 1);
            }
        },
        ..Mutation::NONE
    },
    Mutation {
        name: "nobody deletes by force",
        request: |operation, input| {
            if operation == Operation::Delete {
                change(input, DELETE_FLAGS, |flags| flags & 0xFE);
            }
        },
        ..Mutation::NONE
    },
    Mutation {
        name: "no batch is atomic",
        request: |operation, input| {
            if operation == Operation::Apply {
                change(input, 0, |flags| flags & 0xFE);
            }
        },
        ..Mutation::NONE
    },
    Mutation {
        name: "leases have no holders",
        answer: |operation, output, _| {
            if operation == Operation::ListLeases {
                put(output, 16 + 56..16 + 60, 0);
            }
        },
        ..Mutation::NONE
    },
    Mutation {
        name: "waits end as if they had been cancelled",
        answer: |operation, _, result| {
            if operation == Operation::WaitChange {
                *result = Err(OsError::from_status(NtStatus::CANCELLED));
            }
        },
        ..Mutation::NONE
    },
    Mutation {
        name: "waits end at once, with anything",
        answer: |operation, output, _| {
            if operation == Operation::WaitChange {
                output.fill(0);
            }
        },
        ..Mutation::NONE
    },
];

impl Transport for Mutant {
    fn control(&self, control_code: u32, input: &[u8], output: &mut [u8]) -> Result<Returned, OsError> {
        let Some(operation) = Operation::from_control_code(control_code) else {
            return self.handle.control(control_code, input, output);
        };
        let mut input = input.to_vec();
        (self.mutation.request)(operation, &mut input);
        let mut result = self.handle.control(control_code, &input, output);
        (self.mutation.answer)(operation, output, &mut result);
        result
    }

    fn begin<'a>(
        &'a self,
        control_code: u32,
        input: &[u8],
        output_length: usize,
    ) -> Result<Box<dyn PendingRequest + 'a>, OsError> {
        let operation = Operation::from_control_code(control_code);
        let is_wait = operation == Some(Operation::WaitChange) && input.len() == 8;
        if !is_wait {
            let request = netio_anycast_client::CompletedRequest::through(self, control_code, input, output_length)?;
            return Ok(Box::new(request));
        }
        let request = self.handle.begin(control_code, input, output_length)?;
        let mut output = vec![0xFF; output_length];
        let mut result = Ok(Returned { length: output_length, more: false });
        (self.mutation.answer)(Operation::WaitChange, &mut output, &mut result);
        match result {
            Ok(_) if output == vec![0xFF; output_length] => Ok(request),
            result => Ok(Box::new(netio_anycast_client::CompletedRequest(result.map(|_| output)))),
        }
    }
}

#[test]
fn each_broken_promise_fails_the_scenario_about_it() {
    let mut text = String::new();
    for mutation in MUTATIONS {
        let mut model = Model::new();
        model.add_interface(ethernet(5)).expect("the only interface");
        let driver = InProcessDriver::over(model);
        let platform = Fake::with_device(move || Box::new(Mutant { handle: driver.open(), mutation }));
        let output = run(Ok(&platform), "selftest");
        let told = output.stdout.lines();
        let failed: Vec<&str> = told.filter(|line| line.starts_with("not ok") || line.starts_with("  ")).collect();
        assert_eq!(failed.is_empty(), mutation.name == Mutation::NONE.name, "{}: {}", mutation.name, output.stdout);
        assert_eq!(output.exit_code, i32::from(!failed.is_empty()), "{}{}", output.stdout, output.stderr);
        for line in [mutation.name].into_iter().chain(failed) {
            writeln!(text, "{line}").expect("a string takes any text");
        }
        text.push('\n');
    }
    assert_snapshot!(text);
}
