//! The scenario that the simulated kernel runs as well, here in Wine's: `cargo xtask test` compares the transcripts.

use model_control::ModelDevice;
use netio_anycast_client::{Access, DeviceTransport, OsError, Returned, Transport};
use netio_anycast_protocol::DEVICE_PATH;
use netio_anycast_protocol::status::NtStatus;
use netio_anycast_tests::scenario::{self, AccessName, Host, LINE_MARK, Reply, Scenario};

use crate::bench::Simulation;

/// What the caller's buffer is filled with before a request: what it still has afterwards, nobody has written.
const UNTOUCHED: u8 = 0xEE;

/// Wine's kernel, as a scenario reaches it.
struct Wine(Simulation);

impl Host for Wine {
    type Handle = DeviceTransport;
    type Model = DeviceTransport;

    fn open(&self, below: &str, access: AccessName) -> Result<DeviceTransport, NtStatus> {
        let access = match access {
            AccessName::Read => Access::Read,
            AccessName::ReadWrite => Access::ReadWrite,
        };
        let opened = DeviceTransport::open_path(&format!("{DEVICE_PATH}{below}"), access);
        opened.map_err(|error| error.status().expect("the system gives a status"))
    }

    fn create(&self, name: &str) -> NtStatus {
        self.0.model.open_name(name).expect("the model's module can ask the driver")
    }

    fn control(&self, handle: &DeviceTransport, code: u32, input: &[u8], output_length: usize) -> Reply {
        let mut buffer = vec![UNTOUCHED; output_length];
        match handle.control(code, input, &mut buffer) {
            Ok(Returned { length, more }) => {
                let status = if more { NtStatus::BUFFER_OVERFLOW } else { NtStatus::SUCCESS };
                Reply { status, information: Some(length), output: written(buffer, length) }
            }
            Err(OsError { status, .. }) => Reply { status, information: None, output: written(buffer, 0) },
        }
    }

    fn model(&self) -> &ModelDevice<DeviceTransport> {
        &self.0.model
    }
}

/// The first `length` bytes of the buffer, or all of it if anybody has written behind them: then the transcripts differ.
fn written(mut buffer: Vec<u8>, length: usize) -> Vec<u8> {
    if buffer[length..].iter().all(|byte| *byte == UNTOUCHED) {
        buffer.truncate(length);
    }
    buffer
}

#[test]
#[ignore = "its transcript has the driver's counters, so `cargo xtask test` runs it on a driver that was just started"]
fn the_scenario_runs() {
    let scenario = Scenario::agreement().expect("the file is a scenario");
    let simulation = Simulation::empty();
    let transcript = scenario::run(&scenario, &Wine(simulation));
    for line in &transcript {
        println!("{LINE_MARK}{line}");
    }
    assert!(transcript.len() > scenario.steps.len(), "every step has at least a line");
}
