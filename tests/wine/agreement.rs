//! The scenario that the simulated kernel runs as well, here in Wine's: `cargo xtask test` compares the transcripts.

use std::cell::Cell;
use std::io::{self, BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use model_control::ModelDevice;
use netio_anycast_client::{Access, DeviceTransport, OsError, Returned, Transport as _};
use netio_anycast_protocol::DEVICE_PATH;
use netio_anycast_protocol::status::NtStatus;
use netio_anycast_tests::partner;
use netio_anycast_tests::scenario::{self, AccessName, DeviceName, Host, LINE_MARK, Reply, Scenario};

use crate::bench::Simulation;
use crate::served_handle::ServedHandle;

/// What the caller's buffer is filled with before a request: what it still has afterwards, nobody has written.
const UNTOUCHED: u8 = 0xEE;

/// How long a request may take that is to end.
const PATIENCE: Duration = Duration::from_secs(30);

/// Tells a process which client of the scenario it is.
const CLIENT: &str = "ANYCAST_SCENARIO_CLIENT";
/// What a client writes behind its transcript.
const DONE: &str = "that was all";

/// Wine's kernel, as one process of a scenario reaches it.
struct Wine<'a> {
    model: &'a ModelDevice<DeviceTransport>,
    /// The number of the next request that may pend.
    next: Cell<u64>,
}

impl<'a> Wine<'a> {
    const fn new(model: &'a ModelDevice<DeviceTransport>) -> Self {
        Self { model, next: Cell::new(0) }
    }
}

/// Another process, killed at the latest when this is dropped.
struct Client(Child);

impl Drop for Client {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Host for Wine<'_> {
    type Handle = ServedHandle;
    /// Its number.
    type Pending = u64;
    type Client = Client;
    type Model = DeviceTransport;

    fn open(&self, device: DeviceName, below: &str, access: AccessName) -> Result<ServedHandle, NtStatus> {
        let device = match device {
            DeviceName::Anycast => DEVICE_PATH.to_owned(),
            DeviceName::Partner => partner_path(),
        };
        let access = match access {
            AccessName::Read => Access::Read,
            AccessName::ReadWrite => Access::ReadWrite,
        };
        let opened = DeviceTransport::open_path(&format!("{device}{below}"), access);
        opened.map(ServedHandle::new).map_err(|error| error.status().expect("the system gives a status"))
    }

    fn close(&self, handle: ServedHandle, _: Vec<u64>) {
        handle.close();
    }

    fn create(&self, name: &str) -> NtStatus {
        self.model.open_name(name).expect("the model's module can ask the driver")
    }

    fn control(&self, handle: &ServedHandle, code: u32, input: &[u8], output_length: usize) -> Reply {
        let input = input.to_vec();
        handle.run(move |device, _| {
            let mut buffer = vec![UNTOUCHED; output_length];
            match device.control(code, &input, &mut buffer) {
                Ok(Returned { length, more }) => {
                    let status = if more { NtStatus::BUFFER_OVERFLOW } else { NtStatus::SUCCESS };
                    Reply { status, information: Some(length), output: written(buffer, length) }
                }
                Err(error) => Reply { output: written(buffer, 0), ..failed(error) },
            }
        })
    }

    fn begin(&self, handle: &ServedHandle, code: u32, input: &[u8], output_length: usize) -> u64 {
        let number = self.next.replace(self.next.get() + 1);
        handle.begin(number, code, input.to_vec(), output_length);
        number
    }

    fn cancel(&self, handle: &ServedHandle, number: &u64) {
        let number = *number;
        handle.run(move |_, requests| {
            if let Some(Ok(request)) = requests.get(&number) {
                request.cancel();
            }
        });
    }

    fn finish(&self, handle: &ServedHandle, number: u64) -> Reply {
        let ended = handle.run(move |_, requests| {
            let request = requests.remove(&number).expect("it was begun")?;
            request.wait(Some(PATIENCE)).expect("the request ends")
        });
        match ended {
            Ok(output) => Reply { status: NtStatus::SUCCESS, information: Some(output.len()), output },
            Err(error) => failed(error),
        }
    }

    fn client(&self, _: &Scenario, name: &str) -> (Client, Vec<String>) {
        let this = std::env::current_exe().expect("the program has a path");
        let mut command = Command::new(this);
        command.args(["--exact", "agreement::a_client_does_its_steps", "--ignored", "--nocapture"]);
        // It ends with its input, so it does not outlive this program.
        command.env(CLIENT, name).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut client = Client(command.spawn().expect("the program can be started again"));
        let output = BufReader::new(client.0.stdout.take().expect("its output is a pipe"));
        let lines = output.lines().map(|line| line.expect("its output is text"));
        let mut lines = lines.filter_map(|line| line.split_once(LINE_MARK).map(|(_, line)| line.trim_end().to_owned()));
        let mut transcript = Vec::new();
        loop {
            match lines.next() {
                Some(line) if line == DONE => return (client, transcript),
                Some(line) => transcript.push(line),
                None => panic!("the client {name} failed after {transcript:#?}"),
            }
        }
    }

    fn kill(&self, mut client: Client) {
        client.0.kill().expect("the client is alive");
        client.0.wait().expect("the client is dead");
    }

    fn process_id(&self, client: Option<&Client>) -> u32 {
        client.map_or_else(std::process::id, |client| client.0.id())
    }

    fn model(&self) -> &ModelDevice<DeviceTransport> {
        self.model
    }
}

fn partner_path() -> String {
    format!(r"\\.\{}", partner::SERVICE)
}

fn failed(error: OsError) -> Reply {
    Reply { status: error.status, information: None, output: Vec::new() }
}

/// The first `length` bytes of the buffer, or all of it if anybody has written behind them: then the transcripts differ.
fn written(mut buffer: Vec<u8>, length: usize) -> Vec<u8> {
    if buffer[length..].iter().all(|byte| *byte == UNTOUCHED) {
        buffer.truncate(length);
    }
    buffer
}

fn write(transcript: &[String]) {
    for line in transcript {
        println!("{LINE_MARK}{line}");
    }
}

#[test]
#[ignore = "its transcript has the driver's counters, so `cargo xtask test` runs it on a driver that was just started"]
fn the_scenario_runs() {
    let scenario = Scenario::agreement().expect("the file is a scenario");
    let simulation = Simulation::empty();
    let partner = DeviceTransport::open_path(&partner_path(), Access::Read).expect("the partner runs");
    partner.control(partner::CLEAR_JOURNAL, &[], &mut []).expect("the journal can be cleared");
    // It stays open: its end would be told in the journal.
    let transcript = scenario::run(&scenario, &Wine::new(&simulation.model));
    drop(partner);
    write(&transcript);
    assert!(transcript.len() > scenario.steps.len(), "every step has at least a line");
}

#[test]
#[ignore = "the other process of the scenario, which starts it and kills it"]
fn a_client_does_its_steps() {
    let scenario = Scenario::agreement().expect("the file is a scenario");
    let name = std::env::var(CLIENT).expect("the scenario says which client it is");
    let path = netio_model::control::DEVICE_PATH;
    let model = ModelDevice::new(DeviceTransport::open_path(path, Access::ReadWrite).expect("the model is there"));
    let (transcript, _opened) = scenario::run_client(&scenario, &name, &Wine::new(&model));
    write(&transcript);
    println!("{LINE_MARK}{DONE}");
    io::stdin().lines().for_each(drop);
}
